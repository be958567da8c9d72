"""The nearest point on a hyperplane inside the bounds, in each norm."""

from typing import Any

from keras import ops

from reprogram.robustness.threats.balls import flat
from reprogram.robustness.threats.balls import wide

_TINY = 1e-12
_FAR = 1e6


def reach(
    threat: Any, x: Any, slope: Any, rise: Any, bounded: bool = True
) -> Any:
    """Returns the smallest move that lets a linear function rise.

    Args:
        threat: `Linf`, `L2` or `L1`, also `Restricted`; its radius is ignored.
        x: Inputs inside the bounds, `(n, ...)`.
        slope: Gradients, `(n, ...)`.
        rise: Desired increase of the function, `(n,)`.
        bounded: Whether the move respects the bounds; in L1 it always does.

    Returns:
        The moves, `(n, ...)`; where the bounds are too narrow, to the corner
        that comes nearest.

    Raises:
        ValueError: If the threat has another norm.

    Example:
    >>> import numpy as np
    >>> from reprogram.robustness import Linf
    >>> x, slope = np.full((1, 2), 0.5), np.array([[1.0, 3.0]])
    >>> move = reach(Linf(1.0), x, slope, np.array([0.4]))
    >>> np.round(move, 3)
    array([[0.1, 0.1]], dtype=float32)

    Reference: Croce and Hein, Minimally Distorted Adversarial Examples with a
    Fast Adaptive Boundary Attack, 2020.
    """
    x, slope, rise = (
        ops.convert_to_tensor(v, "float32") for v in (x, slope, rise)
    )
    if hasattr(threat, "allowed"):
        slope = slope * threat.allowed(slope)
    while hasattr(threat, "threat"):
        threat = threat.threat
    upwards = slope * wide(ops.sign(rise), x)
    lowest, highest = (ops.cast(bound, "float32") for bound in threat.bounds)
    room = flat(ops.where(upwards > 0, highest - x, x - lowest))
    if not bounded and threat.name != "L1":
        room = ops.full_like(room, _FAR)
    steep, need = flat(ops.abs(slope)), ops.abs(rise)
    norms = {"Linf": _reach_linf, "L2": _reach_l2, "L1": _reach_l1}
    if threat.name not in norms:
        raise ValueError(
            f"Attacks that look for the nearest error know"
            f" {', '.join(norms)}. Received {threat.name}. Use pgd."
        )
    size = norms[threat.name](steep, room, need)
    return ops.reshape(size, ops.shape(x)) * ops.sign(upwards)


def _reach_linf(steep: Any, room: Any, need: Any) -> Any:
    return ops.minimum(room, _fill(steep, room, need))


def _reach_l2(steep: Any, room: Any, need: Any) -> Any:
    caps = room / ops.maximum(steep, _TINY)
    return ops.minimum(room, steep * _fill(ops.square(steep), caps, need))


def _reach_l1(steep: Any, room: Any, need: Any) -> Any:
    order = ops.argsort(-steep, axis=1)
    gains = ops.take_along_axis(steep * room, order, axis=1)
    before = ops.cumsum(gains, axis=1) - gains
    share = (need[:, None] - before) / ops.maximum(gains, _TINY)
    share = ops.clip(share, 0.0, 1.0)
    back = ops.argsort(order, axis=1)
    return room * ops.take_along_axis(share, back, axis=1)


def _fill(weights: Any, caps: Any, need: Any) -> Any:
    """Returns t, `(n, 1)`, for which sum weights * min(t, caps) is `need`."""
    order = ops.argsort(caps, axis=1)
    caps = ops.take_along_axis(caps, order, axis=1)
    weights = ops.take_along_axis(weights, order, axis=1)
    gained = ops.cumsum(weights * caps, axis=1)
    # Summed from the end: a difference of sums would be off by its rounding,
    # times caps that are huge where slopes are tiny.
    rate = ops.flip(ops.cumsum(ops.flip(weights, axis=1), axis=1), axis=1)
    after = ops.pad(rate[:, 1:], ((0, 0), (0, 1)))
    full = gained + caps * after
    need = need[:, None]
    first = ops.sum(ops.cast(full < need, "int32"), axis=1, keepdims=True)
    last = caps.shape[1] - 1
    index = ops.minimum(first, last)
    spent = ops.take_along_axis(gained - weights * caps, index, axis=1)
    rate = ops.take_along_axis(rate, index, axis=1)
    level = ops.maximum(need - spent, 0.0) / ops.maximum(rate, _TINY)
    return ops.where(first > last, caps[:, -1:], level)
