"""All values up and down at once."""

import dataclasses

import numpy as np

from reprogram.blackbox.estimators.estimator import pairs
from reprogram.blackbox.estimators.estimator import slopes


@dataclasses.dataclass(frozen=True)
class SPSA:
    """Simultaneous perturbation of all values, up and down.

    Steps are drawn from +-[0.5, 1] times the radius; asks for `2 * repeats`
    points. With `keras.optimizers.SGD(momentum=0.9, nesterov=True)` this is
    the gradient correction of BlackVIP (SPSA-GC).

    Args:
        repeats: Estimates that are averaged.
        radius: Scale of a step in each value.

    Reference: Spall, Multivariate stochastic approximation using a
    simultaneous perturbation gradient approximation, 1992; Oh et al.,
    BlackVIP, 2023.
    """

    repeats: int = 5
    radius: float = 0.01

    def points(
        self, center: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        shape = (self.repeats, len(center))
        steps = rng.uniform(0.5, 1.0, shape) * rng.choice([-1.0, 1.0], shape)
        return pairs(center, self.radius * steps)

    def gradient(
        self, center: np.ndarray, points: np.ndarray, losses: np.ndarray
    ) -> np.ndarray:
        steps, rises = slopes(center, points, losses)
        return (rises[:, None] / steps).mean(axis=0)
