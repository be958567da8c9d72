"""Projected gradient descent."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.attacks.tools.gradients import sloped
from reprogram.robustness.models import graph
from reprogram.robustness.threats.balls import wide


def pgd(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    steps: int = 20,
    size: float | None = None,
    restarts: int = 1,
    loss: str = "ce",
    target: np.ndarray | None = None,
    start: np.ndarray | None = None,
    samples: int = 1,
    batch_size: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Climbs the loss inside the ball; keeps the first error it meets.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        steps: Number of gradient steps in a restart.
        size: Length of a step in the threat's norm; `None` takes
            2.5 radius / steps.
        restarts: Number of random starts; 0 starts once, from the inputs.
        loss: Loss to climb: `"ce"`, `"margin"` or `"dlr"`.
        target: Target class ids, `(n,)`; any error counts as a success.
        start: Inputs at which the first restart begins, such as the result of
            an earlier attack, `(n, ...)`.

    Example:
    >>> from reprogram.robustness import Linf
    >>> weights = np.array([[1.0, -1.0], [-2.0, 2.0]], "float32")
    >>> x = np.array([[0.5, 0.3], [0.6, 0.2]], "float32")
    >>> result = pgd(lambda x: ops.matmul(x - 0.2, weights), x,
    ...              np.array([0, 0]), Linf(0.1))
    >>> result.success.tolist()
    [True, False]

    Reference: Madry et al., Towards Deep Learning Models Resistant to
    Adversarial Attacks, 2018.
    """
    job = driver.white_box_job(
        "pgd", model, x, y, threat, batch_size=batch_size, samples=samples
    )
    if size is None:
        size = 2.5 * threat.epsilon / steps
    climb = climber(job, loss, target is not None)
    goals = job.y if target is None else np.asarray(target, "int32")

    if start is None and not restarts:
        start = job.x

    def attack(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        moved, spent = job.x[rows], np.zeros(len(rows), "int64")
        left = np.arange(len(rows))
        for restart in range(max(1, restarts)):
            first = None if restart else start
            begin = begin_at(job, rows[left], seed + 9973 * restart, first)
            ends, used, wrong = _ascend(
                climb, job, rows[left], begin, goals, (size, steps)
            )
            moved[left], spent[left] = ends, spent[left] + used
            left = left[~wrong]
            if not len(left):
                break
        return moved, spent

    return driver.run(job, attack, tell)


def climber(job: driver.Job, loss: str, targeted: bool = False) -> Callable:
    """Compiles one step of gradient ascent inside the ball.

    Returns:
        A function of the point, origin, labels, targets and the pair of radius
        and step length that returns the next point and whether the model erred
        before the step. Misclassified points stay.
    """
    inner, slope = job.threat, sloped(job, loss, targeted)

    def step(x: Any, origin: Any, y: Any, target: Any, pace: Any) -> tuple:
        _, wrong, gradient = slope(x, y, target)
        threat = inner.at(pace[0])
        moved = threat.project(threat.step(x, gradient, pace[1]), origin)
        return ops.where(wide(wrong, x), x, moved), wrong

    return graph(job.model, ("pgd", *job.key(), loss, targeted), step)


def begin_at(
    job: driver.Job, rows: np.ndarray, seed: int, start: np.ndarray | None
) -> np.ndarray:
    """Returns the starting points: given ones or random ones in the ball."""
    if start is not None:
        inside = job.threat.project(
            np.asarray(start[rows], "float32"), job.x[rows]
        )
        return ops.convert_to_numpy(inside)
    draw = np.array([seed, rows[0]]).astype("uint32")
    x = driver.padded(job.x[rows], driver.width(len(rows), job.batch_size))
    inside = job.sample(x, np.float32(job.threat.epsilon), draw)
    return ops.convert_to_numpy(inside)[: len(rows)]


def _ascend(
    climb: Callable,
    job: driver.Job,
    rows: np.ndarray,
    begin: np.ndarray,
    goals: np.ndarray,
    pace: tuple[float, int],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Climbs from one start; returns points, queries and errors."""
    size, steps = pace
    wide_enough = driver.width(len(rows), job.batch_size)
    origin, y, target, place = (
        ops.convert_to_tensor(driver.padded(values, wide_enough))
        for values in (job.x[rows], job.y[rows], goals[rows], begin)
    )
    lengths = ops.convert_to_tensor(
        np.array([job.threat.epsilon, size], "float32")
    )
    spent = np.zeros(len(rows), "int64")
    for _ in range(steps):
        place, wrong = climb(place, origin, y, target, lengths)
        wrong = ops.convert_to_numpy(wrong)[: len(rows)]
        spent += ~wrong
        if wrong.all():
            break
    place = ops.convert_to_numpy(place)[: len(rows)]
    return place, spent * job.samples, wrong
