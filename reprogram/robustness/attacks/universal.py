"""One perturbation for all inputs."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.gradients import value_and_grad
from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.attacks.tools.gradients import averaged
from reprogram.robustness.attacks.tools.gradients import erring
from reprogram.robustness.attacks.tools.losses import LOSSES
from reprogram.robustness.models import graph
from reprogram.robustness.models import logits

_CEILING = 2.3


def universal(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    epochs: int = 20,
    size: float | None = None,
    perturbation: np.ndarray | None = None,
    samples: int = 1,
    batch_size: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Adds one perturbation, found on these inputs or given, to all of them.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        epochs: Number of passes over the inputs.
        size: Length of a step in the threat's norm; `None` takes a tenth of
            the radius.
        perturbation: Result of `universal_perturbation` on other inputs, shaped
            like one input.

    Returns:
        The adversarial inputs, clipped to the bounds.

    Example:
    >>> from reprogram.robustness import Linf
    >>> x = np.array([[0.5, 0.3], [0.6, 0.4]], "float32")
    >>> result = universal(lambda x: x * 1.0, x, np.array([0, 0]), Linf(0.15))
    >>> result.success.tolist()
    [True, True]

    References: Moosavi-Dezfooli et al., Universal Adversarial Perturbations,
    2017; Shafahi et al., Universal Adversarial Training, 2020.
    """
    job = driver.white_box_job(
        "universal", model, x, y, threat, batch_size=batch_size, samples=samples
    )
    spent = 0
    if perturbation is None:
        perturbation = _found(job, epochs, size, seed, tell)
        spent = epochs * samples

    def attack(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        moved = job.threat.project(job.x[rows] + perturbation, job.x[rows])
        return ops.convert_to_numpy(moved), np.full(len(rows), spent)

    return driver.run(job, attack)


def universal_perturbation(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    epochs: int = 20,
    size: float | None = None,
    **options: Any,
) -> np.ndarray:
    """Finds one perturbation that makes the model err on many inputs.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        epochs: Number of passes over the inputs.
        size: Length of a step; `None` takes a tenth of the radius.
        **options: `samples`, `batch_size`, `seed` and `tell`, as in
            `universal`.

    Returns:
        The perturbation, shaped like one input, inside the ball.
    """
    seed, tell = options.pop("seed", 0), options.pop("tell", None)
    job = driver.white_box_job("universal", model, x, y, threat, **options)
    return _found(job, epochs, size, seed, tell)


def _found(
    job: driver.Job,
    epochs: int,
    size: float | None,
    seed: int,
    tell: Callable[[str], None] | None,
) -> np.ndarray:
    epsilon = job.threat.epsilon
    pace = np.array([epsilon, epsilon / 10 if size is None else size])
    climb, order = _climber(job), np.random.default_rng(seed)
    delta = np.zeros((1, *job.x.shape[1:]), "float32")
    count = min(job.batch_size, len(job.x))
    for epoch in range(epochs):
        rows = order.permutation(len(job.x))
        total = 0.0
        for first in range(0, len(rows), count):
            # A short last batch is filled up, so that one graph serves all.
            part = np.resize(rows[first : first + count], count)
            delta, wrong = climb(
                delta, job.x[part], job.y[part], pace.astype("float32")
            )
            total += float(wrong) * len(rows[first : first + count])
        if tell is not None:
            tell(f"epoch {epoch + 1}: {total / len(rows):.1%} fooled")
    return ops.convert_to_numpy(delta)[0]


def _climber(job: driver.Job) -> Callable:
    scores, inner = logits(job.model, job.facts), job.threat
    free = _around_zero(inner, float(np.max(np.ptp(inner.bounds, axis=0))))

    def value(delta: Any, x: Any, y: Any) -> tuple[Any, Any]:
        z = averaged(scores, inner.clip(x + delta), job.samples)
        # Without a ceiling a few samples would rule the sum.
        losses = ops.minimum(LOSSES["ce"](z, y), _CEILING)
        wrong = erring(z, y)
        return ops.sum(losses), ops.mean(ops.cast(wrong, "float32"))

    slope = value_and_grad(value, has_aux=True)

    def climb(delta: Any, x: Any, y: Any, pace: Any) -> tuple[Any, Any]:
        (_, wrong), gradient = slope(delta, x, y)
        moved = free.at(pace[0]).project(
            free.step(delta, gradient, pace[1]), ops.zeros_like(delta)
        )
        return moved, wrong

    return graph(job.model, ("universal", *job.key()), climb)


def _around_zero(threat: Any, span: float) -> Any:
    """Returns the same ball, for perturbations instead of inputs."""
    if hasattr(threat, "groups"):
        raise ValueError(
            "One perturbation cannot keep one-hot groups one-hot. Attack each"
            " sample with pgd."
        )
    if hasattr(threat, "threat"):
        inner = _around_zero(threat.threat, span)
        return dataclasses.replace(threat, threat=inner)
    return dataclasses.replace(threat, bounds=(-span, span))
