"""HopSkipJump: walks along the boundary with decisions only."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.tools import decisions
from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.attacks.tools.gradients import erring
from reprogram.robustness.attacks.tools.queries import fused
from reprogram.robustness.attacks.tools.queries import tallied
from reprogram.robustness.certification.counting import Drawn
from reprogram.robustness.threats import balls

_LEAST = 16
_HALVINGS = 15


def hop_skip_jump(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    queries: int = 5000,
    probes: int = 100,
    start: np.ndarray | None = None,
    batch_size: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Looks for the nearest error; sees the model's classes, not its scores.

    From any error it moves to the boundary, estimates the boundary's
    direction from the classes of random neighbors, jumps along it and returns
    to the boundary, nearer each time.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        model: Function from inputs `(n, ...)` to scores `(n, classes)`; only
            the largest score matters, so one-hot scores will do.
        threat: `L2` or `Linf` threat model.
        queries: Largest number of predictions for each sample.
        probes: Number of neighbors of the first estimate; it grows with the
            square root of the iteration.
        start: Misclassified inputs to start from, `(n, ...)`; optional.

    Returns:
        The nearest errors found. Only those inside the radius are successes.

    Example:
    >>> from reprogram.robustness import L2
    >>> x = np.array([[0.5, 0.3]], "float32")
    >>> found = hop_skip_jump(lambda x: x * 1.0, x, np.array([0]), L2(0.2),
    ...                       queries=1000)
    >>> bool(0.141 < found.distance[0] < 0.15)
    True

    Reference: Chen, Jordan and Wainwright, HopSkipJumpAttack: A
    Query-Efficient Decision-Based Attack, 2020.
    """
    job = decisions.decision_job(
        "HopSkipJump",
        model,
        x,
        y,
        threat=threat,
        norms=("L2", "Linf"),
        queries=queries,
        batch_size=batch_size,
    )
    walk = _Walk(job, queries, probes, seed)

    def attack(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([seed, int(rows[0])])
        place, hit, spent = decisions.started(job, rows, walk.wrong, rng, start)
        moved = job.x[rows]
        if hit.any():
            moved[hit], spent[hit] = walk(rows[hit], place[hit], spent[hit])
        return moved, spent

    return driver.run(job, attack, tell)


class _Walk:
    """The walk of a batch: its queries and its precision."""

    def __init__(self, job: driver.Job, queries: int, probes: int, seed: int):
        self.job, self.queries, self.probes = job, queries, probes
        self.wrong = decisions.erring_at(job)
        self.seed = seed
        self.euclidean = job.threat.name == "L2"
        self.values = int(np.prod(job.x.shape[1:]))
        share = self.values ** (-1.5 if self.euclidean else -2.0)
        # Of few values the paper's precision would be a large share.
        self.precision = min(share, 1e-3)
        self.steps = int(np.ceil(np.log2(1 / self.precision)))
        self._ask = fused(
            job, ("hop skip jump", self.values), self._near, _counted
        )

    def __call__(
        self, rows: np.ndarray, place: np.ndarray, spent: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the nearest errors and the queries spent."""
        rng = np.random.default_rng([self.seed, int(rows[0]), 1])
        place = decisions.bisected(
            self.job, rows, place, self.wrong, self.steps
        )
        spent = spent + self.steps
        best, nearest = place.copy(), self.job.distance(place, rows)
        turn, reserve = 1, self.steps + _HALVINGS
        while True:
            left = np.flatnonzero(spent + reserve + _LEAST < self.queries)
            if not len(left):
                return best, spent
            room = int((self.queries - reserve - spent[left]).min())
            count = min(int(self.probes * np.sqrt(turn)), 10_000, room)
            distance = self.job.distance(place[left], rows[left])
            delta = self._width(distance, turn)
            arrays = place[left], self.job.y[rows[left]], delta
            sums, asked = tallied(self._ask, self.job, arrays, count, rng)
            slope = _direction(*sums)
            spent[left] += asked
            length = distance / np.sqrt(turn)
            place[left], jumps = self._jump(
                rows[left], place[left], slope, length
            )
            spent[left] += jumps + self.steps
            now = self.job.distance(place[left], rows[left])
            better = left[now < nearest[left]]
            best[better] = place[better]
            nearest[left] = np.minimum(now, nearest[left])
            turn += 1

    def _width(self, distance: np.ndarray, turn: int) -> np.ndarray:
        """Returns how far neighbors are, `(n,)`."""
        if turn == 1:
            low, high = self.job.threat.bounds
            span = np.float32(np.max(np.subtract(high, low)))
            return np.full(len(distance), 0.1 * span, "float32")
        scale = self.values ** (0.5 if self.euclidean else 1.0)
        width = np.maximum(scale * self.precision * distance, 1e-6)
        return width.astype("float32")

    def _near(self, x: Any, y: Any, delta: Any, seed: Any, count: Any) -> Any:
        """Draws neighbors inside the bounds, `(count * n, ...)`."""
        shape = (ops.shape(count)[0], *ops.shape(x))
        draw = Drawn(seed)
        if self.euclidean:
            noise = keras.random.normal(shape, dtype="float32", seed=draw)
        else:
            noise = keras.random.uniform(
                shape, -(3**0.5), 3**0.5, dtype="float32", seed=draw
            )
        scale = balls.wide(delta / self.values**0.5, x)
        moved = self.job.threat.clip(x + scale * noise)
        return ops.reshape(moved, (-1, *x.shape[1:]))

    def _jump(
        self,
        rows: np.ndarray,
        place: np.ndarray,
        slope: np.ndarray,
        length: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Jumps to the misclassified side, then returns to the boundary."""
        direction = np.sign(slope)
        if self.euclidean:
            norm = self.job.threat.norm
            size = np.maximum(ops.convert_to_numpy(norm(slope)), 1e-12)
            direction = slope / _spread(size, slope)
        landed, asked = place.copy(), np.zeros(len(rows), "int64")
        left = np.arange(len(rows))
        for halving in range(_HALVINGS):
            ahead = _spread(length[left] / 2**halving, place)
            tried = place[left] + ahead * direction[left]
            tried = np.clip(tried, *self.job.threat.bounds).astype("float32")
            hit = self.wrong(tried, self.job.y[rows[left]])
            asked[left] += 1
            landed[left[hit]] = tried[hit]
            left = left[~hit]
            if not len(left):
                break
        landed = decisions.bisected(
            self.job, rows, landed, self.wrong, self.steps
        )
        return landed, asked


def _counted(
    scores: Any, moved: Any, x: Any, y: Any, delta: Any, seed: Any, count: Any
) -> tuple[Any, Any, Any, Any]:
    """Sums over the neighbors: moves, moves that err, errors, ones."""
    copies = ops.shape(count)[0]
    wrong = erring(scores, ops.tile(y, (copies,)))
    wrong = ops.reshape(ops.cast(wrong, "float32"), (copies, -1))
    moves = ops.reshape(moved, (copies, -1, *x.shape[1:])) - x
    moves = ops.reshape(moves, (*ops.shape(wrong), balls.flat(x).shape[1]))
    return (
        ops.reshape(ops.sum(moves, axis=0), ops.shape(x)),
        ops.reshape(ops.einsum("cn,cnd->nd", wrong, moves), ops.shape(x)),
        ops.sum(wrong, axis=0),
        ops.sum(ops.ones_like(wrong), axis=0),
    )


def _direction(
    moves: np.ndarray, erring_moves: np.ndarray, errors: np.ndarray, of: Any
) -> np.ndarray:
    """Returns the covariance of moves and errors, up to a factor.

    Where all neighbors err, or none, their mean is all that is known.
    """
    share = _spread(errors / of, moves)
    slope = erring_moves - share * moves
    slope = np.where(share == 1, moves, slope)
    return np.where(share == 0, -moves, slope)


def _spread(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    return values.reshape(-1, *[1] * (x.ndim - 1)).astype("float32")
