"""Threats for tables and parts of inputs: features, categories, whole numbers.

Each wraps a threat and is used like one.
"""

import dataclasses
from typing import Any

import numpy as np
from keras import ops


@dataclasses.dataclass(frozen=True, eq=False)
class _Wrapped:
    threat: Any

    @property
    def epsilon(self) -> Any:
        """The radius of the wrapped threat."""
        return self.threat.epsilon

    @property
    def bounds(self) -> tuple:
        """The bounds of the wrapped threat."""
        return self.threat.bounds

    @property
    def name(self) -> str:
        """The norm in words, such as `Linf restricted`."""
        return f"{self.threat.name} {type(self).__name__.lower()}"

    def at(self, epsilon: Any) -> "_Wrapped":
        """Returns the same threat with another radius."""
        return dataclasses.replace(self, threat=self.threat.at(epsilon))

    def key(self) -> tuple:
        """Returns a key of this threat that ignores the radius."""
        names = [field.name for field in dataclasses.fields(self)[1:]]
        values = [getattr(self, name) for name in names]
        arrays = [v.tolist() if hasattr(v, "tolist") else v for v in values]
        return self.name, self.threat.key(), repr(arrays)

    def clip(self, x: Any) -> Any:
        """Clips values to the bounds."""
        return self.threat.clip(x)

    def norm(self, delta: Any) -> Any:
        """Returns the norm of the wrapped threat, `(n,)`."""
        return self.threat.norm(delta)


@dataclasses.dataclass(frozen=True, eq=False)
class Restricted(_Wrapped):
    """Only some pixels, samples in time or features may change.

    Args:
        threat: Threat model of the values that may change.
        mask: Boolean array, true where an input may change; broadcasts to one
            input, such as `(height, width, 1)` or `(features,)`.

    Example:
    >>> from reprogram.robustness import Linf
    >>> threat = Restricted(Linf(0.5), np.array([True, False]))
    >>> threat.project(np.ones((1, 2)), np.zeros((1, 2))).numpy()
    array([[0.5, 0. ]])
    """

    mask: Any

    def allowed(self, x: Any) -> Any:
        """Returns the mask as ones and zeros of the type of `x`."""
        return ops.cast(np.asarray(self.mask, bool), x.dtype)

    def project(self, x: Any, origin: Any) -> Any:
        """Undoes forbidden changes and projects the others."""
        inside = ops.where(self.allowed(x) > 0, x, origin)
        moved = self.threat.project(inside, origin)
        return ops.where(self.allowed(x) > 0, moved, origin)

    def step(self, x: Any, gradient: Any, size: Any) -> Any:
        """Moves by `size`, where allowed, in the direction of ascent."""
        gradient = gradient * self.allowed(gradient)
        moved = self.threat.step(x, gradient, size)
        return ops.where(self.allowed(x) > 0, moved, x)

    def sample(self, x: Any, seed: Any) -> Any:
        """Draws inside the ball; what is forbidden stays."""
        return ops.where(self.allowed(x) > 0, self.threat.sample(x, seed), x)


@dataclasses.dataclass(frozen=True, eq=False)
class Integers(_Wrapped):
    """Some columns hold whole numbers and keep doing so.

    Args:
        threat: Threat model of all columns.
        columns: Positions of the whole-numbered columns in `(n, features)`.

    Example:
    >>> from reprogram.robustness import Linf
    >>> threat = Integers(Linf(2.5, (0.0, 9.0)), (0,))
    >>> threat.project(np.array([[8.0, 8.0]]), np.ones((1, 2))).numpy()
    array([[3. , 3.5]])
    """

    columns: tuple[int, ...]

    def project(self, x: Any, origin: Any) -> Any:
        """Projects, then rounds towards the origin."""
        moved = self.threat.project(x, origin)
        delta = moved - origin
        # A move of 0.9999999 is a whole one that lost its last bit.
        whole = ops.sign(delta) * ops.floor(ops.abs(delta) + 1e-4)
        return ops.where(self._whole(x), origin + whole, moved)

    def step(self, x: Any, gradient: Any, size: Any) -> Any:
        """Moves by `size`; whole-numbered columns by one at least."""
        moved = self.threat.step(x, gradient, size)
        delta = moved - x
        whole = x + ops.sign(delta) * ops.ceil(ops.abs(delta))
        return ops.where(self._whole(x), whole, moved)

    def sample(self, x: Any, seed: Any) -> Any:
        """Draws inside the ball, rounded towards `x`."""
        return self.project(self.threat.sample(x, seed), x)

    def _whole(self, x: Any) -> Any:
        mask = np.zeros(x.shape[-1], bool)
        mask[list(self.columns)] = True
        return ops.convert_to_tensor(mask)


