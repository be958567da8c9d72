"""Numbers that say, without training, how well a source fits a task."""

import numpy as np


def log_evidence(features: np.ndarray, targets: np.ndarray) -> float:
    """LogME: log evidence per sample of a Bayesian linear model.

    The model weighs features and noise by the two precisions that make the
    targets most probable, so it cannot overfit as a score on training data
    can.

    Args:
        features: Features `(samples, width)`.
        targets: Values `(samples, columns)`; rows with NaN are left out of
            their column. Class ids go in as one-hot rows.

    Returns:
        The mean over the columns, in nats; larger is better, 0 is no limit.

    Example:
    >>> x = np.random.default_rng(0).normal(size=(90, 3))
    >>> y = x[:, :1] - x[:, 1:2]
    >>> log_evidence(x, y) > log_evidence(x[:, 2:], y)
    True

    Reference: You et al., LogME: Practical Assessment of Pre-trained Models
    for Transfer Learning, 2021.
    """
    found = []
    for column in targets.T:
        known = np.isfinite(column)
        if known.sum() > 2 and np.ptp(column[known]) > 0:
            found.append(_evidence(features[known], column[known]))
    return float(np.mean(found)) if found else float("nan")


def _evidence(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x - x.mean(axis=0), (y - y.mean()) / y.std()
    left, sizes, _ = np.linalg.svd(x, full_matrices=False)
    kept = sizes > 1e-6 * max(sizes.max(), 1e-12)
    power, part = sizes[kept] ** 2, (left[:, kept].T @ y) ** 2
    # The mean takes one degree of freedom.
    rest, samples = max(y @ y - part.sum(), 0.0), len(y) - 1
    alpha, beta = float(power.mean()) if kept.any() else 1.0, 1.0
    for _ in range(100):
        ratio = alpha / beta
        spent = (power / (power + ratio)).sum()
        size = (power * part / (power + ratio) ** 2).sum()
        error = (part * (ratio / (power + ratio)) ** 2).sum() + rest
        alpha = spent / max(size, 1e-12)
        beta = (samples - spent) / max(error, 1e-12)
        if abs(alpha / beta - ratio) <= 1e-4 * ratio:
            break
    determinant = np.log1p(power * beta / alpha).sum()
    misfit = beta * error + alpha * size
    total = samples * np.log(beta / (2 * np.pi)) - determinant - misfit
    return float(total) / (2 * samples)


def sliced_wasserstein(
    left: np.ndarray, right: np.ndarray, directions: int = 1000, seed: int = 0
) -> float:
    """Mean Wasserstein-1 distance of two samples over random directions.

    Args:
        left: Points `(samples, width)`.
        right: Points `(other samples, width)`; each coordinate of both is
            first standardized by the mean and deviation of `right`.
        directions: Number of random directions to average over.
        seed: Seed of the random directions.

    Returns:
        The distance in standard deviations of `right`.

    Example:
    >>> points = np.random.default_rng(0).normal(size=(50, 4))
    >>> sliced_wasserstein(points, points)
    0.0

    Reference: Yang, Tsai and Chen, Voice2Series, 2021.
    """
    mean, spread = right.mean(axis=0), right.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    axes = np.random.default_rng(seed).normal(size=(right.shape[1], directions))
    axes /= np.linalg.norm(axes, axis=0)
    shares = (np.arange(256) + 0.5) / 256
    a, b = (
        np.quantile((points - mean) / spread @ axes, shares, axis=0)
        for points in (left, right)
    )
    return float(np.abs(a - b).mean())


def label_map(
    scores: np.ndarray, labels: np.ndarray, classes: int, draws: int = 30
) -> tuple[float, float]:
    """Stability and accuracy of the best assignment of source classes.

    Args:
        scores: Scores of the source `(samples, source classes)`.
        labels: Target class ids `(samples,)`.
        classes: Number of target classes, at most that of source classes.
        draws: Number of bootstrap draws of the samples.

    Returns:
        The share of target classes that keep their source class from one draw
        to the whole, and the balanced accuracy of the assignment on the
        samples that a draw has left out.
    """
    from sklearn.metrics import recall_score

    from reprogram.mappings import OptimalMapping

    def assigned(rows: np.ndarray) -> np.ndarray:
        mapping = OptimalMapping(classes)
        mapping.adapt(scores[rows], labels[rows])
        return np.asarray(mapping.table)[:, 0]

    rng = np.random.default_rng(0)
    every = np.arange(len(labels))
    whole, same, right = assigned(every), [], []
    for _ in range(draws):
        rows = rng.integers(0, len(labels), len(labels))
        table, out = assigned(rows), np.setdiff1d(every, rows)
        same.append(np.mean(table == whole))
        if len(out):
            guess = scores[out][:, table].argmax(axis=1)
            present = np.unique(labels[out])
            right.append(
                recall_score(
                    labels[out], guess, labels=present, average="macro"
                )
            )
    return float(np.mean(same)), float(np.mean(right)) if right else np.nan
