"""What estimators are, and what they share."""

from typing import Protocol

import numpy as np


class Estimator(Protocol):
    """What training asks of an estimator."""

    def points(
        self, center: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Returns programs to ask about `(points, values)`."""

    def gradient(
        self, center: np.ndarray, points: np.ndarray, losses: np.ndarray
    ) -> np.ndarray:
        """Returns the gradient `(values,)` from a loss for each point."""


def sphere(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Draws directions `(count, size)`, uniform on the unit sphere."""
    draws = rng.normal(size=(count, size))
    return draws / np.linalg.norm(draws, axis=1, keepdims=True)


def pairs(center: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Returns the points after steps `(q, values)`, then their opposites."""
    return np.concatenate([center + steps, center - steps])


def slopes(
    center: np.ndarray, points: np.ndarray, losses: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns steps `(q, values)` and half the rises `(q,)` along them."""
    half = len(points) // 2
    return points[:half] - center, (losses[:half] - losses[half:]) / 2
