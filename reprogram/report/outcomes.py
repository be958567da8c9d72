"""The test rows of a record: arrays, errors, curves and counts."""

import dataclasses

import numpy as np
from sklearn import metrics

MOST_CURVES = 10
SLACK = 1e-3  # of probabilities in float16, rounded


@dataclasses.dataclass(frozen=True)
class Outcomes:
    """The targets and the predictions of the test rows.

    Args:
        problem: `"regression"`, `"classification"` or `"multilabel"`.
        names: Name of each column of `predictions`.
        targets: Targets `(rows, columns)`, for classification class ids `(rows,
            1)`; NaN where missing.
        predictions: Predictions `(rows, columns)`: values for regression,
            otherwise probabilities of the classes or labels; NaN where missing.
    """

    problem: str
    names: list[str]
    targets: np.ndarray
    predictions: np.ndarray


def read(record: dict) -> Outcomes:
    """Reads the test rows of a record.

    Raises:
        ValueError: If the shapes of targets and predictions do not fit, or
            what should be probabilities is none.

    Example:
    >>> task = {"problem": "regression", "target_names": ["y"]}
    >>> test = {"targets": [1, None], "predictions": [[2], [3]]}
    >>> read({"task": task, "test": test}).targets.tolist()
    [[1.0], [nan]]
    """
    problem = record["task"]["problem"]
    truth, guess = _matrix(record, "targets"), _matrix(record, "predictions")
    columns = guess.shape[1]
    if problem == "classification":
        if truth.shape[1] != 1 or not (np.nan_to_num(truth) < columns).all():
            raise ValueError(
                "`test.targets` of a classification must be one class number a"
                f" row below the {columns} columns of `test.predictions`."
                f" Received: shape {truth.shape}, largest"
                f" {np.nanmax(truth):g}."
            )
    elif guess.shape != truth.shape:
        raise ValueError(
            "`test.predictions` must have the shape of `test.targets`,"
            f" {truth.shape}. Received: {guess.shape}."
        )
    known = guess[np.isfinite(guess)]
    outside = (known < -SLACK) | (known > 1 + SLACK)
    if problem != "regression" and outside.any():
        raise ValueError(
            f"`test.predictions` of a {problem} must be probabilities."
            f" Received values from {known.min():g} to {known.max():g}."
        )
    given = list(record["task"].get("target_names") or [])
    names = given[:columns] + [str(i) for i in range(len(given), columns)]
    return Outcomes(problem, names, truth, guess)


def _matrix(record: dict, name: str) -> np.ndarray:
    try:
        values = np.array(record["test"][name], "float64")
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`test.{name}` must have one number, or equally many numbers, a"
            f" row ({error}). Correct the record."
        ) from error
    return values.reshape(len(values), -1 if values.size else 1)


def column_errors(outcomes: Outcomes) -> np.ndarray:
    """Measures how wrong each prediction is, comparable between columns.

    Args:
        outcomes: Test rows, as returned by `read`.

    Returns:
        A masked array: `(rows, columns)` absolute errors, for regression in
        standard deviations of the target; for classification `(rows, 1)`, one
        minus the probability of the true class. Masked where unknown.
    """
    truth, guess = outcomes.targets, outcomes.predictions
    if outcomes.problem == "classification":
        index = np.nan_to_num(truth).astype(int)
        wrong = 1 - np.take_along_axis(guess, index, axis=1)
        return np.ma.masked_invalid(np.where(np.isnan(truth), np.nan, wrong))
    wrong = np.ma.masked_invalid(np.abs(guess - truth))
    if outcomes.problem == "regression":
        spread = np.ma.masked_invalid(truth).std(axis=0).filled(0)
        wrong = wrong / np.where(spread > 0, spread, 1)
    return wrong


def errors(outcomes: Outcomes) -> np.ndarray:
    """Returns the mean of `column_errors` of each row, NaN if unknown."""
    return column_errors(outcomes).mean(axis=1).filled(np.nan)


def rmse(outcomes: Outcomes) -> np.ndarray:
    """Returns the root mean squared error of each column, NaN if unknown."""
    wrong = np.ma.masked_invalid(outcomes.predictions - outcomes.targets)
    return np.sqrt((wrong**2).mean(axis=0)).filled(np.nan)


def roc_curves(
    outcomes: Outcomes,
) -> list[tuple[str, np.ndarray, np.ndarray, float]]:
    """Computes ROC curves, each class or label against the rest.

    Args:
        outcomes: Test rows of a classification or multi-label task.

    Returns:
        Name, false positive rates, true positive rates and area of each curve:
        the second of two classes; of many classes those with the `MOST_CURVES`
        smallest areas.
    """
    truth, guess = outcomes.targets, outcomes.predictions
    classes = outcomes.problem == "classification"
    if classes:
        member = truth == np.arange(guess.shape[1])
        truth = np.where(np.isfinite(truth), member, np.nan)
    curves = []
    for i, name in enumerate(outcomes.names):
        kept = np.isfinite(truth[:, i]) & np.isfinite(guess[:, i])
        if len(set(truth[kept, i])) == 2:
            false, true, _ = metrics.roc_curve(truth[kept, i], guess[kept, i])
            area = float(metrics.auc(false, true))
            curves.append((name, false, true, area))
    if classes and len(outcomes.names) == 2:
        return curves[1:]
    return sorted(curves, key=lambda curve: curve[3])[:MOST_CURVES]


def confusion(outcomes: Outcomes) -> np.ndarray:
    """Counts the rows of a classification by `(true, predicted)` class."""
    truth, guess = outcomes.targets[:, 0], outcomes.predictions
    kept = np.isfinite(truth) & np.isfinite(guess).all(axis=1)
    return metrics.confusion_matrix(
        truth[kept].astype(int),
        guess[kept].argmax(axis=1),
        labels=np.arange(guess.shape[1]),
    )
