"""An estimate of limited length."""

import dataclasses

import numpy as np

from reprogram.blackbox.estimators.estimator import Estimator


@dataclasses.dataclass(frozen=True)
class Clipped:
    """Limits the length of an estimate to the root of its dimension.

    Args:
        estimator: Another estimator.

    Reference: Park et al., ZIP: an efficient zeroth-order prompt tuning for
    black-box vision-language models, 2025.
    """

    estimator: Estimator

    def points(
        self, center: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        return self.estimator.points(center, rng)

    def gradient(
        self, center: np.ndarray, points: np.ndarray, losses: np.ndarray
    ) -> np.ndarray:
        estimate = self.estimator.gradient(center, points, losses)
        length = max(np.linalg.norm(estimate), 1e-12)
        return estimate * min(1.0, np.sqrt(len(center)) / length)
