"""Labels of molecules as columns of numbers, and calibrated probabilities."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import optimize

PROBLEMS = ("regression", "classification", "multilabel")


@dataclasses.dataclass(frozen=True)
class Labels:
    """Labels as columns of numbers.

    Args:
        problem: One of `PROBLEMS`.
        values: `(molecules, columns)`, NaN where missing; 0 and 1 unless it
            is a regression. More than two classes have a column each.
        classes: Names of the classes of a classification.
        flat: Whether they were given as one column.
    """

    problem: str
    values: np.ndarray
    classes: tuple
    flat: bool


def read(smiles: Sequence[str], labels: Sequence, problem: str = "") -> Labels:
    """Reads labels as they are given to `MoleculePredictor.fit`.

    Args:
        smiles: The molecules.
        labels: Their labels.
        problem: One of `PROBLEMS`; empty to see it from the labels.

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
    missing = np.array([_missing(cell) for cell in array.ravel()])
    missing = missing.reshape(array.shape)
    problem = problem or _guess(array[~missing], flat)
    if problem == "classification":
        return _classes(array, missing)
    values = np.full(array.shape, np.nan)
    try:
        values[~missing] = array[~missing].astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The labels of a {problem} are numbers. Received something that"
            f" is none: {error}"
        ) from error
    values = values[:, None] if flat else values
    _check(values, problem)
    return Labels(problem, values, (), flat)


def _missing(cell: object) -> bool:
    return (
        cell is None
        or (isinstance(cell, float) and np.isnan(cell))
        or (isinstance(cell, np.floating) and bool(np.isnan(cell)))
    )


def _guess(known: np.ndarray, flat: bool) -> str:
    found = set(known.tolist())
    if any(isinstance(value, str) for value in found):
        return "classification"
    if len(found) == 2 and found <= {0, 1}:
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
    values = np.stack(
        [np.array([cell == c for cell in flat], float) for c in columns], axis=1
    )
    values[missing] = np.nan
    return Labels("classification", values, classes, True)


def _check(values: np.ndarray, problem: str) -> None:
    if problem == "multilabel" and np.isin(values, (0, 1)).sum() < np.sum(
        np.isfinite(values)
    ):
        raise ValueError(
            "The labels of a multilabel problem are 0, 1 or missing."
            f" Received: {np.unique(values[np.isfinite(values)])[:5]}."
        )
    for k, column in enumerate(values.T):
        found = np.unique(column[np.isfinite(column)])
        if len(found) < 2:
            raise ValueError(
                f"Column {k + 1} of the labels has fewer than two different"
                f" values: {found}. Leave it out, or add labels."
            )


def spans_decades(values: np.ndarray) -> bool:
    """Says whether numbers are better learned as logarithms.

    Args:
        values: Targets of a regression `(molecules,)`.

    Returns:
        True where all are positive, the largest is more than 20 times the
        smallest, and a long tail above is gone in the logarithms.

    Example:
    >>> spans_decades(np.logspace(-1, 3, 20)), spans_decades(np.arange(1.0, 9))
    (True, False)
    """
    from scipy import stats

    if values.min() <= 0 or values.max() <= 20 * values.min():
        return False
    plain, log = stats.skew(values), stats.skew(np.log(values))
    return bool(plain > 1.5 and abs(log) < plain / 2)


def calibrate(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Fits the curve from scores to probabilities, which never falls.

    Args:
        scores: Of molecules without their labels `(molecules,)`.
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
    ones, count = positive.sum(), len(labels)
    target = np.where(positive, (ones + 1) / (ones + 2), 1 / (count - ones + 2))

    def loss(curve: np.ndarray) -> tuple[float, np.ndarray]:
        logit = curve[0] * scores + curve[1]
        value = np.logaddexp(0, logit).sum() - target @ logit
        error = 1 / (1 + np.exp(-logit)) - target
        return value, np.array([error @ scores, error.sum()])

    found = optimize.minimize(
        loss, [4.0, -2.0], jac=True, bounds=[(0.5, 50), (-50, 50)]
    )
    return float(found.x[0]), float(found.x[1])


def probability(scores: np.ndarray, curve: tuple[float, float]) -> np.ndarray:
    """Turns scores into probabilities, see `calibrate`."""
    return 1 / (1 + np.exp(-(curve[0] * scores + curve[1])))
