"""Differences along orthogonal directions."""

import dataclasses

import numpy as np

from reprogram.blackbox.estimators.estimator import pairs
from reprogram.blackbox.estimators.two_sided import TwoSided


@dataclasses.dataclass(frozen=True)
class Orthogonal:
    """Like `TwoSided`, with directions orthogonal to each other.

    Lower variance with the same queries. More directions than values start a
    new block.

    Args:
        directions: Number of directions.
        radius: Length of a step.

    Reference: Kozak et al., A stochastic subspace approach to gradient-free
    optimization in high dimensions, 2021.
    """

    directions: int = 12
    radius: float = 0.01

    def points(
        self, center: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        size, blocks, left = len(center), [], self.directions
        while left:
            count = min(left, size)
            matrix, upper = np.linalg.qr(rng.normal(size=(size, count)))
            # With these signs the directions are uniform.
            blocks.append((matrix * np.sign(np.diag(upper))).T)
            left -= count
        return pairs(center, self.radius * np.concatenate(blocks))

    gradient = TwoSided.gradient
