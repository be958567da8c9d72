"""Threat models: what an attacker may change, and how much.

A threat has `project`, `step` and `sample`; attacks are written in these
three and never ask which norm they face. All work inside compiled graphs.
"""

import dataclasses
import math
import numbers
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.robustness.threats.tabular import Grouped
from reprogram.robustness.threats.tabular import Integers
from reprogram.robustness.threats.tabular import Masked

__all__ = [
    "L0",
    "L1",
    "L2",
    "Grouped",
    "Integers",
    "Linf",
    "Masked",
    "dual",
    "flat",
    "wide",
]
_TINY = 1e-12


@dataclasses.dataclass(frozen=True)
class _Ball:
    """What the four balls share: a radius and the bounds of the values."""

    epsilon: Any
    bounds: tuple = (0.0, 1.0)

    def __post_init__(self):
        epsilon = self.epsilon
        if isinstance(epsilon, numbers.Number) and not 0 <= epsilon < math.inf:
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

    def at(self, epsilon: Any) -> "_Ball":
        """Returns the same threat with another radius."""
        return dataclasses.replace(self, epsilon=epsilon)

    def key(self) -> tuple:
        """Returns what tells this threat from others, whatever the radius."""
        bounds = [np.asarray(bound) for bound in self.bounds]
        return self.name, *[(b.shape, b.tobytes()) for b in bounds]

    def clip(self, x: Any) -> Any:
        """Clips values to the bounds."""
        return ops.clip(x, *self.bounds)


