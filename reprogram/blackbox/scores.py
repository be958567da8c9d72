"""Services in one shape: from a batch to the scores of all classes.

Some services give all probabilities, others the best few, rounded numbers or
a label alone. `RESTRICTIONS` makes a local model as tight-lipped as the real
service.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram import gradients
from reprogram import sources

Ask = Callable[[np.ndarray], np.ndarray]
SMALLEST = 1e-6


@dataclasses.dataclass(frozen=True)
class Service:
    """A service with the format of its inputs.

    Args:
        ask: Function from a batch to scores, or an object with `send` such as
            `HttpService`; see `Meter`.
        shape: Shape of an input, without the batch axis.
        value_range: Lowest and highest value of an input.
        prepare: Function from raw inputs of a task to arrays in that range.
        name: Name of the service.
        model: Local Keras model of the service, if all its scores are returned.
    """

    ask: Any
    shape: tuple[int, ...]
    value_range: tuple[float, float]
    prepare: Callable[[np.ndarray], np.ndarray]
    name: str
    model: keras.Model | None = None


def local(model: keras.Model) -> Ask:
    """Turns a built Keras model into a service, to measure queries with.

    The service is a function from a batch to scores; it has no gradients.
    """
    scores = gradients.compiled(lambda inputs: model(inputs, training=False))
    return lambda inputs: ops.convert_to_numpy(scores(inputs))


def metered(name: str, kind: str = "", number: int = 0) -> Service:
    """Returns a source of this library as a service.

    Args:
        name: Name of the source, as for `sources.load`.
        kind: Restriction of its scores, as `restrict` takes it; empty for
            none.
        number: Number of classes that are returned, or of decimals.
    """
    source = sources.load(name)
    ask = local(source.model)
    return Service(
        restrict(ask, kind, number) if kind else ask,
        tuple(source.model.inputs[0].shape[1:]),
        source.input_range or (-1.0, 1.0),
        source.preprocess,
        f"{name} ({kind}{number or ''})" if kind else name,
        None if kind else source.model,
    )


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
    """Turns the best few classes `(rows, k)` into probabilities of all.

    What the best leave is shared equally among the others.

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


def _top(scores: np.ndarray, count: int) -> np.ndarray:
    labels = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    best = np.take_along_axis(scores, labels, axis=1)
    return from_top(labels, best, scores.shape[1])


RESTRICTIONS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "top_k": _top,
    "rounded": np.round,
    "label": lambda scores, _: from_labels(scores.argmax(1), scores.shape[1]),
}


def restrict(service: Ask, kind: str, number: int = 0) -> Ask:
    """Restricts the scores that a service returns.

    Args:
        service: Function from a batch to probabilities `(rows, classes)`.
        kind: `"top_k"`, `"rounded"` or `"label"`.
        number: Number of classes that are returned, or of decimals.

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
