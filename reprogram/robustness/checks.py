"""Checks of the inputs that all attacks share."""

from collections.abc import Callable
from typing import Any

import numpy as np

from reprogram.robustness.models import Facts
from reprogram.robustness.models import inspect
from reprogram.robustness.threats.tabular import Grouped


def checked(
    model: Callable, x: np.ndarray, y: np.ndarray, threat: Any
) -> tuple[np.ndarray, np.ndarray, Facts]:
    """Checks inputs, labels and threat, and inspects the model.

    Args:
        model: Function from inputs `(n, ...)` to scores `(n, classes)`.
        x: Inputs inside the threat's bounds, `(n, ...)`.
        y: Class ids, `(n,)`.
        threat: Threat model with the bounds of the inputs.

    Returns:
        The inputs as float32, the labels as int32, and the facts.

    Raises:
        ValueError: If values are NaN or outside the bounds, if labels do not
            fit, or if epsilon covers the whole range of values.
    """
    x = np.asarray(x)
    if x.ndim < 2 or not len(x) or x.dtype.kind not in "fiub":
        raise ValueError(
            "`x` holds numbers, (n, ...), one sample a row. Received shape"
            f" {x.shape} and type {x.dtype}."
        )
    x = x.astype("float32")
    check_values(x, threat.bounds)
    y = _checked_labels(y, x)
    _check_threat(threat, x)
    facts = inspect(model, x, threat.bounds)
    if y.max() >= facts.classes:
        raise ValueError(
            f"The model knows the classes 0 to {facts.classes - 1}. Received"
            f" the label {y.max()}."
        )
    return x, y, facts


def white_box(facts: Facts, name: str) -> None:
    """Refuses a model without gradients.

    Args:
        facts: Facts about the model, from `inspect`.
        name: Name of the attack that needs gradients.

    Raises:
        ValueError: If the model has no gradients.
    """
    if not facts.differentiable:
        raise ValueError(
            f"`{name}` needs gradients and this model has none: it is not made"
            " of tensors of this Keras backend. Use the black-box attack"
            " square."
        )


def check_values(x: np.ndarray, bounds: tuple) -> None:
    """Refuses values that are NaN or lie outside the bounds."""
    if np.isnan(x).any():
        raise ValueError(
            f"`x` holds NaN in {np.isnan(x).reshape(len(x), -1).any(1).sum()}"
            f" of {len(x)} samples. Fill or leave out missing values."
        )
    lowest, highest = bounds
    slack = 1e-5 * (np.max(highest) - np.min(lowest))
    if np.any(x < lowest - slack) or np.any(x > highest + slack):
        raise ValueError(
            f"`x` lies outside the bounds {bounds}: it goes from {x.min():g}"
            f" to {x.max():g}. Give the threat the bounds of the model's"
            " inputs, such as bounds=(0, 255), or scale `x`."
        )


def _checked_labels(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    y = np.asarray(y)
    if y.shape != (len(x),):
        hint = ""
        if y.ndim == 2 and len(y) == len(x):
            hint = " Of one-hot labels take the argmax."
        raise ValueError(
            f"`y` holds one class id a sample, ({len(x)},). Received shape"
            f" {y.shape}.{hint}"
        )
    if y.dtype.kind not in "iub" and not np.all(y == np.round(y)):
        raise ValueError(
            f"`y` holds class ids. Received the type {y.dtype} with broken"
            " values."
        )
    if y.min() < 0:
        raise ValueError(f"Class ids start at 0. Received {y.min()}.")
    return y.astype("int32")


def _check_threat(threat: Any, x: np.ndarray) -> None:
    kind = threat
    while hasattr(kind, "threat"):
        if isinstance(kind, Grouped) and x.ndim != 2:
            raise ValueError(
                "One-hot groups belong to tables, (n, features). Received"
                f" inputs of shape {x.shape}."
            )
        kind = kind.threat
    span = np.broadcast_to(
        np.subtract(threat.bounds[1], threat.bounds[0]), x.shape[1:]
    )
    largest = {
        "Linf": np.max(span),
        "L2": np.linalg.norm(span),
        "L1": np.sum(span),
        "L0": span.size + 1,
    }.get(kind.name, np.inf)
    if threat.epsilon >= largest:
        raise ValueError(
            f"Epsilon {threat.epsilon:g} in {kind.name} covers the whole range"
            f" of the inputs (bounds {threat.bounds}): any input becomes any"
            f" other, and nothing is robust. Take less than {largest:g}."
        )
