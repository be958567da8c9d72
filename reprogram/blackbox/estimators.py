"""Gradients from losses alone: where to ask, and what the losses say.

An estimator names the points at which the loss is asked for, all in one
batch, and turns the losses there into an estimate of the gradient. A new one
is such a class and a row in `ESTIMATORS`.
"""

import dataclasses
from collections.abc import Callable
from typing import Any
from typing import Protocol

import numpy as np
from scipy import stats

Array = np.ndarray
Rng = np.random.Generator


class Estimator(Protocol):
    """The interface of an estimator."""

    def points(self, center: Array, rng: Rng) -> Array:
        """Returns programs to ask about `(points, values)`."""

    def gradient(self, center: Array, points: Array, losses: Array) -> Array:
        """Returns the gradient `(values,)` from a loss for each point."""


def sphere(rng: Rng, count: int, size: int) -> Array:
    """Draws directions `(count, size)`, uniform on the unit sphere."""
    draws = rng.normal(size=(count, size))
    return draws / np.linalg.norm(draws, axis=1, keepdims=True)


def pairs(center: Array, steps: Array) -> Array:
    """Returns the points after steps `(q, values)`, then their opposites."""
    return np.concatenate([center + steps, center - steps])


def slopes(center: Array, points: Array, losses: Array) -> tuple[Array, Array]:
    """Returns steps `(q, values)` and half the rises `(q,)` along them."""
    half = len(points) // 2
    return points[:half] - center, (losses[:half] - losses[half:]) / 2


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

    def points(self, center: Array, rng: Rng) -> Array:
        steps = self.radius * sphere(rng, self.directions, len(center))
        return np.concatenate([center[None], center + steps])

    def gradient(self, center: Array, points: Array, losses: Array) -> Array:
        rises = (losses[1:] - losses[0]) / self.radius**2
        return len(center) * rises @ (points[1:] - center) / self.directions


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

    def points(self, center: Array, rng: Rng) -> Array:
        steps = sphere(rng, self.directions, len(center))
        return pairs(center, self.radius * steps)

    def gradient(self, center: Array, points: Array, losses: Array) -> Array:
        steps, rises = slopes(center, points, losses)
        return len(center) * rises @ steps / self.radius**2 / len(steps)


class Orthogonal(TwoSided):
    """Like `TwoSided`, with directions orthogonal to each other.

    Lower variance with the same queries. More directions than values start a
    new block.

    Reference: Kozak et al., A stochastic subspace approach to gradient-free
    optimization in high dimensions, 2021.
    """

    def points(self, center: Array, rng: Rng) -> Array:
        size, blocks, left = len(center), [], self.directions
        while left:
            count = min(left, size)
            matrix, upper = np.linalg.qr(rng.normal(size=(size, count)))
            # With these signs the directions are uniform.
            blocks.append((matrix * np.sign(np.diag(upper))).T)
            left -= count
        return pairs(center, self.radius * np.concatenate(blocks))


@dataclasses.dataclass(frozen=True)
class SPSA:
    """Simultaneous perturbation of all values, up and down.

    Steps are drawn from +-[0.5, 1] times the radius; asks for `2 * repeats`
    points. With `keras.optimizers.SGD(momentum=0.9, nesterov=True)` this is
    the gradient correction of BlackVIP (SPSA-GC).

    Args:
        repeats: Number of estimates that are averaged.
        radius: Scale of a step in each value.

    Reference: Spall, Multivariate stochastic approximation using a
    simultaneous perturbation gradient approximation, 1992; Oh et al.,
    BlackVIP, 2023.
    """

    repeats: int = 5
    radius: float = 0.01

    def points(self, center: Array, rng: Rng) -> Array:
        shape = (self.repeats, len(center))
        steps = rng.uniform(0.5, 1.0, shape) * rng.choice([-1.0, 1.0], shape)
        return pairs(center, self.radius * steps)

    def gradient(self, center: Array, points: Array, losses: Array) -> Array:
        steps, rises = slopes(center, points, losses)
        return (rises[:, None] / steps).mean(axis=0)


@dataclasses.dataclass(frozen=True)
class NaturalEvolution:
    """Natural evolution strategies with antithetic pairs.

    Estimates the gradient of the loss smoothed by a Gaussian, which exists
    even where a service gives labels only. Asks for `2 * pairs` points.

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

    def points(self, center: Array, rng: Rng) -> Array:
        steps = rng.normal(size=(self.pairs, len(center)))
        return pairs(center, self.deviation * steps)

    def gradient(self, center: Array, points: Array, losses: Array) -> Array:
        if self.ranks:
            places = stats.rankdata(losses) - 1
            losses = places / (len(losses) - 1) - 0.5
        steps, rises = slopes(center, points, losses)
        return rises @ steps / self.deviation**2 / len(steps)


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
    directions: Array | None = None

    def along(self, gradients: Array) -> "Guided":
        """Returns the same estimator with directions `(m, values)`."""
        rows = np.atleast_2d(gradients)
        rows = rows[np.linalg.norm(rows, axis=1) > 0]
        basis = np.linalg.qr(rows.T)[0].T if len(rows) else None
        return dataclasses.replace(self, directions=basis)

    def points(self, center: Array, rng: Rng) -> Array:
        size = len(center)
        steps = rng.normal(size=(self.pairs, size)) / np.sqrt(size)
        if self.directions is not None:
            count = len(self.directions)
            inner = rng.normal(size=(self.pairs, count)) / np.sqrt(count)
            steps *= np.sqrt(1 - self.trust)
            steps += np.sqrt(self.trust) * inner @ self.directions
        return pairs(center, self.radius * steps)

    gradient = TwoSided.gradient


@dataclasses.dataclass(frozen=True)
class Clipped:
    """Limits the length of an estimate to the root of its dimension.

    Args:
        estimator: Estimator whose estimates are limited.

    Reference: Park et al., ZIP: an efficient zeroth-order prompt tuning for
    black-box vision-language models, 2025.
    """

    estimator: Estimator

    def points(self, center: Array, rng: Rng) -> Array:
        return self.estimator.points(center, rng)

    def gradient(self, center: Array, points: Array, losses: Array) -> Array:
        estimate = self.estimator.gradient(center, points, losses)
        length = max(np.linalg.norm(estimate), 1e-12)
        return estimate * min(1.0, np.sqrt(len(center)) / length)


ESTIMATORS: dict[str, Callable[..., Estimator]] = {
    "one_sided": OneSided,
    "two_sided": TwoSided,
    "orthogonal": Orthogonal,
    "spsa": SPSA,
    "natural_evolution": NaturalEvolution,
    "guided": Guided,
    "clipped": lambda **options: Clipped(Orthogonal(**options)),
}


def get(identifier: str | Estimator, **options: Any) -> Estimator:
    """Returns an estimator.

    Args:
        identifier: Key of `ESTIMATORS`, or an estimator.
        **options: Arguments of the estimator, if given by name.

    Returns:
        The estimator.

    Raises:
        ValueError: If the name is not known.

    Example:
    >>> get("spsa", repeats=3).repeats
    3
    """
    if not isinstance(identifier, str):
        return identifier
    if identifier not in ESTIMATORS:
        raise ValueError(
            f"Unknown estimator. Received: {identifier!r}. Expected one of"
            f" {', '.join(ESTIMATORS)}."
        )
    return ESTIMATORS[identifier](**options)
