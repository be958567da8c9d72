"""Rotations and translations of images: a grid of them, or random ones."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.attacks.tools import queries
from reprogram.robustness.attacks.tools.warps import warp
from reprogram.robustness.attacks.tools.warps import warp_each
from reprogram.robustness.threats.spatial import Spatial


def spatial(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Spatial,
    grid: tuple[int, int, int] = (31, 5, 5),
    worst_of: int | None = None,
    batch_size: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Rotates and moves images until the model errs.

    Tries all of a grid in random order, or random ones. Misclassified images
    are not queried again. Images that survive come back with the smallest
    margin found.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        threat: `Spatial` threat with the largest rotation and move.
        grid: Numbers of rotations, of moves down and of moves right, `(3,)`.
        worst_of: Number of random transformations to try instead of the grid; a
            batch of images shares them.

    Returns:
        The adversarial images; distances are Euclidean.

    Example:
    >>> x = np.zeros((1, 3, 3, 1), "float32")
    >>> x[0, 0, 1] = 1.0
    >>> def model(x):
    ...     return ops.concatenate([x[:, 0, 1], 0.5 + 0.0 * x[:, 0, 1]], 1)
    >>> found = spatial(model, x, np.array([0]), Spatial(90, 0), (3, 1, 1))
    >>> found.success.tolist()
    [True]

    Reference: Engstrom et al., Exploring the Landscape of Spatial
    Robustness, 2019.
    """
    _check(x, threat, grid, worst_of)
    job = driver.black_box_job(model, x, y, threat, batch_size)
    ask = queries.fused(
        job,
        "spatial",
        lambda x, y, m: warp(x, m, threat.outside()),
        queries.judged,
    )

    def attack(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([seed, int(rows[0])])
        moves = _moves(threat, grid, worst_of, rng)
        best, _, spent = queries.tried(job, rows, ask, moves)
        return _own(job, rows, best), spent

    return driver.run(job, attack, tell, bounded=False)


def _own(job: driver.Job, rows: np.ndarray, moves: np.ndarray) -> np.ndarray:
    moved = warp_each(job.x[rows], moves, job.threat.outside())
    return np.clip(ops.convert_to_numpy(moved), *job.threat.bounds)


def _moves(
    threat: Spatial,
    grid: tuple[int, int, int],
    worst_of: int | None,
    rng: np.random.Generator,
) -> np.ndarray:
    degrees, pixels = threat.limits()
    ends = np.array([degrees, pixels, pixels])
    if worst_of is not None:
        return rng.uniform(-ends, ends, (worst_of, 3)).astype("float32")
    axes = [
        np.linspace(-end, end, count) if count > 1 else np.zeros(1)
        for end, count in zip(ends, grid, strict=True)
    ]
    moves = np.array(list(itertools.product(*axes)), "float32")
    return rng.permutation(moves)


def _check(
    x: np.ndarray, threat: Any, grid: tuple, worst_of: int | None
) -> None:
    if np.ndim(x) != 4 or not isinstance(threat, Spatial):
        raise ValueError(
            "spatial moves images (n, height, width, channels) and knows the"
            f" threat Spatial. Received shape {np.shape(x)} and the threat"
            f" {getattr(threat, 'name', threat)}."
        )
    if worst_of is not None and worst_of < 1:
        raise ValueError(f"`worst_of` is at least 1. Received: {worst_of}.")
    if len(grid) != 3 or min(grid) < 1 or not math.prod(grid):
        raise ValueError(
            f"`grid` has three numbers of at least 1. Received: {grid}."
        )
