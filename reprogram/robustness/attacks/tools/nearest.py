"""Helpers of attacks that look for the nearest error."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.tools import job as driver


def refined(
    job: driver.Job, rows: np.ndarray, moved: np.ndarray, halvings: int = 10
) -> np.ndarray:
    """Moves errors back towards the originals as far as they stay errors.

    Args:
        job: Attack with its model, inputs and threat.
        rows: Positions of the samples.
        moved: Adversarial inputs of these samples, `(rows, ...)`.
        halvings: Number of bisections; each is one forward pass.

    Returns:
        Adversarial inputs at most as far away.
    """
    origin, y = job.x[rows], job.y[rows]
    low, high = np.zeros(len(rows)), np.ones(len(rows))

    def between(share: np.ndarray) -> np.ndarray:
        share = share.reshape((-1, *[1] * (origin.ndim - 1)))
        return (origin + share * (moved - origin)).astype("float32")

    for _ in range(halvings):
        middle = (low + high) / 2
        wrong = job.labels(between(middle)) != y
        low, high = np.where(wrong, low, middle), np.where(wrong, middle, high)
    return np.where(
        (high < 1).reshape((-1, *[1] * (origin.ndim - 1))), between(high), moved
    )


def run_nearest(
    job: driver.Job,
    search: Callable[[np.ndarray], tuple[np.ndarray, Any]],
    halvings: int = 10,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Runs an attack that returns errors near the originals, and refines.

    Args:
        job: Attack with its model, inputs and threat.
        search: Function from positions to adversarial inputs and queries.
        halvings: Number of bisections at the end.
        tell: Function that is called with a line of progress.

    Returns:
        The result. An error beyond the radius is returned too; it does not
        count as a success, its distance is that of the nearest error found.
    """

    def attack(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        moved, spent = search(rows)
        wrong = job.labels(moved) != job.y[rows]
        if wrong.any():
            moved = moved.copy()
            moved[wrong] = refined(job, rows[wrong], moved[wrong], halvings)
        spread = wrong.reshape((-1, *[1] * (moved.ndim - 1)))
        spent = spent + (1 + halvings * wrong) * job.samples
        return np.where(spread, moved, job.x[rows]), spent

    return driver.run(job, attack, tell)


def prepared(job: driver.Job, *values: np.ndarray) -> list[np.ndarray]:
    """Pads arrays of the same samples to a full batch."""
    size = driver.width(len(values[0]), job.batch_size)
    return [driver.padded(value, size) for value in values]


def trimmed(value: Any, rows: np.ndarray) -> np.ndarray:
    """Returns a padded tensor as an array without the padding."""
    return np.array(ops.convert_to_numpy(value)[: len(rows)])
