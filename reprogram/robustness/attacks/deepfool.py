"""DeepFool: the nearest class boundary, one linear step after the other."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.tools import gradients
from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.attacks.tools import nearest
from reprogram.robustness.attacks.tools.hyperplane import reach
from reprogram.robustness.models import graph
from reprogram.robustness.threats.balls import wide
from reprogram.robustness.threats.norms import dual

# Beyond the boundary: what is nearer is lost in the rounding of scores.
_PAST = 1e-4


def deepfool(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    steps: int = 50,
    candidates: int = 9,
    overshoot: float = 0.02,
    samples: int = 1,
    batch_size: int = 256,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Steps over the nearest linearised boundary until the model errs.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        threat: `Linf`, `L2` or `L1`, also `Restricted`; its norm is minimized.
        steps: Largest number of steps.
        candidates: Number of likeliest wrong classes to consider.
        overshoot: Share by which each step goes beyond the boundary.

    Returns:
        The nearest errors found. Only those inside the radius are successes.

    Example:
    >>> from reprogram.robustness import Linf
    >>> x = np.array([[0.5, 0.3]], "float32")
    >>> result = deepfool(lambda x: x * 1.0, x, np.array([0]), Linf(0.2))
    >>> round(float(result.distance[0]), 2)
    0.1

    Reference: Moosavi-Dezfooli et al., DeepFool: a simple and accurate method
    to fool deep neural networks, 2016.
    """
    job = driver.white_box_job(
        "deepfool", model, x, y, threat, batch_size=batch_size, samples=samples
    )
    count = min(candidates, job.facts.classes - 1)
    # A sample is computed once a candidate.
    job = dataclasses.replace(job, batch_size=max(1, batch_size // count))
    move, stretch = _mover(job, count), np.float32(1 + overshoot)

    def search(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rivals = gradients.rivals_of(job, rows, count)
        origin, y, rivals = nearest.prepared(
            job, job.x[rows], job.y[rows], rivals
        )
        place = origin
        spent = np.zeros(len(rows), "int64")
        for _ in range(steps):
            place, wrong = move(place, origin, y, rivals, stretch)
            wrong = nearest.trimmed(wrong, rows)
            spent += ~wrong
            if wrong.all():
                break
        moved = job.threat.clip(origin + stretch * (place - origin))
        return nearest.trimmed(moved, rows), spent * count * job.samples

    return nearest.run_nearest(job, search, tell=tell)


def _mover(job: driver.Job, count: int) -> Callable:
    slopes_of, threat = gradients.class_slopes(job, count), job.threat
    length = dual(threat)

    def move(
        place: Any, origin: Any, y: Any, rivals: Any, stretch: Any
    ) -> tuple[Any, Any]:
        x = threat.clip(origin + stretch * (place - origin))
        margins, slopes, wrong = slopes_of(x, y, rivals)
        steep = length(ops.reshape(slopes, (-1, *x.shape[1:])))
        steep = ops.reshape(steep, (-1, count))
        ways = ops.abs(margins) / ops.maximum(steep, 1e-12)
        chosen = ops.one_hot(ops.argmin(ways, axis=1), count)
        chosen = ops.cast(chosen, x.dtype)
        spread = ops.reshape(chosen, (-1, count, *[1] * (len(x.shape) - 1)))
        slope = ops.sum(slopes * spread, axis=1)
        gap = ops.sum(margins * chosen, axis=1)
        # Clipped steps fall short of the boundary: there are more of them, and
        # they end nearer than steps that make up for what the bounds forbid.
        jump = reach(threat, x, slope, -gap + _PAST, bounded=False)
        return ops.where(wide(wrong, x), place, place + jump), wrong

    return graph(job.model, ("deepfool", *job.key(), count), move)
