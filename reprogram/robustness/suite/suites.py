"""Amounts of work for a report card: three suites, cut to the model's cost."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.gradients import value_and_grad
from reprogram.robustness import models
from reprogram.robustness.suite.subjects import Subject


@dataclasses.dataclass(frozen=True)
class Plan:
    """The amount of work of each section of a card.

    Args:
        samples: Number of rows that are attacked.
        steps: Number of gradient steps of APGD and PGD.
        auto_attack: Version of AutoAttack; empty for none.
        queries: Number of queries of each black-box attack for each row.
        compositions: Number of compositions of image edits that are tried.
        grid: Numbers of rotations and moves of the spatial attack.
        shifted: Number of rows under shifts.
        severities: Severities of shifts, from 1 to 5.
        clever_samples: Number of rows for CLEVER.
        clever_points: Number of points for each maximum of CLEVER.
        clever_batches: Number of maxima of CLEVER, at least 100.
        smoothed: Number of rows that are certified.
        votes: Number of noisy copies of each certified row.
        forms: Number of other forms of each molecule.
        seed: Seed of all draws.
    """

    samples: int = 256
    steps: int = 50
    auto_attack: str = ""
    queries: int = 300
    compositions: int = 30
    grid: tuple[int, int, int] = (7, 3, 3)
    shifted: int = 256
    severities: tuple[int, ...] = (1, 3, 5)
    clever_samples: int = 10
    clever_points: int = 64
    clever_batches: int = 100
    smoothed: int = 30
    votes: int = 1000
    forms: int = 5
    seed: int = 0


STANDARD = Plan(
    samples=500,
    steps=100,
    auto_attack="fast",
    queries=1000,
    compositions=100,
    shifted=500,
    grid=(31, 5, 5),
    severities=(1, 2, 3, 4, 5),
    clever_samples=20,
    clever_points=256,
    clever_batches=200,
    smoothed=100,
    votes=10_000,
    forms=10,
)
FULL = dataclasses.replace(
    STANDARD,
    samples=1000,
    auto_attack="standard",
    queries=5000,
    compositions=300,
    shifted=1000,
    clever_samples=100,
    clever_points=1024,
    clever_batches=500,
    smoothed=500,
    votes=100_000,
    forms=20,
)
SUITES = {"quick": Plan(), "standard": STANDARD, "full": FULL}
# Of the quick suite, for one section; the others take what they take.
SECONDS = 40.0
VALUE = 1.5e-6  # Seconds that all corruptions take for one value.


def plan(suite: str, subject: Subject, samples: int = 0, seed: int = 0) -> Plan:
    """Returns the plan of a suite for a subject.

    The quick suite is cut to what the model costs on this machine, so that a
    section takes about 40 seconds; the plan is part of the card.

    Args:
        suite: Name of a suite in `SUITES`.
        subject: Model and the rows to test it on.
        samples: Number of rows to attack; 0 for that of the suite.
        seed: Seed of all draws.

    Raises:
        ValueError: If there is no such suite, or a negative number of rows.

    Example:
    >>> from reprogram.robustness.suite.subjects import of_model
    >>> x = np.array([[0.2, 0.9], [0.7, 0.1]], "float32")
    >>> subject = of_model(lambda x: x * 2.0, x, np.array([1, 0]), (0, 1))
    >>> plan("quick", subject).samples
    2
    """
    check(suite, samples)
    found = dataclasses.replace(SUITES[suite], seed=seed)
    most = min(samples or found.samples, len(subject.x))
    found = dataclasses.replace(found, samples=most)
    if suite != "quick" or not subject.attackable:
        return found
    forward, gradient = _seconds(subject)
    found = _cut(found, forward, gradient, subject.known.classes, bool(samples))
    one = 15 * forward + VALUE * subject.x[0].size
    most = SECONDS / (len(found.severities) * one)
    return dataclasses.replace(
        found, shifted=min(found.samples, max(32, int(most)))
    )


def check(suite: str, samples: int) -> None:
    """Raises an error for an unknown suite or a negative number of rows."""
    if suite not in SUITES or samples < 0:
        raise ValueError(
            f"Suites are {', '.join(SUITES)}, and samples at least 1. Received:"
            f" {suite!r}, {samples}."
        )


def _cut(
    found: Plan, forward: float, gradient: float, classes: int, fixed: bool
) -> Plan:
    """Lowers counts to what their sections can afford, not below a least."""

    def afford(most: int, cost: float, least: int) -> int:
        return min(most, max(least, int(SECONDS / max(cost, 1e-9))))

    samples = found.samples
    if not fixed:
        samples = afford(samples, gradient * 3 * found.steps, min(32, samples))
    point = gradient * classes * found.clever_batches
    clever_samples = afford(found.clever_samples, point * 4, 1)
    return dataclasses.replace(
        found,
        samples=samples,
        queries=afford(found.queries, forward * samples * 2, 100),
        compositions=afford(
            found.compositions, (forward + gradient) * samples * 2, 5
        ),
        clever_samples=min(clever_samples, samples),
        clever_points=afford(
            found.clever_points, point * min(clever_samples, samples), 2
        ),
        smoothed=min(samples, afford(found.smoothed, forward * 500, 4)),
    )


def _seconds(subject: Subject) -> tuple[float, float]:
    """Measures a prediction and a gradient, for one row in a batch."""
    x = np.resize(subject.x, (16, *subject.x.shape[1:]))
    answer = models.compiled_scores(subject.model)
    forward = _best(lambda: ops.convert_to_numpy(answer(x))) / len(x)
    if not subject.known.differentiable:
        return forward, 3 * forward
    scores = models.inference(subject.model)
    slope = models.graph(
        subject.model,
        "cost",
        value_and_grad(lambda v: ops.sum(ops.logsumexp(scores(v), axis=1))),
    )
    return forward, _best(lambda: ops.convert_to_numpy(slope(x)[1])) / len(x)


def _best(call: Callable[[], Any]) -> float:
    spent = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        spent.append(time.perf_counter() - start)
    return min(spent)
