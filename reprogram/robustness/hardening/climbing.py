"""How adversarial training moves a batch, inside its compiled step."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.gradients import value_and_grad
from reprogram.robustness.checks import check_values


def climb(
    threat: Any,
    loss: Callable[[Any], Any],
    x: Any,
    start: Any,
    size: float,
    steps: int,
) -> Any:
    """Climbs a loss inside the ball around inputs.

    Args:
        threat: Threat model with `project` and `step`.
        loss: Function from inputs to a scalar.
        x: Inputs, `(n, ...)`.
        start: Inputs at which the climb begins, `(n, ...)`.
        size: Length of a step in the threat's norm.
        steps: Number of steps.

    Returns:
        The moved inputs, without a gradient.

    Example:
    >>> from reprogram.robustness.threats import Linf
    >>> x = ops.convert_to_tensor([[0.5, 0.5]])
    >>> moved = climb(Linf(0.1), lambda v: ops.sum(v), x, x, 0.05, 3)
    >>> np.round(ops.convert_to_numpy(moved), 2).tolist()
    [[0.6000000238418579, 0.6000000238418579]]
    """
    slope = value_and_grad(loss)

    def step(_: Any, moved: Any) -> Any:
        up = threat.step(moved, slope(moved)[1], size)
        return ops.cast(threat.project(up, x), "float32")

    start = ops.cast(threat.project(start, x), "float32")
    return ops.stop_gradient(ops.fori_loop(0, steps, step, start))


def pace(threat: Any, steps: int) -> float:
    """Returns the usual length of a step: 2.5 radius / steps."""
    return 2.5 * float(threat.epsilon) / steps


def divergence(clean: Any, moved: Any, logits: bool = True) -> Any:
    """Returns the KL divergence of scores of moved inputs, `(n,)`.

    Args:
        clean: Scores of the inputs as they are, `(n, classes)`.
        moved: Scores of the moved inputs, `(n, classes)`.
        logits: Whether scores are logits instead of probabilities.

    Example:
    >>> half = np.array([[0.5, 0.5]])
    >>> round(float(divergence(half, np.array([[0.25, 0.75]]), False)[0]), 4)
    0.1438
    """
    first, second = (_log_probability(z, logits) for z in (clean, moved))
    return ops.sum(ops.exp(first) * (first - second), axis=-1)


def first_half(value: Any) -> Any:
    """Returns the first half of the rows; `None` for `None`."""
    return None if value is None else ops.split(value, 2)[0]


def joined(first: Any, second: Any) -> Any:
    """Returns the rows of both; `None` for `None`."""
    return None if first is None else ops.concatenate([first, second])


def check_inputs(x: Any, threat: Any) -> None:
    """Raises an error for non-numeric arrays and values outside the bounds.

    Raises:
        ValueError: If it is one.
    """
    if not isinstance(x, np.ndarray):
        return
    if x.dtype.kind not in "fiub":
        raise ValueError(
            "Adversarial training moves numbers a little. Received inputs of"
            f" the type {x.dtype}."
        )
    check_values(x, threat.bounds)


def _log_probability(scores: Any, logits: bool) -> Any:
    scores = ops.cast(scores, "float32")
    if logits:
        return ops.log_softmax(scores, axis=-1)
    return ops.log(ops.maximum(scores, 1e-30))
