"""Helpers of decision-based attacks: starts and bisections."""

from collections.abc import Callable
from typing import Any

import numpy as np

from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.attacks.tools.gradients import erring
from reprogram.robustness.attacks.tools.queries import batched
from reprogram.robustness.attacks.tools.queries import fused

TRIES = 100


def decision_job(
    name: str, model: Callable, x: np.ndarray, y: np.ndarray, **options: Any
) -> driver.Job:
    """Checks the inputs of a decision-based attack.

    Args:
        name: Name of the attack.
        model: Function from inputs `(n, ...)` to scores `(n, classes)`.
        x: Inputs, `(n, ...)`.
        y: Class ids, `(n,)`.
        **options: `threat`, the norms it may have (`norms`), `queries` and
            `batch_size`.
    """
    threat, queries = options["threat"], options["queries"]
    if threat.name not in options["norms"] or queries < TRIES:
        raise ValueError(
            f"{name} knows the threats {' and '.join(options['norms'])} and"
            f" needs {TRIES} queries at least. Received: {threat.name},"
            f" queries={queries}."
        )
    return driver.black_box_job(model, x, y, threat, options["batch_size"])


def erring_at(job: driver.Job) -> Callable:
    """Makes a function that returns whether the model errs, without scores.

    Returns:
        A function of inputs `(n, ...)` and labels `(n,)` that returns `(n,)`
        booleans and spends one query for each input.
    """
    ask = fused(
        job, "erring", lambda x, y: x, lambda scores, v, x, y: erring(scores, y)
    )

    def wrong(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        if not len(x):
            return np.zeros(0, bool)
        return batched(ask, job, np.asarray(x, "float32"), y)

    return wrong


def started(
    job: driver.Job,
    rows: np.ndarray,
    wrong: Callable,
    rng: np.random.Generator,
    start: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Looks for any inputs on which the model errs.

    Tries the given start, then in turn noise and other samples' inputs.

    Returns:
        The inputs, whether the model errs on each, and the queries spent.
    """
    low, high = (np.broadcast_to(b, job.x.shape[1:]) for b in job.threat.bounds)
    found, spent = job.x[rows], np.zeros(len(rows), "int64")
    left = np.arange(len(rows))
    for attempt in range(0 if start is None else -1, TRIES):
        if attempt < 0 and start is not None:
            tried = np.asarray(start[rows], "float32")
        elif attempt % 2:
            tried = job.x[rng.integers(0, len(job.x), len(left))]
        else:
            tried = rng.uniform(low, high, (len(left), *low.shape))
        tried = np.clip(tried, low, high).astype("float32")
        hit = wrong(tried, job.y[rows[left]])
        spent[left] += 1
        found[left[hit]] = tried[hit]
        left = left[~hit]
        if not len(left):
            break
    return found, ~np.isin(np.arange(len(rows)), left), spent


def toward(
    norm: str, x: np.ndarray, origin: np.ndarray, share: np.ndarray
) -> np.ndarray:
    """Moves inputs toward the originals: share 0 stays, share 1 arrives.

    Args:
        norm: `"L2"` moves along the line, `"Linf"` cuts the largest moves.
        x: Inputs, `(n, ...)`.
        origin: Originals, `(n, ...)`.
        share: Share by which the distance in this norm is reduced, `(n,)`.

    Example:
    >>> x, origin = np.array([[4.0, 1.0]]), np.zeros((1, 2))
    >>> toward("L2", x, origin, np.array([0.5])).tolist()
    [[2.0, 0.5]]
    >>> toward("Linf", x, origin, np.array([0.5])).tolist()
    [[2.0, 1.0]]
    """
    delta = x - origin
    keep = (1 - share).reshape(-1, *[1] * (x.ndim - 1))
    if norm == "L2":
        return (origin + keep * delta).astype(x.dtype)
    axes = tuple(range(1, x.ndim))
    radius = keep * np.abs(delta).max(axis=axes, keepdims=True)
    return (origin + np.clip(delta, -radius, radius)).astype(x.dtype)


def bisected(
    job: driver.Job,
    rows: np.ndarray,
    place: np.ndarray,
    wrong: Callable,
    steps: int,
) -> np.ndarray:
    """Moves errors to the boundary, on the side where the model errs.

    Spends one query a step for each of them.
    """
    origin, y = job.x[rows], job.y[rows]
    low, high = np.zeros(len(rows)), np.ones(len(rows))
    for _ in range(steps):
        middle = (low + high) / 2
        hit = wrong(toward(job.threat.name, place, origin, middle), y)
        low, high = np.where(hit, middle, low), np.where(hit, high, middle)
    return toward(job.threat.name, place, origin, low)