class Linf(_Ball):
    """Every value moves by at most `epsilon`.

    Args:
        epsilon: The radius, in the unit of the inputs.
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


class L2(_Ball):
    """The Euclidean length of the change is at most `epsilon`.

    Args:
        epsilon: The radius, in the unit of the inputs.
        bounds: Lowest and highest value of an input.

    Example:
    >>> float(L2(0.5).norm(np.array([[0.3, 0.4]]))[0]) == 0.5
    True
    """

    def project(self, x: Any, origin: Any) -> Any:
        """Returns a point inside the ball and the bounds, near `x`."""
        delta = self.clip(x) - origin
        length = ops.maximum(wide(self.norm(delta), x), _TINY)
        return self.clip(
            origin + delta * ops.minimum(1.0, self.epsilon / length)
        )

    def step(self, x: Any, gradient: Any, size: Any) -> Any:
        """Moves by `size` in the direction of steepest ascent."""
        return x + size * _unit(gradient)

    def sample(self, x: Any, seed: Any) -> Any:
        """Draws uniformly inside the ball, clipped to the bounds."""
        direction = _unit(keras.random.normal(ops.shape(x), seed=seed))
        return self.project(x + self.epsilon * _radius(x, seed) * direction, x)

    def norm(self, delta: Any) -> Any:
        """Returns the Euclidean length of each sample, `(n,)`."""
        delta = flat(delta)
        largest = ops.maximum(
            ops.max(ops.abs(delta), axis=1, keepdims=True), _TINY
        )
        scaled = ops.sum(ops.square(delta / largest), axis=1)
        return ops.sqrt(scaled) * largest[:, 0]


class L1(_Ball):
    """The moves of all values add up to at most `epsilon`.

    A step moves the hundredth of the values with the largest gradients among
    those that can still move.

    Args:
        epsilon: The radius, in the unit of the inputs.
        bounds: Lowest and highest value of an input.

    Example:
    >>> threat = L1(1.0)
    >>> moved = threat.project(np.array([[0.9, 0.8]]), np.zeros((1, 2)))
    >>> np.round(moved, 2)
    array([[0.55, 0.45]], dtype=float32)

    References: Tramer and Boneh, Adversarial Training and Robustness for
    Multiple Perturbations, 2019; Croce and Hein, Mind the Box: L1-APGD for
    Sparse Adversarial Attacks on Image Classifiers, 2021.
    """

    def project(self, x: Any, origin: Any) -> Any:
        """Returns the nearest point inside the ball and the bounds."""
        x, origin = (ops.convert_to_tensor(v, "float32") for v in (x, origin))
        delta = flat(x - origin)
        lowest, highest = (ops.cast(bound, "float32") for bound in self.bounds)
        edge = ops.where(x > origin, highest, lowest)
        room = flat(ops.abs(edge - origin))
        cut = _threshold(ops.abs(delta), room, self.epsilon)
        size = ops.clip(ops.abs(delta) - cut, 0.0, room)
        moved = ops.reshape(ops.sign(delta) * size, ops.shape(x))
        return self.clip(origin + moved)

    def step(self, x: Any, gradient: Any, size: Any) -> Any:
        """Moves the values with the largest gradients by `size` in all."""
        up = ops.logical_and(gradient > 0, x < self.bounds[1])
        down = ops.logical_and(gradient < 0, x > self.bounds[0])
        free = ops.cast(ops.logical_or(up, down), gradient.dtype)
        steep = flat(ops.abs(gradient) * free)
        count = max(1, steep.shape[1] // 100)
        least = ops.maximum(ops.top_k(steep, count)[0][:, -1:], _TINY)
        chosen = ops.cast(steep >= least, gradient.dtype)
        share = chosen / ops.maximum(
            ops.sum(chosen, axis=1, keepdims=True), 1.0
        )
        share = ops.reshape(share, ops.shape(x))
        return x + size * share * ops.sign(gradient)

    def sample(self, x: Any, seed: Any) -> Any:
        """Draws uniformly inside the ball, clipped to the bounds."""
        noise = keras.random.uniform(ops.shape(x), -1.0, 1.0, seed=seed)
        spread = -ops.log(ops.maximum(1.0 - ops.abs(noise), _TINY))
        spread = spread / wide(ops.sum(flat(spread), axis=1) + _TINY, x)
        radius = self.epsilon * _radius(x, seed)
        return self.project(x + radius * spread * ops.sign(noise), x)

    def norm(self, delta: Any) -> Any:
        """Returns the sum of the moves of each sample, `(n,)`."""
        return ops.sum(ops.abs(flat(delta)), axis=1)


class L0(_Ball):
    """At most `epsilon` values change, each as far as the bounds allow.

    Args:
        epsilon: How many values of an input may change.
        bounds: Lowest and highest value of an input.

    Example:
    >>> threat = L0(1)
    >>> threat.project(np.array([[0.9, 0.8]]), np.zeros((1, 2))).numpy()
    array([[0.9, 0. ]])

    Reference: Croce and Hein, Sparse and Imperceivable Adversarial Attacks,
    2019.
    """

    def project(self, x: Any, origin: Any) -> Any:
        """Keeps the largest changes and undoes the others."""
        x = self.clip(x)
        order = ops.argsort(-ops.abs(flat(x - origin)), axis=1)
        kept = ops.argsort(order, axis=1) < ops.cast(self.epsilon, order.dtype)
        return ops.where(ops.reshape(kept, ops.shape(x)), x, origin)

    def step(self, x: Any, gradient: Any, size: Any) -> Any:
        """Moves by `size` in all, in proportion to the gradient."""
        total = wide(ops.sum(ops.abs(flat(gradient)), axis=1), x)
        return x + size * gradient / ops.maximum(total, _TINY)

    def sample(self, x: Any, seed: Any) -> Any:
        """Draws which values change, and new values inside the bounds."""
        shape = ops.shape(x)
        lowest, highest = self.bounds
        values = keras.random.uniform(shape, seed=seed)
        values = lowest + values * (np.asarray(highest) - lowest)
        order = keras.random.uniform(shape, seed=_other(seed))
        ranks = ops.argsort(ops.argsort(flat(order), axis=1), axis=1)
        chosen = ranks < ops.cast(self.epsilon, ranks.dtype)
        return ops.where(ops.reshape(chosen, shape), values, x)

    def norm(self, delta: Any) -> Any:
        """Returns how many values of each sample change, `(n,)`."""
        changed = ops.abs(flat(delta)) > 1e-6
        return ops.sum(ops.cast(changed, "float32"), axis=1)


def dual(threat: Any) -> Callable[[Any], Any]:
    """Returns the dual norm: how fast a linear score grows with the radius.

    Args:
        threat: A threat; of a masked one, the dual norm of what it may touch.

    Returns:
        A function from gradients `(n, ...)` to `(n,)`.

    Raises:
        ValueError: If the threat's norm has no dual norm.

    Example:
    >>> float(dual(Linf(0.1))(np.array([[3.0, -4.0]]))[0])
    7.0
    """
    if isinstance(threat, Masked):
        inner = dual(threat.threat)
        return lambda gradient: inner(gradient * threat.allowed(gradient))
    duals = {Linf: L1, L2: L2, L1: Linf}
    if type(threat) not in duals:
        raise ValueError(f"{threat.name} has no dual norm. Use Linf, L2 or L1.")
    return duals[type(threat)](0.0).norm


def flat(x: Any) -> Any:
    """Returns `(n, values)` of a tensor `(n, ...)`."""
    return ops.reshape(x, (-1, math.prod(x.shape[1:])))


def wide(values: Any, x: Any) -> Any:
    """Reshapes one value a sample, `(n,)`, so that it broadcasts to `x`."""
    return ops.reshape(values, (-1, *[1] * (len(x.shape) - 1)))


def _unit(x: Any) -> Any:
    length = wide(L2(0.0).norm(x), x)
    return ops.where(length > _TINY, x / ops.maximum(length, _TINY), 0.0)


def _radius(x: Any, seed: Any) -> Any:
    uniform = keras.random.uniform((ops.shape(x)[0],), seed=_other(seed))
    return wide(uniform ** (1.0 / math.prod(x.shape[1:])), x)


def _other(seed: Any) -> Any:
    return seed + 7919 if isinstance(seed, int) else seed


def _threshold(size: Any, room: Any, radius: Any) -> Any:
    """Returns the cut at which the clipped moves add up to the radius.

    The sum falls piecewise linearly with the cut; it bends where a move gets
    free of the bounds and where it reaches zero.
    """
    bends = ops.concatenate([size, size - room], axis=1)
    ones = ops.ones_like(size)
    slopes = ops.concatenate([ones, -ones], axis=1)
    order = ops.argsort(-bends, axis=1)
    bends = ops.take_along_axis(bends, order, axis=1)
    slopes = ops.cumsum(ops.take_along_axis(slopes, order, axis=1), axis=1)
    drops = slopes[:, :-1] * (bends[:, :-1] - bends[:, 1:])
    sums = ops.cumsum(drops, axis=1)
    first = ops.sum(ops.cast(sums < radius, "int32"), axis=1, keepdims=True)
    first = ops.minimum(first, sums.shape[1] - 1)
    slope = ops.take_along_axis(slopes[:, :-1], first, axis=1)
    excess = ops.take_along_axis(sums, first, axis=1) - radius
    right = ops.take_along_axis(bends[:, 1:], first, axis=1)
    cut = right + excess / ops.maximum(slope, 1.0)
    inside = ops.sum(ops.minimum(size, room), axis=1, keepdims=True) <= radius
    return ops.where(inside, 0.0, ops.maximum(cut, 0.0))
