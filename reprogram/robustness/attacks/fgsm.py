"""The fast gradient sign method."""

from collections.abc import Callable
from typing import Any

import numpy as np

from reprogram.robustness.attacks.pgd import pgd
from reprogram.robustness.attacks.result import AttackResult


def fgsm(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    target: np.ndarray | None = None,
    samples: int = 1,
    batch_size: int = 256,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Takes one step to the edge of the ball.

    It is weak: a model that only withstands this attack is not robust.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        target: Target class ids, `(n,)`.

    Example:
    >>> from reprogram.robustness import Linf
    >>> x = np.array([[0.5, 0.3]], "float32")
    >>> result = fgsm(lambda x: x * 1.0, x, np.array([0]), Linf(0.15))
    >>> np.round(result.adversarial, 2).tolist(), result.success.tolist()
    ([[0.3499999940395355, 0.44999998807907104]], [True])

    Reference: Goodfellow et al., Explaining and Harnessing Adversarial
    Examples, 2015.
    """
    return pgd(
        model,
        x,
        y,
        threat,
        steps=1,
        size=threat.epsilon,
        restarts=0,
        target=target,
        samples=samples,
        batch_size=batch_size,
        tell=tell,
    )
