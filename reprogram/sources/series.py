"""Series of any length, written in other ways that mean the same."""

import numpy as np

PARTS, SPREAD = 4, 0.2


def warped(series: np.ndarray, seed: int) -> np.ndarray:
    """Stretches and squeezes parts of each series a little.

    Four equal parts of a series get lengths that differ by a factor of
    `exp(0.2)` in one standard deviation; its ends stay where they are.

    Args:
        series: Of shape `(batch, length, channels)`; shorter series end in
            NaN, which stays.
        seed: Of the draws.

    Returns:
        An array of the same shape.

    Example:

    >>> line = np.linspace(0.0, 1.0, 9)[None, :, None]
    >>> found = warped(line, seed=0)[0, :, 0]
    >>> found[[0, -1]].tolist(), bool((np.diff(found) > 0).all())
    ([0.0, 1.0], True)

    Reference: Um et al., Data augmentation of wearable sensor data for
    Parkinson's disease monitoring using convolutional neural networks, 2017.
    """
    series = np.asarray(series)
    rng = np.random.default_rng(seed)
    found = np.array(series, "float64")
    knots = np.linspace(0.0, 1.0, PARTS + 1)
    for row, known in zip(found, np.isfinite(series).all(axis=2)):
        sizes = np.exp(rng.normal(0.0, SPREAD, PARTS))
        ends = np.concatenate([[0.0], np.cumsum(sizes)]) / sizes.sum()
        count = int(known.sum())
        if count < 2:
            continue
        steps = np.arange(count)
        places = (count - 1) * np.interp(steps / (count - 1), knots, ends)
        for channel in range(row.shape[1]):
            row[:count, channel] = np.interp(
                places, steps, row[:count, channel].copy()
            )
    return found.astype(series.dtype)
