"""Signs that attacks overestimate the robustness of a model."""

from typing import Any

import numpy as np
from keras import ops

from reprogram.robustness.attacks.tools.gradients import sloped
from reprogram.robustness.attacks.tools.job import Job
from reprogram.robustness.attacks.tools.job import padded
from reprogram.robustness.attacks.tools.job import width
from reprogram.robustness.models import graph
from reprogram.robustness.threats.balls import flat


def misuse(job: Job, version: str = "standard") -> tuple[str, ...]:
    """Looks for randomness and zero gradients on all inputs.

    Args:
        job: Attack with its model, inputs and threat.
        version: Version of AutoAttack; `"rand"` is for random models.

    Returns:
        Warnings, with what to do.
    """
    flags = list(job.facts.warnings)
    if not job.facts.deterministic and version != "rand":
        flags.append("A random model: take version='rand'.")
    if job.facts.deterministic and version == "rand":
        flags.append(
            "The model is not random: version='standard' is the stronger one."
        )
    if job.facts.differentiable:
        share = float(np.mean(zero_gradients(job)))
        if share > 0:
            flags.append(
                f"Zero gradients of the cross-entropy on {share:.1%} of the"
                " inputs: it saturates or gradients are masked. The losses on"
                " logits differences and Square do not rely on it."
            )
    return tuple(flags)


def zero_gradients(job: Job) -> np.ndarray:
    """Returns for which inputs the cross-entropy has no gradient, `(n,)`."""
    slope = sloped(job, "ce")

    def steepest(x: Any, y: Any) -> Any:
        return ops.max(ops.abs(flat(slope(x, y, y)[2])), axis=1)

    fast = graph(job.model, ("steepest", *job.key()), steepest)
    found = []
    for first in range(0, len(job.x), job.batch_size):
        rows = slice(first, first + job.batch_size)
        x, y = job.x[rows], job.y[rows]
        size = width(len(x), job.batch_size)
        values = fast(padded(x, size), padded(y, size))
        found.append(ops.convert_to_numpy(values)[: len(x)] == 0)
    return np.concatenate(found)
