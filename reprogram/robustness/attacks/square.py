"""Square: random windows of the input, kept if the margin falls."""

from collections.abc import Callable
from typing import Any

import numpy as np

from reprogram.robustness.attacks import square_euclidean
from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.attacks.tools.queries import batched
from reprogram.robustness.attacks.tools.queries import fused
from reprogram.robustness.attacks.tools.queries import margins

# Of 10,000 queries; where the share of changed values is halved.
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
_SIGNS = np.array([-1.0, 1.0], "float32")


def square(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    queries: int = 5000,
    share: float = 0.8,
    batch_size: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Searches without gradients, with one query an iteration.

    Starts from random stripes of full strength, then moves square windows
    (intervals of series and tables) up or down, smaller and smaller, and
    keeps what lowers the margin between the true class and the best other. In
    L2 a window takes the length of its change from another.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        threat: `Linf` or `L2` threat model.
        queries: Largest number of predictions for each sample.
        share: Share of the values that the first windows cover.

    Example:
    >>> from reprogram.robustness import Linf
    >>> x = np.array([[0.5, 0.3], [0.9, 0.1]], "float32")
    >>> result = square(lambda x: x, x, np.array([0, 0]), Linf(0.15),
    ...                 queries=50)
    >>> result.success.tolist()
    [True, False]

    Reference: Andriushchenko et al., Square Attack: a query-efficient
    black-box adversarial attack via random search, 2020.
    """
    job = driver.black_box_job(model, x, y, threat, batch_size)
    known = threat.name in ("Linf", "L2")
    if not known or queries < 1 or not 0 < share <= 1:
        raise ValueError(
            "Square knows the threats Linf and L2, at least one query and a"
            f" share in (0, 1]. Received: {threat.name}, queries={queries},"
            f" share={share}."
        )
    answer = fused(
        job,
        "margins",
        lambda x, y: x,
        lambda scores, v, x, y: margins(scores, y),
    )

    def attack(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([seed, int(rows[0])])

        def ask(values: np.ndarray, left: np.ndarray) -> np.ndarray:
            return batched(answer, job, values, job.y[rows[left]])

        def covered(step: int) -> float:
            return share_at(step, queries, share)

        search = square_euclidean.search if threat.name == "L2" else _search
        return search(job, rows, covered, queries, ask, rng)

    return driver.run(job, attack, tell)


def _search(
    job: driver.Job,
    rows: np.ndarray,
    sides: Callable[[int], float],
    queries: int,
    ask: Callable,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    shape = job.x.shape[1:]
    origin = job.x[rows]
    origin = origin if len(shape) > 1 else origin[..., None]
    epsilon = np.float32(job.threat.epsilon)
    low, high = (_like(bound, shape) for bound in job.threat.bounds)
    low = np.maximum(origin - epsilon, low)
    high = np.minimum(origin + epsilon, high)

    left = np.arange(len(rows))
    moved = origin + epsilon * _stripes(origin.shape, rng)
    moved = np.clip(moved, low, high)
    best = ask(moved.reshape(-1, *shape), left)
    spent, floor, ceiling = np.ones(len(rows), "int64"), low, high
    for step in range(1, queries):
        left = np.flatnonzero(best >= 0)
        if not len(left):
            break
        if len(left) < len(floor):
            floor, ceiling = low[left], high[left]
        side = _side(sides(step), origin.shape[1:-1])
        up = rng.integers(0, 2, (len(left), *_single(origin))) == 1
        window = _windows(len(left), origin.shape[1:-1], side, rng)
        now = moved if len(left) == len(moved) else moved[left]
        # A step is twice the radius: it ends where the ball or the box does.
        new = np.where(window, np.where(up, ceiling, floor), now)
        # Where all has this sign already, the question would be wasted.
        same = (new == now).reshape(len(left), -1).all(axis=1)
        if same.any():
            turned = np.where(up[same], floor[same], ceiling[same])
            new[same] = np.where(window[same], turned, now[same])
        found = ask(new.reshape(-1, *shape), left)
        better = found < best[left]
        moved[left[better]], best[left[better]] = new[better], found[better]
        spent[left] += 1
    return moved.reshape(-1, *shape), spent


def share_at(step: int, queries: int, share: float) -> float:
    """Returns the share of values that a window covers at a step.

    Args:
        step: Number of the step, from 0.
        queries: Largest number of predictions for each sample.
        share: Share of the values that the first windows cover.

    Example:
    >>> share_at(0, 10_000, 0.8), share_at(100, 10_000, 0.8)
    (0.8, 0.2)
    """
    scaled = int(step / queries * 10_000)
    return share / 2 ** sum(scaled > limit for limit in HALVINGS)


def _side(share: float, sizes: tuple[int, ...]) -> int:
    side = (share * np.prod(sizes)) ** (1 / len(sizes))
    return max(1, min(round(float(side)), min(sizes)))


def _single(x: np.ndarray) -> tuple[int, ...]:
    return (*[1] * (x.ndim - 2), x.shape[-1])


def _stripes(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Signs that are constant along the first axis of images."""
    inner = (1, *shape[2:]) if len(shape) > 3 else shape[1:]
    return rng.choice(_SIGNS, (shape[0], *inner))


def _windows(
    count: int, sizes: tuple[int, ...], side: int, rng: np.random.Generator
) -> np.ndarray:
    """Says what is in a window of each sample, `(count, ..., 1)`."""
    window = np.ones((count, *[1] * len(sizes)), bool)
    for axis, size in enumerate(sizes):
        start = rng.integers(0, size - side + 1, count)[:, None]
        place = np.arange(size)[None]
        inside = (place >= start) & (place < start + side)
        window = window & inside.reshape(
            count, *(size if a == axis else 1 for a in range(len(sizes)))
        )
    return window[..., None]


def _like(bound: Any, shape: tuple[int, ...]) -> np.ndarray:
    found = np.broadcast_to(np.asarray(bound, "float32"), shape)
    return found if len(shape) > 1 else found[..., None]
