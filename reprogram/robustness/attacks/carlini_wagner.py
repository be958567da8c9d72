"""The attack of Carlini and Wagner in L2."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.gradients import value_and_grad
from reprogram.robustness import models
from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.tools import gradients
from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.attacks.tools import nearest
from reprogram.robustness.attacks.tools.losses import margin
from reprogram.robustness.threats import balls

_EDGE = 0.99999


def carlini_wagner(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    steps: int = 200,
    searches: int = 7,
    rate: float = 0.02,
    confidence: float = 0.0,
    samples: int = 1,
    batch_size: int = 256,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Weighs distance against margin; finds the weight by bisection.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        threat: `L2` threat model, also `Restricted`.
        steps: Number of Adam steps for each weight.
        searches: Number of weights tried for each sample.
        rate: Learning rate of Adam on the hyperbolic arctangent of the inputs.
        confidence: Margin by which the wrong logit has to win.

    Returns:
        The nearest errors found. Only those inside the radius are successes.

    Example:
    >>> from reprogram.robustness import L2
    >>> x = np.array([[0.5, 0.3]], "float32")
    >>> result = carlini_wagner(lambda x: x * 1.0, x, np.array([0]), L2(0.2))
    >>> round(float(result.distance[0]), 2)
    0.14

    Reference: Carlini and Wagner, Towards Evaluating the Robustness of Neural
    Networks, 2017.
    """
    if threat.name not in ("L2", "L2 restricted"):
        raise ValueError(
            f"`carlini_wagner` looks for errors near in L2. Received a"
            f" {threat.name} threat. Use L2, or fab for other norms."
        )
    job = driver.white_box_job(
        "carlini_wagner",
        model,
        x,
        y,
        threat,
        batch_size=batch_size,
        samples=samples,
    )
    descend = _descender(job)
    options = np.array([rate, confidence, 0.0], "float32")

    def search(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        origin, y = nearest.prepared(job, job.x[rows], job.y[rows])
        low, high = np.zeros(len(y)), np.full(len(y), np.inf)
        fixed = {"origin": origin, "y": y, "weight": np.ones(len(y))}
        state = {"best": origin, "far": np.full(len(y), np.inf, "float32")}
        for _ in range(searches):
            state = _descent(descend, state, fixed, options, steps)
            hit = ops.convert_to_numpy(state["hit"])
            weight = fixed["weight"]
            high = np.where(hit, np.minimum(high, weight), high)
            low = np.where(hit, low, np.maximum(low, weight))
            middle = (low + np.where(np.isinf(high), 0.0, high)) / 2
            fixed["weight"] = np.where(np.isinf(high), low * 10, middle)
        spent = np.full(len(rows), steps * searches * job.samples, "int64")
        return nearest.trimmed(state["best"], rows), spent

    return nearest.run_nearest(job, search, tell=tell)


def _descent(
    descend: Callable, state: dict, fixed: dict, options: np.ndarray, steps: int
) -> dict:
    """Minimizes from the originals with one weight."""
    zeros = np.zeros_like(fixed["origin"])
    fixed = fixed | {"weight": fixed["weight"].astype("float32")}
    none = np.zeros(len(zeros), bool)
    state = state | {"w": zeros, "first": zeros, "second": zeros, "hit": none}
    for step in range(1, steps + 1):
        options[2] = step
        state = descend(state, fixed, options)
    return state


def _descender(job: driver.Job) -> Callable:
    """Compiles one step of Adam on the hyperbolic arctangent of the inputs."""
    scores, threat = models.logits(job.model, job.facts), job.threat
    lowest, highest = (np.asarray(b, "float32") for b in threat.bounds)
    middle, half = (lowest + highest) / 2, (highest - lowest) / 2

    def placed(w: Any, origin: Any) -> Any:
        # `w` is counted from the original, which is at zero.
        start = ops.arctanh((origin - middle) / half * _EDGE)
        moved = middle + half * ops.tanh(start + w) / _EDGE
        moved = threat.clip(moved)
        if hasattr(threat, "allowed"):
            return ops.where(threat.allowed(moved) > 0, moved, origin)
        return moved

    def value(w: Any, fixed: dict, confidence: Any) -> tuple[Any, Any]:
        x = placed(w, fixed["origin"])
        z = gradients.averaged(scores, x, job.samples)
        gap = ops.maximum(confidence - margin(z, fixed["y"]), 0.0)
        far = ops.sum(ops.square(balls.flat(x - fixed["origin"])), axis=1)
        loss = ops.sum(far + fixed["weight"] * gap)
        won = ops.logical_and(gradients.erring(z, fixed["y"]), gap <= 0)
        return loss, (x, threat.norm(x - fixed["origin"]), won)

    slope = value_and_grad(value, has_aux=True)

    def descend(state: dict, fixed: dict, options: Any) -> dict:
        rate, confidence, step = options[0], options[1], options[2]
        (_, (x, far, won)), gradient = slope(state["w"], fixed, confidence)
        nearer = ops.logical_and(won, far < state["far"])
        first = 0.9 * state["first"] + 0.1 * gradient
        second = 0.999 * state["second"] + 0.001 * ops.square(gradient)
        scale = ops.sqrt(second / (1 - 0.999**step)) + 1e-8
        return {
            "w": state["w"] - rate * first / (1 - 0.9**step) / scale,
            "first": first,
            "second": second,
            "best": ops.where(balls.wide(nearer, x), x, state["best"]),
            "far": ops.where(nearer, far, state["far"]),
            "hit": ops.logical_or(won, state["hit"]),
        }

    return models.graph(job.model, ("carlini_wagner", *job.key()), descend)
