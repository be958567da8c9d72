"""The frame of all attacks: survivors only, full batches, checked successes."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.robustness import models
from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.certification.counting import Draws
from reprogram.robustness.checks import checked
from reprogram.robustness.checks import white_box
from reprogram.robustness.models import Facts


@dataclasses.dataclass(frozen=True)
class Job:
    """One attack: the model, the inputs and the facts about them."""

    model: Callable
    x: np.ndarray
    y: np.ndarray
    threat: Any
    facts: Facts
    batch_size: int = 256
    samples: int = 1

    def key(self) -> tuple:
        """Returns the key of the compiled steps of this job."""
        return self.threat.key(), self.facts.answers, self.samples

    @functools.cached_property
    def answer(self) -> Callable:
        """The model as a graph."""
        return models.compiled_scores(self.model)

    @functools.cached_property
    def sample(self) -> Callable:
        """Compiled function that draws points in the ball around inputs."""
        threat = self.threat
        return models.graph(
            self.model,
            ("sample", threat.key()),
            lambda x, radius, draw: threat.at(radius).sample(x, Draws(draw)),
        )

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Returns the model's scores, averaged over `samples` of them."""
        found = []
        for first in range(0, len(x), self.batch_size):
            part = x[first : first + self.batch_size]
            batch = padded(part, width(len(part), self.batch_size))
            total = sum(
                ops.convert_to_numpy(self.answer(batch))
                for _ in range(self.samples)
            )
            found.append(total[: len(part)] / self.samples)
        if not found:
            return np.zeros((0, self.facts.classes), "float32")
        return np.concatenate(found)

    def labels(self, x: np.ndarray) -> np.ndarray:
        """Returns the class the model gives each input, `(n,)`."""
        return self.scores(x).argmax(axis=1)

    def distance(self, x: np.ndarray, rows: Any = slice(None)) -> np.ndarray:
        """Returns how far inputs are from the originals, `(n,)`."""
        delta = ops.convert_to_tensor(x - self.x[rows])
        return ops.convert_to_numpy(self.threat.norm(delta))


def white_box_job(
    name: str,
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    **options: int,
) -> Job:
    """Checks the inputs of an attack that needs gradients."""
    x, y, facts = checked(model, x, y, threat)
    white_box(facts, name)
    return Job(model, x, y, threat, facts, **options)


def black_box_job(
    model: Callable, x: np.ndarray, y: np.ndarray, threat: Any, batch_size: int
) -> Job:
    """Checks the inputs of an attack that uses scores or classes only."""
    x, y, facts = checked(model, x, y, threat)
    return Job(model, x, y, threat, facts, batch_size)


def run(
    job: Job,
    attack: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    tell: Callable[[str], None] | None = None,
    bounded: bool = True,
) -> AttackResult:
    """Attacks the correctly classified samples, and checks every success.

    Args:
        job: Attack with its model, inputs and threat.
        attack: Function from positions of samples, at most a batch, to their
            adversarial inputs and the queries spent on each.
        tell: Function that is called with a line of progress.
        bounded: Whether a success must lie in the threat's ball.

    Returns:
        The result on all samples. A success counts only if the model, queried
        once more, errs on the returned input inside the ball and the bounds.
    """
    right = job.labels(job.x) == job.y
    adversarial, success = job.x.copy(), ~right
    queries = np.full(len(job.x), job.samples, "int64")
    distance = np.zeros(len(job.x), "float32")
    todo = np.flatnonzero(right)
    for first in range(0, len(todo), job.batch_size):
        rows = todo[first : first + job.batch_size]
        adversarial[rows], spent = attack(rows)
        queries[rows] += spent + job.samples
        wrong = job.labels(adversarial[rows]) != job.y[rows]
        distance[rows] = near = job.distance(adversarial[rows], rows)
        if bounded:
            wrong &= near <= job.threat.epsilon * (1 + 1e-4) + 1e-6
        success[rows] = wrong
        if tell is not None:
            tell(
                f"{first + len(rows)} of {len(todo)} attacked,"
                f" {1 - success.mean():.1%} still robust or waiting"
            )
    flags = job.facts.warnings
    if len(np.unique(job.y)) == 1 and len(job.y) > 1:
        flags += (
            "All samples have one class; the result says nothing of others.",
        )
    return AttackResult(adversarial, success, distance, queries, flags)


def width(count: int, batch_size: int) -> int:
    """Returns the size to pad `count` samples to.

    Sizes are eight times powers of two, or the full batch, so that few graphs
    are compiled and little is computed in vain.

    Example:
    >>> width(3, 256), width(100, 256), width(250, 256)
    (8, 128, 256)
    """
    size = 8
    while size < count:
        size *= 2
    return max(count, min(size, batch_size))


def padded(values: np.ndarray, size: int) -> np.ndarray:
    """Repeats the last row until there are `size` rows."""
    missing = max(0, size - len(values))
    return np.concatenate([values, np.repeat(values[-1:], missing, axis=0)])
