"""Intervals and sets of answers that hold the truth as often as promised.

The promise holds for molecules drawn like the training molecules; it is made
from predictions of molecules that were left out of the fit.
"""

import numpy as np

from reprogram.predictors.assessment import Assessment


def quantile(scores: np.ndarray, confidence: float) -> float:
    """Finds the score that a new one exceeds with the given risk at most.

    Args:
        scores: Of molecules that were left out `(molecules,)`.
        confidence: Share of new scores that shall not exceed it, in (0, 1).

    Returns:
        A score; infinity where there are too few to promise that.

    Raises:
        ValueError: If the confidence is not between 0 and 1.

    Example:
    >>> quantile(np.arange(1.0, 20.0), 0.9), quantile(np.ones(5), 0.9)
    (18.0, inf)

    Reference: Vovk et al., Algorithmic Learning in a Random World, 2005.
    """
    check(confidence)
    rank = int(np.ceil((len(scores) + 1) * confidence))
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else np.inf


def check(confidence: float) -> None:
    """Refuses a confidence that is not between 0 and 1."""
    if not 0 < confidence < 1:
        raise ValueError(
            "`confidence` is a share between 0 and 1, such as 0.9."
            f" Received: {confidence!r}."
        )


def interval(
    center: np.ndarray,
    deviation: np.ndarray,
    scores: np.ndarray,
    confidence: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Makes an interval around each prediction, wider where it is less sure.

    Args:
        center: Predictions `(molecules,)`.
        deviation: How unsure each is, in units of the target.
        scores: Of the training molecules the absolute residual of the
            prediction without them, over its deviation.
        confidence: Share of intervals that shall hold the truth.

    Returns:
        Lower and upper ends `(molecules,)`, infinite where there are too few
        training molecules to promise that.

    Example:
    >>> low, high = interval(np.zeros(1), np.ones(1), np.arange(9.0), 0.8)
    >>> low.tolist(), high.tolist()
    ([-7.0], [7.0])

    Reference: Barber et al., Predictive inference with the jackknife+, 2021;
    Papadopoulos et al., Normalized nonconformity measures for regression
    conformal prediction, 2008.
    """
    width = quantile(scores, confidence)
    half = np.where(np.isfinite(width), width, 1.0) * deviation
    half = half if np.isfinite(width) else np.full(len(half), np.inf)
    return center - half, center + half


def plus(
    without: np.ndarray,
    deviation: np.ndarray,
    scores: np.ndarray,
    confidence: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Makes the intervals of the jackknife+ or of CV+.

    Args:
        without: For each new molecule and each training molecule the
            prediction of the model that was fitted without the latter,
            `(molecules, training)`.
        deviation: How unsure these are, in the same shape.
        scores: Of the training molecules, see `interval`.
        confidence: Share of intervals that shall hold the truth. They hold
            it at least `2 * confidence - 1` often, whatever the data.

    Returns:
        Lower and upper ends `(molecules,)`.

    Example:
    >>> low, high = plus(np.zeros((1, 9)), np.ones((1, 9)), np.arange(9.0), 0.8)
    >>> low.tolist(), high.tolist()
    ([-7.0], [7.0])

    Reference: Barber et al., Predictive inference with the jackknife+, 2021.
    """
    check(confidence)
    count = len(scores)
    rank = int(np.ceil((count + 1) * confidence))
    if rank > count:
        ends = np.full(len(without), np.inf)
        return -ends, ends
    upper = np.sort(without + deviation * scores, axis=1)[:, rank - 1]
    lower = np.sort(without - deviation * scores, axis=1)[:, count - rank]
    return lower, upper


def label_sets(
    probabilities: np.ndarray,
    without: np.ndarray,
    labels: np.ndarray,
    confidence: float,
) -> np.ndarray:
    """Makes the set of classes that each molecule may belong to.

    Each class keeps the promise by itself, so that a rare class is not given
    up for the sake of a frequent one.

    Args:
        probabilities: Of the classes `(molecules, classes)`.
        without: Probabilities of the training molecules, of models fitted
            without them.
        labels: Their classes `(training,)`.
        confidence: Share of sets that shall hold the truth.

    Returns:
        Whether each class is in the set `(molecules, classes)`; a class that
        has too few training molecules is in every set.

    Example:
    >>> own = np.tile([[0.9, 0.1], [0.2, 0.8]], (20, 1))
    >>> label_sets(np.array([[0.95, 0.05]]), own, np.arange(40) % 2, 0.9)
    array([[ True, False]])

    Reference: Vovk et al., Algorithmic Learning in a Random World, 2005
    (Mondrian conformal predictors).
    """
    sets = np.zeros(probabilities.shape, bool)
    for label in range(probabilities.shape[1]):
        scores = 1 - without[labels == label, label]
        limit = quantile(scores, confidence)
        sets[:, label] = 1 - probabilities[:, label] <= limit + 1e-12
    return sets


def covered(assessment: Assessment, targets: np.ndarray) -> np.ndarray:
    """Tells where the interval or the set holds the truth.

    Args:
        assessment: Predictions with intervals or sets.
        targets: The true values, labels 0 and 1, or classes `(rows,)` or
            `(rows, columns)`; NaN where the truth is not known.

    Returns:
        1 where it is held, 0 where it is missed, NaN where it is not known,
        `(rows, columns)`.

    Example:
    >>> ends = np.array([[0.0], [0.0]]), np.array([[1.0], [1.0]])
    >>> none = np.zeros(2, int)
    >>> found = Assessment(none, *ends, None, [], none, none, none)
    >>> covered(found, np.array([0.5, 2.0])).tolist()
    [[1.0], [0.0]]
    """
    truth = np.asarray(targets, float)
    truth = truth[:, None] if truth.ndim == 1 else truth
    label = np.nan_to_num(truth).astype(int)
    if assessment.sets is None:
        held = (assessment.lower <= truth) & (truth <= assessment.upper)
    elif assessment.sets.ndim == 2:
        held = np.take_along_axis(assessment.sets, label, axis=1)
    else:
        held = np.take_along_axis(assessment.sets, label[..., None], axis=2)
        held = held[..., 0]
    return np.where(np.isfinite(truth), held, np.nan)
