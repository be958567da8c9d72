"""The gradient of a smoothed loss."""

import dataclasses

import numpy as np

from reprogram.blackbox.estimators.estimator import pairs
from reprogram.blackbox.estimators.estimator import slopes


@dataclasses.dataclass(frozen=True)
class NaturalEvolution:
    """Natural evolution strategies with antithetic pairs.

    Estimates the gradient of the loss smoothed by a Gaussian, which exists
    even where a service answers labels only. Asks for `2 * pairs` points.

    Args:
        pairs: Number of pairs of opposite points.
        deviation: Standard deviation of the Gaussian.
        ranks: Whether losses are replaced by their ranks in [-0.5, 0.5], so
            that their scale does not matter.

    Reference: Wierstra et al., Natural evolution strategies, 2014; Salimans
    et al., Evolution strategies as a scalable alternative to reinforcement
    learning, 2017.
    """

    pairs: int = 12
    deviation: float = 0.05
    ranks: bool = False

    def points(
        self, center: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        steps = rng.normal(size=(self.pairs, len(center)))
        return pairs(center, self.deviation * steps)

    def gradient(
        self, center: np.ndarray, points: np.ndarray, losses: np.ndarray
    ) -> np.ndarray:
        if self.ranks:
            from scipy import stats

            places = stats.rankdata(losses) - 1
            losses = places / (len(losses) - 1) - 0.5
        steps, rises = slopes(center, points, losses)
        return rises @ steps / self.deviation**2 / len(steps)
