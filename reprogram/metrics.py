"""Test metrics, one evaluator a kind of problem, and intervals of shares."""

from collections.abc import Callable
from collections.abc import Iterator

import numpy as np


def evaluate(
    problem: str, targets: np.ndarray, predictions: np.ndarray
) -> Iterator[tuple[str, float]]:
    """Yields the metrics of a problem; NaN where one is not defined.

    That is where all targets are the same, for metrics that need a
    difference, and where a prediction is not finite.

    Args:
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        targets: Class ids `(samples,)`; or values `(samples, columns)`, NaN
            where missing.
        predictions: Class probabilities `(samples, classes)`, probabilities
            `(samples, columns)`, or values `(samples, columns)`. Metrics of
            several columns are means over the columns.

    Yields:
        Pairs of name and value.

    Raises:
        ValueError: If the problem is unknown, or if targets and predictions
            do not fit each other.

    Example:
    >>> y = np.array([[1.0], [2.0], [4.0]])
    >>> dict(evaluate("regression", y, y + 1.0))["rmse"]
    1.0
    """
    if problem not in EVALUATORS or len(targets) != len(predictions):
        raise ValueError(
            f"Expected a problem of {', '.join(EVALUATORS)} and as many"
            f" predictions as targets. Received: {problem!r},"
            f" {len(targets)} targets, {len(predictions)} predictions."
        )
    y, p = np.asarray(targets), np.asarray(predictions)
    if problem == "classification":
        fits = y.ndim == 1 and p.ndim == 2
        fits = fits and bool(np.isin(y, np.arange(p.shape[1])).all())
    else:
        y, p = (a[:, None] if a.ndim == 1 else a for a in (y, p))
        fits = y.shape == p.shape
    if not fits:
        raise ValueError(
            "Expected a prediction for every target; for classification class"
            " ids and a column of predictions for every class. Received:"
            f" targets {y.shape}, predictions {p.shape}, {problem}."
        )
    yield from EVALUATORS[problem](y, p)


def _classification(
    y: np.ndarray, p: np.ndarray
) -> Iterator[tuple[str, float]]:
    from sklearn import metrics

    if not len(y) or not np.isfinite(p).all():
        names = ("accuracy", "balanced_accuracy", "roc_auc", "mcc", "ece")
        yield from ((name, np.nan) for name in names)
        return
    predicted, present = p.argmax(axis=1), np.unique(y)
    yield "accuracy", float(metrics.accuracy_score(y, predicted))
    recall = [
        float((predicted[y == label] == label).mean()) for label in present
    ]
    yield "balanced_accuracy", float(np.mean(recall))
    areas = [
        metrics.roc_auc_score(y == label, p[:, label])
        for label in (present if p.shape[1] > 2 else [1])
        if 0 < (y == label).sum() < len(y)
    ]
    yield "roc_auc", float(np.mean(areas)) if areas else np.nan
    mcc = (
        metrics.matthews_corrcoef(y, predicted) if len(present) > 1 else np.nan
    )
    yield "mcc", float(mcc)
    yield "ece", calibration_error(predicted == y, p.max(axis=1))


def calibration_error(
    hits: np.ndarray, confidence: np.ndarray, bins: int = 15
) -> float:
    """Expected calibration error (ECE).

    Args:
        hits: Whether each prediction is right `(samples,)`.
        confidence: Probability of each prediction in [0, 1] `(samples,)`.
        bins: Number of bins of equal width, over which the difference between
            the share of right predictions and their mean probability is
            averaged.

    Returns:
        The mean absolute difference, each bin weighed by its samples.

    Example:
    >>> calibration_error(np.array([True, False]), np.array([0.9, 0.9]))
    0.4

    Reference: Guo et al., On Calibration of Modern Neural Networks, 2017.
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(place, np.asarray(hits, float) - confidence)
    return float(np.abs(gaps).sum() / len(hits))


def share_interval(
    successes: int, count: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Computes the Wilson interval of a share, which never leaves [0, 1].

    Args:
        successes: Number of successes, at most `count`.
        count: Number of trials.
        confidence: Probability in (0, 1) with which the interval holds the
            true share.

    Returns:
        The lower and the upper end; 0 and 1 where there are no trials.

    Raises:
        ValueError: If there are more successes than trials, or if one of the
            numbers is negative.

    Example:
    >>> low, high = share_interval(16, 16)
    >>> round(low, 3), high
    (0.806, 1.0)

    Reference: Wilson, Probable Inference, the Law of Succession, and
    Statistical Inference, 1927.
    """
    from scipy import stats

    if not 0 <= successes <= count:
        raise ValueError(
            "Expected between 0 and `count` successes. Received:"
            f" {successes} successes of {count}."
        )
    if not count:
        return 0.0, 1.0
    test = stats.binomtest(int(successes), int(count))
    ends = test.proportion_ci(confidence, method="wilson")
    return float(ends.low), float(ends.high)


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """Computes the 95 % interval of a mean by Student's t.

    Args:
        values: Independent values `(n,)`; fewer than two bound nothing.

    Example:
    >>> mean_interval(np.array([1.0, 1.0, 1.0]))
    (1.0, 1.0)
    """
    from scipy import stats

    if len(values) < 2:
        return -np.inf, np.inf
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return float(np.mean(values) - half), float(np.mean(values) + half)


def _multilabel(y: np.ndarray, p: np.ndarray) -> Iterator[tuple[str, float]]:
    from sklearn import metrics

    yield "roc_auc", _mean(y, p, metrics.roc_auc_score, _varies)
    score = metrics.average_precision_score
    yield "average_precision", _mean(y, p, score, _varies)

    def at_half(score: Callable) -> Callable:
        return lambda target, share: score(target > 0.5, share > 0.5)

    score = at_half(metrics.balanced_accuracy_score)
    yield "balanced_accuracy", _mean(y, p, score, _varies)
    score = at_half(metrics.matthews_corrcoef)
    yield "mcc", _mean(y, p, score, _varies)
    yield "ece", _mean(y, p, _label_calibration, _varies)


def _label_calibration(target: np.ndarray, share: np.ndarray) -> float:
    positive = share > 0.5
    confidence = np.where(positive, share, 1 - share)
    return calibration_error(positive == (target > 0.5), confidence)


def _regression(y: np.ndarray, p: np.ndarray) -> Iterator[tuple[str, float]]:
    from scipy import stats
    from sklearn import metrics

    def spearman(target: np.ndarray, prediction: np.ndarray) -> float:
        if not _varies(prediction):
            return np.nan
        return stats.spearmanr(target, prediction).statistic

    yield "rmse", _mean(y, p, metrics.root_mean_squared_error)
    yield "mae", _mean(y, p, metrics.mean_absolute_error)
    yield "r2", _mean(y, p, metrics.r2_score, _varies)
    yield "spearman", _mean(y, p, spearman, _varies)


def _varies(values: np.ndarray) -> bool:
    return len(values) > 1 and bool(np.ptp(values))


def _mean(
    y: np.ndarray,
    p: np.ndarray,
    score: Callable,
    defined: Callable = lambda target: len(target) > 0,
) -> float:
    values = []
    for target, prediction in zip(y.T, p.T):
        known = np.isfinite(target)
        if not defined(target[known]):
            continue
        finite = np.isfinite(prediction[known]).all()
        pair = target[known], prediction[known]
        values.append(score(*pair) if finite else np.nan)
    return float(np.mean(values)) if values else np.nan


EVALUATORS = {
    "classification": _classification,
    "multilabel": _multilabel,
    "regression": _regression,
}