@dataclasses.dataclass(frozen=True, eq=False)
class Grouped(_Wrapped):
    """Some columns are one-hot groups: each keeps exactly one category.

    The wrapped threat rules the columns outside the groups and its norm
    counts them alone; of the groups, at most `changes` take another category.

    Args:
        threat: Threat model of the other columns.
        groups: Positions of the columns of each group, such as
            `((0, 1, 2), (5, 6))`.
        changes: Number of groups that may change; `None` for all.

    Raises:
        ValueError: If a column is in two groups.

    Example:
    >>> from reprogram.robustness import Linf
    >>> threat = Grouped(Linf(0.1), ((0, 1),))
    >>> origin = np.array([[1.0, 0.0, 0.5]])
    >>> gradient = np.array([[-1.0, 1.0, 1.0]])
    >>> moved = threat.project(threat.step(origin, gradient, 0.1), origin)
    >>> np.round(moved, 2).tolist()
    [[0.0, 1.0, 0.6]]
    """

    groups: tuple[tuple[int, ...], ...]
    changes: int | None = None

    def __post_init__(self) -> None:
        columns = [column for group in self.groups for column in group]
        if len(set(columns)) < len(columns):
            raise ValueError(
                "A column belongs to one group. Received groups that share"
                f" columns: {self.groups}."
            )

    def project(self, x: Any, origin: Any) -> Any:
        """Projects the other columns; groups become one-hot again."""
        moved = self.threat.project(ops.where(self._in(x), origin, x), origin)
        if not self.groups:
            return moved
        hots, wishes = zip(
            *[self._snapped(x, origin, g) for g in self.groups], strict=True
        )
        wishes = ops.stack(wishes, axis=1)
        limit = len(self.groups) if self.changes is None else self.changes
        order = ops.argsort(-wishes, axis=1)
        ranks = ops.argsort(order, axis=1)
        kept = ops.logical_and(ranks < limit, wishes > 0)
        for i, group in enumerate(self.groups):
            old = ops.take(origin, list(group), axis=1)
            new = ops.where(kept[:, i : i + 1], hots[i], old)
            moved = _put(moved, new, group)
        return moved

    def step(self, x: Any, gradient: Any, size: Any) -> Any:
        """Moves the other columns; each group to its steepest category."""
        outside = ops.where(self._in(x), 0.0, gradient)
        moved = self.threat.step(x, outside, size)
        for group in self.groups:
            slope = ops.take(gradient, list(group), axis=1)
            old = ops.take(x, list(group), axis=1)
            gain = slope - ops.sum(slope * old, axis=1, keepdims=True)
            best = ops.one_hot(ops.argmax(gain, axis=1), len(group))
            best = ops.cast(best, x.dtype)
            worth = ops.max(gain, axis=1, keepdims=True)
            # More than one says how much a change of category is worth.
            new = ops.where(worth > 0, best * (1.0 + worth), old)
            moved = _put(moved, new, group)
        return moved

    def sample(self, x: Any, seed: Any) -> Any:
        """Draws the other columns; the groups start as they are."""
        return self.project(
            ops.where(self._in(x), x, self.threat.sample(x, seed)), x
        )

    def norm(self, delta: Any) -> Any:
        """Returns the norm of the columns outside the groups, `(n,)`."""
        return self.threat.norm(ops.where(self._in(delta), 0.0, delta))

    def _snapped(self, x: Any, origin: Any, group: tuple) -> tuple[Any, Any]:
        values = ops.take(x, list(group), axis=1)
        old = ops.take(origin, list(group), axis=1)
        hot = ops.cast(ops.one_hot(ops.argmax(values, 1), len(group)), x.dtype)
        changed = ops.sum(ops.abs(hot - old), axis=1) > 0.5
        return hot, ops.where(changed, ops.max(values, axis=1), 0.0)

    def _in(self, x: Any) -> Any:
        mask = np.zeros(x.shape[-1], bool)
        mask[[column for group in self.groups for column in group]] = True
        return ops.convert_to_tensor(mask)


def _put(x: Any, values: Any, columns: tuple) -> Any:
    """Returns `x` with `values` in some columns."""
    place = np.eye(x.shape[-1], dtype="float32")[list(columns)]
    place = ops.cast(place, x.dtype)
    kept = x * (1.0 - ops.sum(place, axis=0))
    return kept + ops.matmul(values, place)
