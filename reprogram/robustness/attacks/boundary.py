"""Boundary: a random walk along the decision boundary, toward the input."""

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
from reprogram.robustness.certification.counting import Drawn
from reprogram.robustness.threats import balls

_TINY = 1e-12
_BISECTIONS = 10
_FACTOR = 1.5
# Shares of hits between which a step keeps its length.
_SELDOM, _OFTEN = 0.2, 0.5
_PERIOD = 10


def boundary(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    queries: int = 5000,
    turn: float = 0.1,
    pull: float = 0.1,
    start: np.ndarray | None = None,
    batch_size: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Looks for the nearest error; sees the model's classes, not its scores.

    Each step turns around the input at equal distance, then moves toward it;
    both cost a query. Step lengths adapt to the shares of errors. Of the two
    decision-based attacks this is the older: HopSkipJump gets nearer with as
    many queries.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        model: Function from inputs `(n, ...)` to scores `(n, classes)`; only
            the largest score matters.
        threat: `L2` threat model.
        queries: Largest number of predictions for each sample.
        turn: Initial length of a turn, as a share of the distance.
        pull: Initial length of a move toward the input, as a share of the
            distance.
        start: Misclassified inputs to start from, `(n, ...)`; optional.

    Returns:
        The nearest errors found. Only those inside the radius are successes.

    Example:
    >>> from reprogram.robustness import L2
    >>> x = np.array([[0.5, 0.3]], "float32")
    >>> found = boundary(lambda x: x * 1.0, x, np.array([0]), L2(0.2),
    ...                  queries=600)
    >>> bool(0.141 < found.distance[0] < 0.15)
    True

    Reference: Brendel, Rauber and Bethge, Decision-Based Adversarial Attacks:
    Reliable Attacks Against Black-Box Machine Learning Models, 2018.
    """
    job = decisions.decision_job(
        "Boundary",
        model,
        x,
        y,
        threat=threat,
        norms=("L2",),
        queries=queries,
        batch_size=batch_size,
    )
    wrong = decisions.erring_at(job)
    ask = fused(job, "boundary", _proposed(job), _chosen)

    def attack(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([seed, int(rows[0])])
        place, hit, spent = decisions.started(job, rows, wrong, rng, start)
        moved = job.x[rows]
        if hit.any():
            place = decisions.bisected(
                job, rows[hit], place[hit], wrong, _BISECTIONS
            )
            spent[hit] += _BISECTIONS
            steps = (queries - spent[hit]) // 2
            moved[hit] = _walk(
                job, rows[hit], ask, place, steps, (turn, pull), rng
            )
            spent[hit] += 2 * steps
        return moved, spent

    return driver.run(job, attack, tell)


def _walk(
    job: driver.Job,
    rows: np.ndarray,
    ask: Callable,
    place: np.ndarray,
    steps: np.ndarray,
    lengths: tuple[float, float],
    rng: np.random.Generator,
) -> np.ndarray:
    size = driver.width(len(rows), job.batch_size)
    origin, y, place = (
        driver.padded(values, size)
        for values in (job.x[rows], job.y[rows], place)
    )
    turn, pull = (np.full(size, length, "float32") for length in lengths)
    steps = driver.padded(steps, size)
    best, nearest = place, np.full(size, np.inf, "float32")
    turned, pulled = np.zeros(size), np.zeros(size)
    for step in range(int(steps.max(initial=0))):
        going = step < steps
        seed = rng.integers(0, 2**31 - 1, 2).astype("uint32")
        place, best, nearest, hits = ask(
            place, origin, y, best, nearest, turn, pull, going, seed
        )
        turned, pulled = turned + hits[0], pulled + hits[1]
        if step % _PERIOD == _PERIOD - 1:
            turn = _adapted(turn, turned / _PERIOD)
            pull = _adapted(pull, pulled / np.maximum(turned, 1))
            turned, pulled = np.zeros(size), np.zeros(size)
    return ops.convert_to_numpy(best)[: len(rows)]


def _proposed(job: driver.Job) -> Callable:
    def proposed(x: Any, origin: Any, *rest: Any) -> Any:
        """Returns turned inputs, and those also moved toward the originals."""
        turn, pull, _, seed = rest[-4:]
        delta = x - origin
        distance = _length(delta)
        noise = keras.random.normal(
            ops.shape(x), dtype="float32", seed=Drawn(seed)
        )
        along = ops.sum(balls.flat(noise * delta), axis=1)
        along = along / ops.maximum(distance, _TINY) ** 2
        noise = noise - balls.wide(along, x) * delta
        size = turn * distance / ops.maximum(_length(noise), _TINY)
        turned = delta + balls.wide(size, x) * noise
        ratio = distance / ops.maximum(_length(turned), _TINY)
        turned = turned * balls.wide(ratio, x)
        near = origin + turned * balls.wide(1 - pull, x)
        both = ops.concatenate([origin + turned, near], axis=0)
        return job.threat.clip(both)

    return proposed


def _chosen(
    scores: Any, moved: Any, x: Any, origin: Any, y: Any, *rest: Any
) -> tuple[Any, Any, Any, Any]:
    """Returns the next places, the best so far, and which moves err."""
    best, nearest, _, _, going, _ = rest
    hits = ops.reshape(erring(scores, ops.tile(y, (2,))), (2, -1))
    pair = ops.reshape(moved, (2, *ops.shape(x)))
    both = ops.logical_and(ops.logical_and(hits[0], hits[1]), going)
    place = ops.where(balls.wide(both, x), pair[1], x)
    distance = _length(pair[1] - origin)
    better = ops.logical_and(
        ops.logical_and(hits[1], going), distance < nearest
    )
    best = ops.where(balls.wide(better, x), pair[1], best)
    nearest = ops.where(better, distance, nearest)
    counted = ops.stack([hits[0], ops.logical_and(hits[0], hits[1])])
    return place, best, nearest, ops.cast(counted, "float32")


def _adapted(length: np.ndarray, share: np.ndarray) -> np.ndarray:
    longer = np.where(share > _OFTEN, length * _FACTOR, length)
    found = np.where(share < _SELDOM, length / _FACTOR, longer)
    return np.minimum(found, 0.9).astype("float32")


def _length(x: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(balls.flat(x)), axis=1))
