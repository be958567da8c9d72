"""Semantic attack: the worst composition of color, light and sharpness."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.gradients import value_and_grad
from reprogram.robustness import models
from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.attacks.tools.queries import fused
from reprogram.robustness.attacks.tools.queries import judged
from reprogram.robustness.attacks.tools.queries import margins
from reprogram.robustness.attacks.tools.queries import tried
from reprogram.robustness.threats.semantic import Semantic
from reprogram.robustness.threats.semantic import edited


def semantic(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Semantic,
    queries: int = 100,
    steps: int = 20,
    batch_size: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Edits images until the model errs: at random, then along gradients.

    Each edit alone at both ends comes first, then random compositions. From the
    composition with the smallest margin the edits climb the model's gradient,
    where there is one. Misclassified images are not queried again.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        threat: Threat model with the edits and their ranges.
        queries: Number of compositions for each image before the gradient.
        steps: Number of gradient steps; ignored for models without gradients.

    Returns:
        The adversarial images; distances are Euclidean.

    Example:
    >>> x = np.full((1, 4, 4, 1), 0.6, "float32")
    >>> def model(x):
    ...     mean = ops.mean(x, (1, 2, 3))
    ...     return ops.stack([mean, 0.5 + 0.0 * mean], 1)
    >>> semantic(model, x, np.array([0]), Semantic()).success.tolist()
    [True]

    Reference: Hsiung et al., Towards Compositional Adversarial Robustness:
    Generalizing Adversarial Training to Composite Semantic Perturbations,
    2023.
    """
    if np.ndim(x) != 4 or not isinstance(threat, Semantic) or queries < 1:
        raise ValueError(
            "semantic edits images (n, height, width, channels), knows the"
            " threat Semantic and needs a query. Received shape"
            f" {np.shape(x)}, the threat {getattr(threat, 'name', threat)},"
            f" queries={queries}."
        )
    job = driver.black_box_job(model, x, y, threat, batch_size)
    ask = fused(job, "semantic", _copies(threat), judged)
    climb = _climber(job) if job.facts.differentiable and steps else None
    count = len(threat.limits())

    def attack(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([seed, int(rows[0])])
        draws = rng.uniform(-1, 1, (queries, count))
        ends = np.concatenate([np.eye(count), -np.eye(count)])
        draws = np.concatenate([ends, draws])[:queries].astype("float32")
        best, margin, spent = tried(job, rows, ask, draws)
        left = margin >= 0
        if climb is not None and left.any():
            found = _climbed(job, rows[left], climb, best[left], steps)
            best[left], spent[left] = found[0], spent[left] + found[1]
        return _applied(job, rows, best), spent

    return driver.run(job, attack, tell, bounded=False)


def _copies(threat: Semantic) -> Callable:
    def copies(x: Any, y: Any, knobs: Any) -> Any:
        """Applies all compositions to all images, `(k * n, ...)`."""
        count, images = ops.shape(knobs)[0], ops.shape(x)[0]
        repeated = ops.tile(x, (count, 1, 1, 1))
        return edited(repeated, ops.repeat(knobs, images, axis=0), threat)

    return copies


def _climber(job: driver.Job) -> Callable:
    scores = models.logits(job.model, job.facts)

    def value(knobs: Any, x: Any, y: Any) -> tuple[Any, Any]:
        margin = margins(scores(edited(x, knobs, job.threat)), y)
        return ops.sum(margin), margin

    slope = value_and_grad(value, has_aux=True)

    def climb(knobs: Any, x: Any, y: Any, size: Any) -> tuple[Any, Any]:
        (_, margin), gradient = slope(knobs, x, y)
        moved = ops.clip(knobs - size * ops.sign(gradient), -1.0, 1.0)
        return moved, margin

    return models.graph(job.model, ("semantic climb", *job.key()), climb)


def _climbed(
    job: driver.Job,
    rows: np.ndarray,
    climb: Callable,
    knobs: np.ndarray,
    steps: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the best compositions on the way, and the queries of each."""
    size = driver.width(len(rows), job.batch_size)
    x, y, place = (
        driver.padded(v, size) for v in (job.x[rows], job.y[rows], knobs)
    )
    best, margin = knobs.copy(), np.full(len(rows), np.inf)
    spent = np.zeros(len(rows), "int64")
    for step in range(steps):
        pace = np.float32(0.5 * (1 - step / steps))
        before = ops.convert_to_numpy(place)[: len(rows)]
        place, found = climb(place, x, y, pace)
        found = ops.convert_to_numpy(found)[: len(rows)]
        going = margin >= 0
        spent += going
        better = going & (found < margin)
        best[better], margin[better] = before[better], found[better]
        if (margin < 0).all():
            break
    return best, spent


def _applied(
    job: driver.Job, rows: np.ndarray, knobs: np.ndarray
) -> np.ndarray:
    found = edited(job.x[rows], knobs, job.threat)
    return np.clip(ops.convert_to_numpy(found), *job.threat.bounds)
