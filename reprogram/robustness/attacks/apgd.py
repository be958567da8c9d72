"""Auto-PGD: gradient ascent that finds its own step length."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.robustness.attacks.pgd import begin_at
from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.tools import gradients
from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.models import graph
from reprogram.robustness.threats.balls import wide

_MOMENTUM = 0.75


def apgd(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    loss: str = "ce",
    steps: int = 100,
    restarts: int = 1,
    targets: int = 0,
    start: np.ndarray | None = None,
    samples: int = 1,
    batch_size: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Climbs with momentum; halves the step wherever it stops paying.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        loss: Loss to climb: `"ce"`, `"dlr"` or `"margin"`.
        steps: Number of gradient steps in a restart.
        restarts: Number of random starts; with `targets`, per target class.
        targets: Number of likeliest wrong classes to aim at in turn; 0 for an
            untargeted attack.
        start: Inputs at which the first restart begins, `(n, ...)`.

    Example:
    >>> from reprogram.robustness import L2
    >>> x = np.array([[0.5, 0.3]], "float32")
    >>> result = apgd(lambda x: x * 1.0, x, np.array([0]), L2(0.15), steps=10)
    >>> result.success.tolist()
    [True]

    Reference: Croce and Hein, Reliable Evaluation of Adversarial Robustness
    with an Ensemble of Diverse Parameter-free Attacks, 2020.
    """
    job = driver.white_box_job(
        "apgd", model, x, y, threat, batch_size=batch_size, samples=samples
    )
    climb = _climber(job, loss, targets > 0)

    def attack(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        goals = job.y[rows][:, None]
        if targets:
            goals = gradients.rivals_of(job, rows, targets)
        moved, spent = job.x[rows], np.zeros(len(rows), "int64")
        left = np.arange(len(rows))
        for trial in range(restarts * goals.shape[1]):
            part, goal = rows[left], goals[left, trial % goals.shape[1]]
            first = None if trial >= goals.shape[1] else start
            begin = begin_at(job, part, seed + 9973 * trial, first)
            ends, used, broken = _ascend(climb, job, part, begin, goal, steps)
            moved[left], spent[left] = ends, spent[left] + used
            left = left[~broken]
            if not len(left):
                break
        return moved, spent

    return driver.run(job, attack, tell)


def checkpoints(steps: int) -> list[int]:
    """Returns the steps at which the step length is reconsidered.

    Example:
    >>> checkpoints(100)
    [22, 41, 57, 70, 80, 87, 93, 99]
    """
    period = max(int(0.22 * steps), 1)
    least, less = max(int(0.06 * steps), 1), max(int(0.03 * steps), 1)
    found = [period]
    while found[-1] < steps:
        period = max(period - less, least)
        found.append(found[-1] + period)
    return [step for step in found if step < steps]


def _climber(job: driver.Job, loss: str, targeted: bool) -> Callable:
    inner, slope = job.threat, gradients.sloped(job, loss, targeted)

    def step(state: dict, fixed: dict, pace: Any) -> dict:
        threat, momentum = inner.at(pace[0]), pace[1]
        x, origin = state["x"], fixed["origin"]
        jump = threat.step(x, state["slope"], wide(state["size"], x))
        jump = threat.project(jump, origin) - x
        drift = momentum * jump + (1.0 - momentum) * (x - state["old"])
        # The first call, with size 0, only evaluates the start.
        new = threat.project(x + drift, origin)
        losses, wrong, slopes = slope(new, fixed["y"], fixed["target"])
        better = losses > state["best_loss"]
        first = ops.logical_and(wrong, ops.logical_not(state["broken"]))
        rises = ops.cast(losses > state["loss"], "float32")
        return state | {
            "x": new,
            "old": x,
            "slope": slopes,
            "loss": losses,
            "rises": state["rises"] + rises,
            "best": ops.where(wide(better, x), new, state["best"]),
            "best_slope": ops.where(
                wide(better, x), slopes, state["best_slope"]
            ),
            "best_loss": ops.where(better, losses, state["best_loss"]),
            "broken": ops.logical_or(wrong, state["broken"]),
            "fooled": ops.where(wide(first, x), new, state["fooled"]),
        }

    return graph(job.model, ("apgd", *job.key(), loss, targeted), step)


def _ascend(
    climb: Callable,
    job: driver.Job,
    rows: np.ndarray,
    begin: np.ndarray,
    goal: np.ndarray,
    steps: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Climbs from one start; returns points, queries and errors."""
    fixed = {"origin": job.x[rows], "y": job.y[rows], "target": goal}
    moved, broken = begin.copy(), np.zeros(len(rows), bool)
    spent, left = np.ones(len(rows), "int64"), np.arange(len(rows))
    epsilon, last = job.threat.epsilon, 0
    state = _climb(climb, job, _state(begin), fixed, (epsilon, [1.0]))
    state |= {"rises": 0 * state["rises"], "size": state["size"] + 2 * epsilon}
    state["old_best"] = state["best_loss"]
    for check in [*checkpoints(steps), steps]:
        momenta = [_MOMENTUM if i else 1.0 for i in range(last, check)]
        state = _climb(climb, job, state, fixed, (epsilon, momenta))
        spent[left] += check - last
        moved[left] = np.where(
            state["broken"].reshape(-1, *[1] * (begin.ndim - 1)),
            state["fooled"],
            state["best"],
        )
        broken[left], stand = state["broken"], ~state["broken"]
        left = left[stand]
        if not len(left):
            break
        state = {name: value[stand] for name, value in state.items()}
        fixed = {name: value[stand] for name, value in fixed.items()}
        state = _reconsidered(state, check - last)
        last = check
    return moved, spent * job.samples, broken


def _climb(
    climb: Callable, job: driver.Job, state: dict, fixed: dict, pace: tuple
) -> dict:
    """Takes one step for each momentum, padded to a full batch."""
    epsilon, momenta = pace
    count = len(state["x"])
    size = driver.width(count, job.batch_size)
    fixed = {name: driver.padded(v, size) for name, v in fixed.items()}
    state = {name: driver.padded(v, size) for name, v in state.items()}
    for momentum in momenta:
        lengths = np.array([epsilon, momentum], "float32")
        state = climb(state, fixed, lengths)
    return {
        name: np.array(ops.convert_to_numpy(v)[:count])
        for name, v in state.items()
    }


def _state(begin: np.ndarray) -> dict:
    zeros, none = np.zeros(len(begin), "float32"), np.zeros(len(begin), bool)
    images = ("x", "old", "slope", "best", "best_slope", "fooled")
    lowest = np.full(len(begin), -np.inf, "float32")
    return {
        **dict.fromkeys(images, begin),
        **dict.fromkeys(("loss", "best_loss", "old_best"), lowest),
        **dict.fromkeys(("size", "rises"), zeros),
        "broken": none,
        "halved": ~none,
    }


def _reconsidered(state: dict, period: int) -> dict:
    """Halves steps that do not pay and goes back to the best place so far."""
    swings = state["rises"] <= 0.75 * period
    stuck = ~state["halved"] & (state["old_best"] >= state["best_loss"])
    halve = swings | stuck
    back = halve.reshape(-1, *[1] * (state["x"].ndim - 1))
    return state | {
        "size": np.where(halve, state["size"] / 2, state["size"]),
        "x": np.where(back, state["best"], state["x"]),
        "slope": np.where(back, state["best_slope"], state["slope"]),
        "rises": 0 * state["rises"],
        "halved": halve,
        "old_best": state["best_loss"],
    }
