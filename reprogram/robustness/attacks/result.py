"""The result of an attack."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class AttackResult:
    """Adversarial inputs with their distances and queries.

    A sample that the model gets wrong before the attack counts as a success
    at distance 0 and is not attacked.

    Args:
        adversarial: The inputs after the attack, `(n, ...)`.
        success: Whether the model errs on each of them, `(n,)`.
        distance: Length of each move in the norm of the threat, `(n,)`.
        queries: Number of forward passes spent on each, `(n,)`.
        flags: Warnings, such as zero gradients.
        stages: Pairs of attack and robust accuracy after it, for an ensemble
            of attacks.

    Example:
    >>> x = np.zeros((2, 3), "float32")
    >>> result = AttackResult(x, np.array([True, False]), np.zeros(2),
    ...                       np.array([1, 5]))
    >>> result.robust_accuracy()
    0.5
    """

    adversarial: np.ndarray
    success: np.ndarray
    distance: np.ndarray
    queries: np.ndarray
    flags: tuple[str, ...] = ()
    stages: tuple[tuple[str, float], ...] = ()

    def robust_accuracy(self) -> float:
        """Returns the share of samples on which the attack failed."""
        return float(1.0 - np.mean(self.success))
