"""Labels of molecules as columns of numbers, and calibrated probabilities."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special
from scipy import stats
from sklearn.linear_model import LogisticRegression

PROBLEMS = ("regression", "classification", "multilabel")
SLOPES = (0.5, 50.0)  # of the curve from scores to probabilities


@dataclasses.dataclass(frozen=True)
class Labels:
    """Labels as columns of numbers.

    Args:
        problem: One of `PROBLEMS`.
        values: Numbers `(molecules, columns)`, NaN where missing; 0 and 1
            unless it is a regression. More than two classes have a column
            each.
        classes: Names of the classes of a classification.
        flat: Whether the labels were given as one column.
    """

    problem: str
    values: np.ndarray
    classes: tuple[Any, ...]
    flat: bool


def read(smiles: Sequence[str], labels: Sequence, problem: str = "") -> Labels:
    """Reads labels as they are given to `MoleculePredictor.fit`.

    Args:
        smiles: SMILES strings, of which only the number matters.
        labels: A label for each molecule, or a row of labels.
        problem: One of `PROBLEMS`; empty to tell it from the labels.

    Returns:
        The labels.

    Raises:
        ValueError: If they do not fit the molecules or the problem.

    Example:
    >>> read(["C", "CC", "CCC"], ["no", "yes", None]).values.tolist()
    [[0.0], [1.0], [nan]]
    """
    array = np.asarray(labels, object)
    if len(array) != len(smiles) or array.ndim not in (1, 2) or not len(array):
        raise ValueError(
            f"{len(smiles)} molecules need labels of shape (molecules,) or"
            f" (molecules, columns). Received: {array.shape}."
        )
    flat = array.ndim == 1
    missing = np.vectorize(_is_missing, otypes=[bool])(array)
    problem = problem or _guess(array[~missing], flat)
    if problem == "classification":
        return _classes(array, missing)
    values = np.full(array.shape, np.nan)
    try:
        values[~missing] = array[~missing].astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The labels of a {problem} are numbers. Received something that"
            f" is not a number: {error}. Correct the label, or leave it empty."
        ) from error
    values = values[:, None] if flat else values
    _check(values, problem)
    return Labels(problem, values, (), flat)


def _is_missing(cell: object) -> bool:
    return cell is None or cell != cell  # NaN does not equal itself


def _guess(known: np.ndarray, flat: bool) -> str:
    values = set(known.tolist())
    if any(isinstance(value, str) for value in values):
        return "classification"
    if values == {0, 1}:
        return "classification" if flat else "multilabel"
    return "regression"


def _classes(array: np.ndarray, missing: np.ndarray) -> Labels:
    if array.ndim == 2 and array.shape[1] > 1:
        raise ValueError(
            "A classification has one class a molecule. Received labels of"
            f" shape {array.shape}; several columns of 0 and 1 are a"
            " multilabel problem."
        )
    flat, missing = array.ravel(), missing.ravel()
    classes = tuple(sorted(set(flat[~missing].tolist())))
    if len(classes) < 2:
        raise ValueError(
            "A classification needs molecules of at least two classes."
            f" Received: {', '.join(map(str, classes)) or 'no label'}."
        )
    columns = classes[1:] if len(classes) == 2 else classes
    values = np.stack([flat == c for c in columns], axis=1).astype(float)
    values[missing] = np.nan
    return Labels("classification", values, classes, True)


def _check(values: np.ndarray, problem: str) -> None:
    known = np.unique(values[np.isfinite(values)])
    if problem == "multilabel" and not np.isin(known, (0, 1)).all():
        raise ValueError(
            "The labels of a multilabel problem are 0, 1 or missing."
            f" Received: {known[:5]}."
        )
    for k, column in enumerate(values.T):
        different = np.unique(column[np.isfinite(column)])
        if len(different) < 2:
            raise ValueError(
                f"Column {k + 1} of the labels has fewer than two different"
                f" values: {different}. Leave it out, or add labels."
            )


def spans_decades(values: np.ndarray) -> bool:
    """Tells whether numbers `(molecules,)` are better learned as logarithms.

    They are if all are positive, the largest is more than 20 times the
    smallest, and a long tail above is gone in the logarithms.

    Example:
    >>> spans_decades(np.logspace(-1, 3, 20)), spans_decades(np.arange(1.0, 9))
    (True, False)
    """
    if values.min() <= 0 or values.max() <= 20 * values.min():
        return False
    plain, log = stats.skew(values), stats.skew(np.log(values))
    return bool(plain > 1.5 and abs(log) < plain / 2)


def calibrate(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Fits the curve from scores to probabilities, which never falls.

    Args:
        scores: Scores of molecules whose labels were not learned from
            `(molecules,)`.
        labels: Their labels, 0 or 1.

    Returns:
        Slope and offset of the logit.

    Example:
    >>> slope, _ = calibrate(np.linspace(0, 1, 50), np.arange(50) > 24)
    >>> slope > 5
    True

    Reference: Platt, Probabilistic outputs for support vector machines, 1999.
    """
    positive = labels > 0.5
    ones, zeros = positive.sum(), (~positive).sum()
    target = np.where(positive, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    # Each molecule counts as a 1 by its target, and as a 0 by the rest.
    model = LogisticRegression(C=1e9, tol=1e-7, max_iter=1000).fit(
        np.tile(scores, 2)[:, None],
        np.repeat([1, 0], len(scores)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    slope, offset = model.coef_[0, 0], model.intercept_[0]
    if not SLOPES[0] <= slope <= SLOPES[1]:
        slope = np.clip(slope, *SLOPES)
        offset = special.logit(target.mean()) - slope * scores.mean()
    return float(slope), float(offset)


def probability(scores: np.ndarray, curve: tuple[float, float]) -> np.ndarray:
    """Turns scores into probabilities, see `calibrate`."""
    return special.expit(curve[0] * scores + curve[1])
