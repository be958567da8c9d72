"""SimBA: one direction at a time, kept if the margin falls."""

from collections.abc import Callable
from typing import Any

import numpy as np

from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.attacks.tools.queries import batched
from reprogram.robustness.attacks.tools.queries import moving

BASES = ("values", "dct")


def simba(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    queries: int = 5000,
    size: float | None = None,
    basis: str = "values",
    batch_size: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> AttackResult:
    """Adds or subtracts one orthogonal direction after the other.

    A direction whose sum lowers the margin between the true class and the best
    other is kept and costs one query; otherwise the difference is tried as
    well.

    What all attacks take is explained in `reprogram.robustness.attacks`.

    Args:
        threat: Threat model; moves are projected on it.
        queries: Largest number of predictions for each sample.
        size: Length of a move; `None` takes the radius in Linf, otherwise a
            fifth of the range of values, at most the radius.
        basis: `"values"` to move one value at a time, or `"dct"` to move one
            frequency of images and series, low ones first.

    Raises:
        ValueError: If the inputs do not fit, or there is no such basis.

    Example:
    >>> from reprogram.robustness import L2
    >>> x = np.array([[0.5, 0.3], [0.9, 0.1]], "float32")
    >>> result = simba(lambda x: x, x, np.array([0, 0]), L2(0.3), queries=50)
    >>> result.success.tolist()
    [True, False]

    Reference: Guo et al., Simple Black-box Adversarial Attacks, 2019.
    """
    if basis not in BASES or queries < 1:
        raise ValueError(
            f"SimBA knows the bases {' and '.join(BASES)} and needs a query."
            f" Received: basis={basis!r}, queries={queries}."
        )
    job = driver.black_box_job(model, x, y, threat, batch_size)
    if basis == "dct" and job.x.ndim < 3:
        raise ValueError(
            "Frequencies belong to images and series. Received inputs of shape"
            f" {job.x.shape}. Use basis='values'."
        )
    if size is None:
        span = np.max(np.subtract(threat.bounds[1], threat.bounds[0]))
        share = 1.0 if threat.name == "Linf" else 0.2
        size = float(min(threat.epsilon, share * span))

    ask = _margins(job)

    def attack(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([seed, int(rows[0])])
        directions = _Directions(job.x.shape[1:], len(rows), basis, size, rng)
        return _search(job, rows, ask, directions, queries)

    return driver.run(job, attack, tell)


def _margins(job: driver.Job) -> Callable:
    """Makes the function that moves inputs and gives their margins."""
    threat, epsilon = job.threat, np.float32(job.threat.epsilon)

    def tried(x: Any, origin: Any, y: Any, move: Any, epsilon: Any) -> Any:
        return threat.at(epsilon).project(x + move, origin)

    ask = moving(job, "simba", tried)
    return lambda *arrays: ask(*arrays, epsilon)


def _search(
    job: driver.Job,
    rows: np.ndarray,
    ask: Callable,
    directions: "_Directions",
    queries: int,
) -> tuple[np.ndarray, np.ndarray]:
    place, best = job.x[rows], np.full(len(rows), np.inf)
    spent = np.zeros(len(rows), "int64")
    sign, turn = np.ones(len(rows)), np.zeros(len(rows), "int64")
    left, known = np.arange(len(rows)), False
    while len(left) and spent.max() < queries:
        # The first question is for the margin of the input itself.
        move = directions(left, turn[left], sign[left]) * known
        origin, y = job.x[rows[left]], job.y[rows[left]]
        moved, margin = batched(ask, job, place[left], origin, y, move)
        spent[left] += 1
        better = margin < best[left]
        place[left[better]], best[left[better]] = moved[better], margin[better]
        if known:
            done = better | (sign[left] < 0)
            sign[left] = np.where(done, 1.0, -1.0)
            turn[left] += done
        known, left = True, left[best[left] >= 0]
    return place, spent


class _Directions:
    """The order of the directions of each sample, and the directions."""

    def __init__(
        self,
        shape: tuple[int, ...],
        count: int,
        basis: str,
        size: float,
        rng: np.random.Generator,
    ):
        self.shape, self.size, self.basis = shape, size, basis
        values = int(np.prod(shape))
        order = rng.uniform(size=(count, values))
        if basis == "dct":
            # Bands of an eighth of the frequencies, each in random order.
            bands = [
                np.broadcast_to(8 * place // length, shape)
                for place, length in zip(
                    np.indices(shape)[:-1], shape[:-1], strict=True
                )
            ]
            order = order + np.max(bands, axis=0).reshape(-1)
        self.order = order.argsort(axis=1)

    def __call__(
        self, rows: np.ndarray, turn: np.ndarray, sign: np.ndarray
    ) -> np.ndarray:
        """Returns the directions of rows at their turns, `(n, ...)`."""
        from scipy import fft

        values = self.order.shape[1]
        move = np.zeros((len(rows), values), "float32")
        chosen = self.order[rows, turn % values]
        move[np.arange(len(rows)), chosen] = self.size * sign
        move = move.reshape(-1, *self.shape)
        if self.basis == "dct":
            axes = tuple(range(1, move.ndim - 1))
            move = fft.idctn(move, axes=axes, norm="ortho")
        return move.astype("float32")
