"""Differences to the center."""

import dataclasses

import numpy as np

from reprogram.blackbox.estimators.estimator import sphere


@dataclasses.dataclass(frozen=True)
class OneSided:
    """Averages differences to the center along directions on the sphere.

    Asks for `directions + 1` points.

    Args:
        directions: Number of directions.
        radius: Length of a step.

    Example:
    >>> rng = np.random.default_rng(0)
    >>> points = OneSided(3).points(np.zeros(5), rng)
    >>> points.shape
    (4, 5)

    Reference: Tsai, Chen and Ho, Transfer Learning without Knowing, 2020.
    """

    directions: int = 25
    radius: float = 0.01

    def points(
        self, center: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        steps = self.radius * sphere(rng, self.directions, len(center))
        return np.concatenate([center[None], center + steps])

    def gradient(
        self, center: np.ndarray, points: np.ndarray, losses: np.ndarray
    ) -> np.ndarray:
        slopes = (losses[1:] - losses[0]) / self.radius**2
        return len(center) * slopes @ (points[1:] - center) / self.directions
