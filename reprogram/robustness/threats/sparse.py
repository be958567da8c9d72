"""Balls of the sum of all moves, and of how many values change."""

from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.robustness.threats.balls import TINY
from reprogram.robustness.threats.balls import Ball
from reprogram.robustness.threats.balls import drawn_radius
from reprogram.robustness.threats.balls import flat
from reprogram.robustness.threats.balls import other_seed
from reprogram.robustness.threats.balls import wide


class L1(Ball):
    """The moves of all values add up to at most `epsilon`.

    A step moves the hundredth of the values with the largest gradients among
    those that can still move.

    Args:
        epsilon: Radius, in the unit of the inputs.
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
        least = ops.maximum(ops.top_k(steep, count)[0][:, -1:], TINY)
        chosen = ops.cast(steep >= least, gradient.dtype)
        share = chosen / ops.maximum(
            ops.sum(chosen, axis=1, keepdims=True), 1.0
        )
        share = ops.reshape(share, ops.shape(x))
        return x + size * share * ops.sign(gradient)

    def sample(self, x: Any, seed: Any) -> Any:
        """Draws uniformly inside the ball, clipped to the bounds."""
        noise = keras.random.uniform(ops.shape(x), -1.0, 1.0, seed=seed)
        spread = -ops.log(ops.maximum(1.0 - ops.abs(noise), TINY))
        spread = spread / wide(ops.sum(flat(spread), axis=1) + TINY, x)
        radius = self.epsilon * drawn_radius(x, seed)
        return self.project(x + radius * spread * ops.sign(noise), x)

    def norm(self, delta: Any) -> Any:
        """Returns the sum of the moves of each sample, `(n,)`."""
        return ops.sum(ops.abs(flat(delta)), axis=1)


class L0(Ball):
    """At most `epsilon` values change, each as far as the bounds allow.

    Args:
        epsilon: Number of values of an input that may change.
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
        return x + size * gradient / ops.maximum(total, TINY)

    def sample(self, x: Any, seed: Any) -> Any:
        """Draws which values change, and new values inside the bounds."""
        shape = ops.shape(x)
        lowest, highest = self.bounds
        values = keras.random.uniform(shape, seed=seed)
        values = lowest + values * (np.asarray(highest) - lowest)
        order = keras.random.uniform(shape, seed=other_seed(seed))
        ranks = ops.argsort(ops.argsort(flat(order), axis=1), axis=1)
        chosen = ranks < ops.cast(self.epsilon, ranks.dtype)
        return ops.where(ops.reshape(chosen, shape), values, x)

    def norm(self, delta: Any) -> Any:
        """Returns how many values of each sample change, `(n,)`."""
        changed = ops.abs(flat(delta)) > 1e-6
        return ops.sum(ops.cast(changed, "float32"), axis=1)


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
