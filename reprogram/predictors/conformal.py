"""Intervals and sets of labels that hold the truth as often as promised.

The promise holds for rows drawn like the training rows; it is made from
predictions of rows that were left out of the fit.
"""

import numpy as np

from reprogram.predictors.assessment import Assessment


def quantile(scores: np.ndarray, confidence: float) -> float:
    """Finds the score that a new one exceeds with the given risk at most.

    Args:
        scores: Scores of rows that were left out of a fit `(rows,)`.
        confidence: Share of new scores that should not exceed it, in (0, 1).

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
        center: Predictions `(rows,)`.
        deviation: Uncertainty of each, in units of the target `(rows,)`.
        scores: Absolute residuals of training rows, of predictions without
            them, each over its deviation `(training,)`.
        confidence: Share of intervals that should hold the truth, in (0, 1).

    Returns:
        Lower and upper ends `(rows,)`, infinite where there are too few
        training rows to promise that.

    Example:
    >>> low, high = interval(np.zeros(1), np.ones(1), np.arange(9.0), 0.8)
    >>> low.tolist(), high.tolist()
    ([-7.0], [7.0])

    Reference: Barber et al., Predictive inference with the jackknife+, 2021;
    Papadopoulos et al., Normalized nonconformity measures for regression
    conformal prediction, 2008.
    """
    width = quantile(scores, confidence)
    half = np.full(len(center), np.inf)
    if np.isfinite(width):
        half = width * deviation
    return center - half, center + half


def label_sets(
    probabilities: np.ndarray,
    without: np.ndarray,
    labels: np.ndarray,
    confidence: float,
) -> np.ndarray:
    """Makes the set of classes that each row may belong to.

    Each class keeps the promise by itself, so that a rare class is not given
    up for the sake of a frequent one.

    Args:
        probabilities: Probabilities of the classes `(rows, classes)`.
        without: Probabilities of the training rows, predicted without them,
            `(training, classes)`.
        labels: Classes of the training rows, from 0 `(training,)`.
        confidence: Share of sets that should hold the truth, in (0, 1).

    Returns:
        Whether each class is in the set `(rows, classes)`; a class that has
        too few training rows is in every set.

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
    truth = np.asarray(targets, float).reshape(len(targets), -1)
    label = np.nan_to_num(truth).astype(int)
    lower, upper, sets = assessment.lower, assessment.upper, assessment.sets
    if lower is not None and upper is not None:
        held = (lower <= truth) & (truth <= upper)
    elif sets is not None and sets.ndim == 2:
        held = np.take_along_axis(sets, label, axis=1)
    elif sets is not None:
        held = np.take_along_axis(sets, label[..., None], axis=2)[..., 0]
    else:
        raise ValueError(
            "The assessment has neither intervals nor sets. Assess with a"
            " predictor that gives one of them."
        )
    return np.where(np.isfinite(truth), held, np.nan)
