"""What an attack returns."""

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class AttackResult:
    """Adversarial inputs and what they took.

    A sample that the model gets wrong before the attack counts as a success
    at distance 0 and is not attacked.

    Args:
        adversarial: The inputs after the attack, `(n, ...)`.
        success: Whether the model errs on each of them, `(n,)`.
        distance: How far each was moved, in the threat's norm, `(n,)`.
        queries: Forward passes spent on each, `(n,)`.
        flags: Warnings, such as zero gradients.
        stages: Of an ensemble, pairs of attack and robust accuracy after it.

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

    def merge(self, other: "AttackResult") -> "AttackResult":
        """Keeps the better of two attacks on the same samples.

        Args:
            other: Another attack's result on the same samples.

        Returns:
            For each sample the success, or the nearer of two; queries add up.

        Raises:
            ValueError: If the results differ in shape.
        """
        if self.adversarial.shape != other.adversarial.shape:
            raise ValueError(
                "Only results on the same samples merge. Received shapes:"
                f" {self.adversarial.shape} and {other.adversarial.shape}."
            )
        better = other.success & (
            ~self.success | (other.distance < self.distance)
        )
        spread = better.reshape((-1, *[1] * (self.adversarial.ndim - 1)))
        return AttackResult(
            np.where(spread, other.adversarial, self.adversarial),
            self.success | other.success,
            np.where(better, other.distance, self.distance),
            self.queries + other.queries,
            tuple(dict.fromkeys(self.flags + other.flags)),
        )


def concatenate(results: Sequence[AttackResult]) -> AttackResult:
    """Joins the results of batches one after the other.

    Args:
        results: Results on different samples, in their order.

    Returns:
        One result on all of them.

    Example:
    >>> x = np.zeros((2, 3), "float32")
    >>> part = AttackResult(x, np.ones(2, bool), np.zeros(2), np.ones(2, int))
    >>> concatenate([part, part]).success.size
    4
    """
    names = ("adversarial", "success", "distance", "queries")
    arrays = [
        np.concatenate([getattr(result, name) for result in results])
        for name in names
    ]
    flags = dict.fromkeys(flag for result in results for flag in result.flags)
    return AttackResult(*arrays, tuple(flags))
