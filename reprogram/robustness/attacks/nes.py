"""NES: gradient ascent with gradients estimated from scores."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.attacks.tools.queries import batched
from reprogram.robustness.attacks.tools.queries import fused
from reprogram.robustness.attacks.tools.queries import margins
from reprogram.robustness.attacks.tools.queries import moving
from reprogram.robustness.attacks.tools.queries import tallied
from reprogram.robustness.certification.counting import Drawn
from reprogram.robustness.threats.balls import flat

_LEAST = 1e-30


def nes(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    queries: int = 5000,
    probes: int = 100,
    deviation: float = 0.001,
    size: float | None = None,
    momentum: float = 0.9,
    batch_size: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Climbs the loss; estimates its gradient from pairs of neighbors.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        queries: Largest number of predictions for each sample.
        probes: Number of neighbors of an estimate, in opposite pairs.
        deviation: Standard deviation of the neighbors, as a share of the range
            of values. Rounded scores need more.
        size: Length of a step in the threat's norm; `None` takes 2.5 radius /
            steps, at least a tenth of the radius.
        momentum: Share of the last direction that a step keeps.

    Example:
    >>> from reprogram.robustness import Linf
    >>> x = np.array([[0.5, 0.3], [0.9, 0.1]], "float32")
    >>> result = nes(lambda x: x, x, np.array([0, 0]), Linf(0.15), queries=500)
    >>> result.success.tolist()
    [True, False]

    Reference: Ilyas et al., Black-box Adversarial Attacks with Limited Queries
    and Information, 2018.
    """
    if probes < 2 or queries <= probes or not deviation > 0:
        raise ValueError(
            "NES needs two probes, more queries than probes and a positive"
            f" deviation. Received: probes={probes}, queries={queries},"
            f" deviation={deviation}."
        )
    job = driver.black_box_job(model, x, y, threat, batch_size)
    steps = max(1, queries // (probes + 1))
    if size is None:
        size = threat.epsilon * max(2.5 / steps, 0.1)
    ask, move = _slopes(job, deviation), _moves(job, size)

    def attack(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([seed, int(rows[0])])
        place, left = job.x[rows], np.arange(len(rows))
        trend = np.zeros_like(place)
        spent = np.zeros(len(rows), "int64")
        while True:
            left = left[spent[left] + probes + 2 <= queries]
            if not len(left):
                return place, spent
            known = place[left], job.y[rows[left]]
            (slope,), pairs = tallied(ask, job, known, probes // 2, rng)
            trend[left] = momentum * trend[left] + (1 - momentum) * slope
            origin, y = job.x[rows[left]], job.y[rows[left]]
            place[left], margin = batched(
                move, job, place[left], origin, y, trend[left]
            )
            spent[left] += 2 * pairs + 1
            left = left[margin >= 0]

    return driver.run(job, attack, tell)


def _moves(job: driver.Job, size: float) -> Callable:
    """Makes the function that moves inputs and gives their margins."""
    threat = job.threat
    pace = np.array([threat.epsilon, size], "float32")

    def climb(x: Any, origin: Any, y: Any, slope: Any, pace: Any) -> Any:
        inner = threat.at(pace[0])
        return inner.project(inner.step(x, slope, pace[1]), origin)

    move = moving(job, "nes step", climb)
    return lambda *arrays: move(*arrays, pace)


def _slopes(job: driver.Job, deviation: float) -> Callable:
    """Makes the function that draws pairs of neighbors and weighs them."""
    bounds = job.threat.bounds
    deviation = float(deviation * np.max(np.subtract(bounds[1], bounds[0])))
    soft = job.facts.answers == "probabilities"

    def near(x: Any, y: Any, seed: Any, count: Any) -> Any:
        shape = (ops.shape(count)[0], *ops.shape(x))
        noise = deviation * keras.random.normal(
            shape, dtype="float32", seed=Drawn(seed)
        )
        both = ops.concatenate([x + noise, x - noise], axis=0)
        return ops.reshape(both, (-1, *x.shape[1:]))

    def weighed(
        scores: Any, moved: Any, x: Any, y: Any, seed: Any, count: Any
    ) -> tuple[Any]:
        copies = ops.shape(count)[0]
        scores = ops.log(ops.maximum(scores, _LEAST)) if soft else scores
        margin = margins(scores, ops.tile(y, (2 * copies,)))
        margin = ops.reshape(margin, (2, copies, -1))
        values = flat(x).shape[1]
        moves = ops.reshape(moved, (2, copies, -1, values))
        moves = (moves[0] - moves[1]) / (2 * deviation)
        slope = ops.einsum("cn,cnd->nd", margin[1] - margin[0], moves)
        return (ops.reshape(slope, ops.shape(x)),)

    return fused(job, ("nes", deviation), near, weighed)
