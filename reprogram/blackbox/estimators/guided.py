"""Steps where a surrogate expects them to pay."""

import dataclasses

import numpy as np

from reprogram.blackbox.estimators.estimator import pairs
from reprogram.blackbox.estimators.two_sided import TwoSided


@dataclasses.dataclass(frozen=True)
class Guided:
    """Draws more steps along directions that a surrogate proposes.

    Steps are Gaussian with the covariance `(1 - trust) / n I + trust / m U
    U'`, where the columns of `U` are the directions: the estimate points
    downhill, and is biased towards them on purpose.

    Args:
        pairs: Number of pairs of opposite points.
        radius: Expected length of a step.
        trust: Share of the variance in the surrogate's directions.
        directions: Orthonormal rows `(m, values)`, such as the normalized
            gradient of a local student; see `along`.

    Reference: Maheswaranathan et al., Guided evolutionary strategies, 2019.
    """

    pairs: int = 12
    radius: float = 0.05
    trust: float = 0.5
    directions: np.ndarray | None = None

    def along(self, gradients: np.ndarray) -> "Guided":
        """Returns the same estimator with directions `(m, values)`."""
        rows = np.atleast_2d(gradients)
        rows = rows[np.linalg.norm(rows, axis=1) > 0]
        basis = np.linalg.qr(rows.T)[0].T if len(rows) else None
        return dataclasses.replace(self, directions=basis)

    def points(
        self, center: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        size = len(center)
        steps = rng.normal(size=(self.pairs, size)) / np.sqrt(size)
        if self.directions is not None:
            count = len(self.directions)
            inner = rng.normal(size=(self.pairs, count)) / np.sqrt(count)
            steps *= np.sqrt(1 - self.trust)
            steps += np.sqrt(self.trust) * inner @ self.directions
        return pairs(center, self.radius * steps)

    gradient = TwoSided.gradient
