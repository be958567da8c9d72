"""Differences between opposite points."""

import dataclasses

import numpy as np

from reprogram.blackbox.estimators.estimator import pairs
from reprogram.blackbox.estimators.estimator import slopes
from reprogram.blackbox.estimators.estimator import sphere


@dataclasses.dataclass(frozen=True)
class TwoSided:
    """Averages differences between opposite points on the sphere.

    Asks for `2 * directions` points; its bias is of second order in the
    radius.

    Args:
        directions: Number of directions.
        radius: Length of a step.

    Reference: Nesterov and Spokoiny, Random gradient-free minimization of
    convex functions, 2017.
    """

    directions: int = 12
    radius: float = 0.01

    def points(
        self, center: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        steps = sphere(rng, self.directions, len(center))
        return pairs(center, self.radius * steps)

    def gradient(
        self, center: np.ndarray, points: np.ndarray, losses: np.ndarray
    ) -> np.ndarray:
        steps, rises = slopes(center, points, losses)
        return len(center) * rises @ steps / self.radius**2 / len(steps)
