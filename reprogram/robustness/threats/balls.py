"""Balls around inputs: of the largest move, and of the Euclidean length.

A threat has `project`, `step` and `sample`; attacks are written in terms of
these three, whatever the norm. All work inside compiled graphs.
"""

import dataclasses
import math
import numbers
from typing import Any

import keras
import numpy as np
from keras import ops

TINY = 1e-12


@dataclasses.dataclass(frozen=True)
class Ball:
    """A radius around inputs, and the bounds of their values."""

    epsilon: Any
    bounds: tuple = (0.0, 1.0)

    def __post_init__(self) -> None:
        epsilon = self.epsilon
        known = isinstance(epsilon, numbers.Real)
        if known and not 0 <= float(epsilon) < math.inf:
            raise ValueError(
                "`epsilon` is a finite radius of at least 0. Received:"
                f" {epsilon}."
            )
        if len(self.bounds) != 2 or not np.all(
            np.less(self.bounds[0], self.bounds[1])
        ):
            raise ValueError(
                "`bounds` is a pair (lowest, highest value). Received:"
                f" {self.bounds}."
            )

    @property
    def name(self) -> str:
        """The norm in words, such as `Linf`."""
        return type(self).__name__

    def at(self, epsilon: Any) -> "Ball":
        """Returns the same threat with another radius."""
        return dataclasses.replace(self, epsilon=epsilon)

    def key(self) -> tuple:
        """Returns a key of this threat that ignores the radius."""
        bounds = [np.asarray(bound) for bound in self.bounds]
        return self.name, *[(b.shape, b.tobytes()) for b in bounds]

    def clip(self, x: Any) -> Any:
        """Clips values to the bounds."""
        return ops.clip(x, *self.bounds)


class Linf(Ball):
    """Every value moves by at most `epsilon`.

    Args:
        epsilon: Radius, in the unit of the inputs.
        bounds: Lowest and highest value of an input; numbers or arrays that
            broadcast to one input.

    Example:
    >>> threat = Linf(0.1)
    >>> moved = threat.project(np.array([[0.5, 2.0]]), np.array([[0.0, 1.0]]))
    >>> np.round(moved, 2).tolist()
    [[0.1, 1.0]]
    """

    def project(self, x: Any, origin: Any) -> Any:
        """Returns the nearest point inside the ball and the bounds."""
        moved = ops.clip(x, origin - self.epsilon, origin + self.epsilon)
        return self.clip(moved)

    def step(self, x: Any, gradient: Any, size: Any) -> Any:
        """Moves by `size` in the direction of steepest ascent."""
        return x + size * ops.sign(gradient)

    def sample(self, x: Any, seed: Any) -> Any:
        """Draws uniformly inside the ball, clipped to the bounds."""
        noise = keras.random.uniform(ops.shape(x), -1.0, 1.0, seed=seed)
        return self.project(x + self.epsilon * noise, x)

    def norm(self, delta: Any) -> Any:
        """Returns the largest move of each sample, `(n,)`."""
        return ops.max(ops.abs(flat(delta)), axis=1)


class L2(Ball):
    """The Euclidean length of the change is at most `epsilon`.

    Args:
        epsilon: Radius, in the unit of the inputs.
        bounds: Lowest and highest value of an input.

    Example:
    >>> float(L2(0.5).norm(np.array([[0.3, 0.4]]))[0]) == 0.5
    True
    """

    def project(self, x: Any, origin: Any) -> Any:
        """Returns a point inside the ball and the bounds, near `x`."""
        delta = self.clip(x) - origin
        length = ops.maximum(wide(self.norm(delta), x), TINY)
        return self.clip(
            origin + delta * ops.minimum(1.0, self.epsilon / length)
        )

    def step(self, x: Any, gradient: Any, size: Any) -> Any:
        """Moves by `size` in the direction of steepest ascent."""
        return x + size * _unit(gradient)

    def sample(self, x: Any, seed: Any) -> Any:
        """Draws uniformly inside the ball, clipped to the bounds."""
        direction = _unit(keras.random.normal(ops.shape(x), seed=seed))
        return self.project(
            x + self.epsilon * drawn_radius(x, seed) * direction, x
        )

    def norm(self, delta: Any) -> Any:
        """Returns the Euclidean length of each sample, `(n,)`."""
        delta = flat(delta)
        largest = ops.maximum(
            ops.max(ops.abs(delta), axis=1, keepdims=True), TINY
        )
        scaled = ops.sum(ops.square(delta / largest), axis=1)
        return ops.sqrt(scaled) * largest[:, 0]


def flat(x: Any) -> Any:
    """Returns `(n, values)` of a tensor `(n, ...)`."""
    return ops.reshape(x, (-1, math.prod(x.shape[1:])))


def wide(values: Any, x: Any) -> Any:
    """Reshapes one value a sample, `(n,)`, so that it broadcasts to `x`."""
    return ops.reshape(values, (-1, *[1] * (len(x.shape) - 1)))


def drawn_radius(x: Any, seed: Any) -> Any:
    """Draws shares of a radius, so that points fill the ball evenly."""
    uniform = keras.random.uniform((ops.shape(x)[0],), seed=other_seed(seed))
    return wide(uniform ** (1.0 / math.prod(x.shape[1:])), x)


def other_seed(seed: Any) -> Any:
    """Returns another seed; a generator gives another one by itself."""
    return seed + 7919 if isinstance(seed, int) else seed


def _unit(x: Any) -> Any:
    length = wide(L2(0.0).norm(x), x)
    return ops.where(length > TINY, x / ops.maximum(length, TINY), 0.0)
