"""The fast adaptive boundary attack, targeted."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.robustness.attacks.pgd import begin_at
from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.tools import gradients
from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.attacks.tools import nearest
from reprogram.robustness.attacks.tools.hyperplane import reach
from reprogram.robustness.models import graph
from reprogram.robustness.threats.balls import wide

_ETA, _BETA, _BIAS = 1.05, 0.9, 0.1


def fab(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    steps: int = 100,
    targets: int = 9,
    restarts: int = 1,
    inside: bool = True,
    samples: int = 1,
    batch_size: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Walks along the boundary to a target class, drawn to the original.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        threat: `Linf`, `L2` or `L1`, also `Restricted`; its norm is minimized.
        steps: Number of gradient steps for each target.
        targets: Number of the likeliest wrong classes to aim at.
        restarts: Number of starts; the first from the inputs, others at random.
        inside: Whether an error inside the radius ends the search; False
            goes on to the nearest error.

    Returns:
        The nearest errors found. Only those inside the radius are successes.

    Example:
    >>> from reprogram.robustness import L2
    >>> x = np.array([[0.5, 0.3]], "float32")
    >>> result = fab(lambda x: x * 1.0, x, np.array([0]), L2(0.2), steps=10)
    >>> round(float(result.distance[0]), 2)
    0.14

    Reference: Croce and Hein, Minimally Distorted Adversarial Examples with a
    Fast Adaptive Boundary Attack, 2020.
    """
    job = driver.white_box_job(
        "fab", model, x, y, threat, batch_size=batch_size, samples=samples
    )
    walk = _walker(job)

    def search(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        goals = gradients.rivals_of(job, rows, targets)
        best = np.full(len(rows), np.inf, "float32")
        moved, spent = job.x[rows].copy(), np.zeros(len(rows), "int64")
        left = np.arange(len(rows))
        for trial in range(restarts * goals.shape[1]):
            part, goal = rows[left], goals[left, trial % goals.shape[1]]
            random = trial >= goals.shape[1]
            begin = job.x[part]
            if random:
                begin = begin_at(job, part, seed + 9973 * trial, None)
            found, far = _walk(walk, job, part, begin, goal, steps)
            nearer = far < best[left]
            moved[left[nearer]] = found[nearer]
            best[left] = np.minimum(best[left], far)
            spent[left] += steps * job.samples
            if inside:
                left = left[best[left] > threat.epsilon]
            if not len(left):
                break
        return moved, spent

    return nearest.run_nearest(job, search, halvings=3, tell=tell)


def _walk(
    walk: Callable,
    job: driver.Job,
    rows: np.ndarray,
    begin: np.ndarray,
    goal: np.ndarray,
    steps: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the nearest error on the way and its distance."""
    far = np.full(len(rows), np.inf, "float32")
    origin, y, goal, place, far = nearest.prepared(
        job, job.x[rows], job.y[rows], goal, begin, far
    )
    best = origin
    for _ in range(steps):
        place, best, far = walk(place, best, far, origin, y, goal)
    return nearest.trimmed(best, rows), nearest.trimmed(far, rows)


def _walker(job: driver.Job) -> Callable:
    slope_of, threat = (
        gradients.sloped(job, "margin", targeted=True),
        job.threat,
    )

    def walk(
        x: Any, best: Any, far: Any, origin: Any, y: Any, goal: Any
    ) -> tuple[Any, Any, Any]:
        margin, wrong, slope = slope_of(x, y, goal)
        length = threat.norm(x - origin)
        nearer = ops.logical_and(wrong, length < far)
        best = ops.where(wide(nearer, x), x, best)
        far = ops.where(nearer, length, far)
        # Errors go back towards the original before the next projection.
        back = origin + (x - origin) * _BETA
        start = ops.where(wide(wrong, x), back, x)
        offset = ops.sum(
            ops.reshape(slope * (start - x), (ops.shape(x)[0], -1)), axis=1
        )
        from_origin = ops.sum(
            ops.reshape(slope * (origin - x), (ops.shape(x)[0], -1)), axis=1
        )
        here = reach(threat, start, slope, -(margin + offset))
        there = reach(threat, origin, slope, -(margin + from_origin))
        near, away = threat.norm(here), threat.norm(there)
        bias = near / ops.maximum(near + away, 1e-12)
        bias = wide(ops.clip(bias, 0.0, _BIAS), x)
        moved = (start + _ETA * here) * (1.0 - bias)
        moved = threat.clip(moved + (origin + _ETA * there) * bias)
        return moved, best, far

    return graph(job.model, ("fab", *job.key()), walk)
