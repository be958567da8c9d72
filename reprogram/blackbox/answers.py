"""Forms in which services answer, brought to one: scores of all classes.

Some services answer all probabilities, others the best few, rounded numbers
or a label alone. `RESTRICTIONS` makes an experiment's service as tight-lipped
as the real one.
"""

from collections.abc import Callable

import numpy as np

SMALLEST = 1e-6


def from_labels(labels: np.ndarray, classes: int) -> np.ndarray:
    """Turns labels `(rows,)` into probabilities `(rows, classes)`.

    Raises:
        ValueError: If a label is not one of `0 .. classes - 1`.

    Example:
    >>> from_labels(np.array([1]), 3).tolist()
    [[0.0, 1.0, 0.0]]
    """
    labels = np.asarray(labels)
    if ((labels < 0) | (labels >= classes)).any():
        raise ValueError(
            f"Expected labels 0 to {classes - 1}. Received: {labels.min()} to"
            f" {labels.max()}. Say how many `classes` the service knows."
        )
    return np.eye(classes, dtype="float32")[labels.astype("int64")]


def from_top(
    labels: np.ndarray, probabilities: np.ndarray, classes: int
) -> np.ndarray:
    """Turns the best few classes into probabilities of all.

    What the best leave is shared equally among the others.

    Args:
        labels: The best classes `(rows, k)`.
        probabilities: Theirs `(rows, k)`.
        classes: How many there are.

    Returns:
        Probabilities `(rows, classes)`.

    Example:
    >>> from_top(np.array([[2]]), np.array([[0.5]]), 3).tolist()
    [[0.25, 0.25, 0.5]]
    """
    labels = np.asarray(labels, "int64")
    rest = np.maximum(1.0 - probabilities.sum(axis=1, keepdims=True), SMALLEST)
    others = max(classes - labels.shape[1], 1)
    full = np.repeat(rest / others, classes, axis=1)
    np.put_along_axis(full, labels, probabilities, axis=1)
    return full.astype("float32")


def _top(answers: np.ndarray, count: int) -> np.ndarray:
    labels = np.argsort(-answers, axis=1, kind="stable")[:, :count]
    best = np.take_along_axis(answers, labels, axis=1)
    return from_top(labels, best, answers.shape[1])


def _round(answers: np.ndarray, decimals: int) -> np.ndarray:
    return np.round(answers, decimals)


def _label(answers: np.ndarray, _: int) -> np.ndarray:
    return from_labels(answers.argmax(axis=1), answers.shape[1])


RESTRICTIONS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "top_k": _top,
    "rounded": _round,
    "label": _label,
}


def restrict(service: Callable, kind: str, number: int = 0) -> Callable:
    """Lets a service say less than it knows.

    Args:
        service: Takes a batch, gives probabilities `(rows, classes)`.
        kind: `"top_k"`, `"rounded"` or `"label"`.
        number: The classes that are told, or the decimals.

    Returns:
        A service of the same kind.

    Raises:
        ValueError: If the kind is unknown.

    Example:
    >>> service = restrict(lambda x: np.array([[0.71, 0.29]]), "rounded", 1)
    >>> service(None).tolist()
    [[0.7, 0.3]]
    """
    if kind not in RESTRICTIONS:
        raise ValueError(
            f"`kind` must be one of {', '.join(RESTRICTIONS)}. Received:"
            f" {kind!r}."
        )
    return lambda x: RESTRICTIONS[kind](np.asarray(service(x)), number)
