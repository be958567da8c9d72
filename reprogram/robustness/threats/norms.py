"""Dual norms: how fast a linear score can grow inside a ball."""

from collections.abc import Callable
from typing import Any

from reprogram.robustness.threats.balls import L2
from reprogram.robustness.threats.balls import Linf
from reprogram.robustness.threats.sparse import L1
from reprogram.robustness.threats.tabular import Restricted


def dual(threat: Any) -> Callable[[Any], Any]:
    """Returns the dual norm: how fast a linear score grows with the radius.

    Args:
        threat: Threat model; for a restricted one the dual norm covers only the
            values that may change.

    Returns:
        A function from gradients `(n, ...)` to `(n,)`.

    Raises:
        ValueError: If the threat's norm has no dual norm.

    Example:
    >>> import numpy as np
    >>> float(dual(Linf(0.1))(np.array([[3.0, -4.0]]))[0])
    7.0
    """
    if isinstance(threat, Restricted):
        inner = dual(threat.threat)
        return lambda gradient: inner(gradient * threat.allowed(gradient))
    duals = {Linf: L1, L2: L2, L1: Linf}
    if type(threat) not in duals:
        raise ValueError(f"{threat.name} has no dual norm. Use Linf, L2 or L1.")
    ball: Any = duals[type(threat)](0.0)
    return ball.norm
