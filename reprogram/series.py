"""Series of different lengths in one array: NaN behind the shorter ones."""

import numpy as np


def known(series: np.ndarray) -> np.ndarray:
    """Says which steps of series are there.

    Args:
        series: Of shape `(batch, length, channels)`; shorter ones end in NaN,
            in all channels.

    Returns:
        Booleans `(batch, length)`.

    Raises:
        ValueError: If the series are not of that shape, or not finite before
            their ends.

    Example:
    >>> known(np.array([[[1.0], [2.0]], [[3.0], [np.nan]]])).tolist()
    [[True, True], [True, False]]
    """
    series = np.asarray(series, "float64")
    if series.ndim != 3 or 0 in series.shape[1:]:
        raise ValueError(
            "Series must have the shape (batch, length, channels). Received:"
            f" shape {series.shape}. Add the missing axis."
        )
    seen = np.isfinite(series).all(axis=2)
    ends = np.isnan(series).all(axis=2)
    tail = np.logical_and.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    bad = np.flatnonzero(~(seen | tail).all(axis=1) | ~seen[:, 0])
    if bad.size:
        raise ValueError(
            "Series must be finite, apart from NaN behind the last step of a"
            f" shorter one. Received: {bad.size} that are not, first at row"
            f" {bad[0]}. Fill or drop them."
        )
    return seen


def joined(series: list[np.ndarray | None]) -> list[np.ndarray | None]:
    """Fills series up with NaN to the length of the longest.

    Args:
        series: Arrays `(length, channels)`; None stays.

    Example:
    >>> joined([np.ones((2, 1)), None, np.ones((1, 1))])[2].tolist()
    [[1.0], [nan]]
    """
    longest = max((len(x) for x in series if x is not None), default=0)
    return [x if x is None else ended(x, longest) for x in series]


def ended(x: np.ndarray, length: int) -> np.ndarray:
    """Fills one series `(length, channels)` up with NaN."""
    return np.pad(x, ((0, length - len(x)), (0, 0)), constant_values=np.nan)


def filled(series: np.ndarray) -> np.ndarray:
    """Puts the mean of each channel where a series has ended.

    Args:
        series: Of shape `(batch, length, ...)`.

    Example:
    >>> filled(np.array([[1.0, 3.0, np.nan]])).tolist()
    [[1.0, 3.0, 2.0]]
    """
    series = np.asarray(series)
    if series.dtype.kind != "f" or not np.isnan(series).any():
        return series
    mean = np.nanmean(series, axis=1, keepdims=True)
    return np.where(np.isnan(series), mean, series)


def stretched(series: np.ndarray) -> np.ndarray:
    """Stretches shorter series to the whole length, by interpolation.

    Args:
        series: See `known`.

    Raises:
        ValueError: As `known`.

    Example:
    >>> stretched(np.array([[[0.0], [1.0], [np.nan]]])).ravel().tolist()
    [0.0, 0.5, 1.0]
    """
    series = np.array(series, "float64")
    counts = known(series).sum(axis=1)
    steps = np.arange(series.shape[1]) / max(series.shape[1] - 1, 1)
    for row in np.flatnonzero(counts < series.shape[1]):
        own, count = series[row, : counts[row]].copy(), counts[row]
        place = np.arange(count) / max(count - 1, 1)
        for k, channel in enumerate(own.T):
            series[row, :, k] = np.interp(steps, place, channel)
    return series
