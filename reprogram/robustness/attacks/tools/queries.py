"""Queries to a model whose inputs are made, and scores used, in a graph."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.robustness.attacks.tools import job as driver
from reprogram.robustness.models import finite
from reprogram.robustness.models import graph
from reprogram.robustness.models import inference

_GROUP = 16


def fused(job: driver.Job, key: Any, before: Callable, after: Callable) -> Any:
    """Compiles the model together with functions before and after it.

    A model that cannot be compiled, such as a NumPy function or a remote
    service, is called with NumPy arrays between the two.

    Args:
        job: Attack with its model, inputs and threat.
        key: Cache key of these two functions.
        before: Function from the arguments to the model's inputs `(m, ...)`.
        after: Function of scores `(m, classes)`, those inputs and the
            arguments.

    Returns:
        A function of the arguments that returns what `after` returns, as
        NumPy arrays. It raises a `ValueError` on NaN.
    """
    answers = inference(job.model)
    plain = [False]

    def scores(x: Any) -> Any:
        return sum(answers(x) for _ in range(job.samples)) / job.samples

    def whole(*args: Any) -> tuple[Any, Any]:
        x = before(*args)
        found = scores(x)
        broken = ops.any(ops.isnan(found), axis=1)
        return after(found, x, *args), broken

    fast = graph(job.model, (key, *job.key()), whole)

    def asked(*args: Any) -> Any:
        if not plain[0]:
            try:
                found, broken = fast(*args)
            except Exception:  # whatever a library says that knows no tensors
                plain[0] = True
            else:
                broken = ops.convert_to_numpy(broken)
                finite(np.where(broken, np.nan, 0.0)[:, None])
                return _arrays(found)
        x = ops.convert_to_numpy(before(*args))
        return _arrays(after(finite(scores(x)), x, *args))

    return asked


def margins(scores: Any, y: Any) -> Any:
    """Returns the score of the label minus the best other, `(n,)`."""
    own = ops.one_hot(y, scores.shape[-1], dtype=scores.dtype)
    truth = ops.sum(scores * own, axis=1)
    rest = ops.max(ops.where(own > 0, -np.inf, scores), axis=1)
    return truth - rest


def batched(ask: Callable, job: driver.Job, *args: np.ndarray) -> Any:
    """Calls a function of `(n, ...)` arrays on full batches of them.

    The function returns an array `(n, ...)`, or a tuple of them.
    """
    size, parts = job.batch_size, []
    for first in range(0, len(args[0]), size):
        rows = [values[first : first + size] for values in args]
        count = len(rows[0])
        length = min(narrow(count), max(size, count))
        found = ask(*(driver.padded(values, length) for values in rows))
        if not isinstance(found, tuple):
            found = (found,)
        parts.append([values[:count] for values in found])
    joined = tuple(
        np.concatenate(values) for values in zip(*parts, strict=True)
    )
    return joined if len(joined) > 1 else joined[0]


def narrow(count: int) -> int:
    """Returns the size to pad samples to.

    Twice as many sizes as `job.width` has, as these batches are small.

    Example:
    >>> narrow(3), narrow(48), narrow(100)
    (8, 48, 128)
    """
    size = 8
    while size < count:
        size = size * 3 // 2 if size & (size - 1) == 0 else size * 4 // 3
    return size


def tallied(
    ask: Callable,
    job: driver.Job,
    arrays: tuple[np.ndarray, ...],
    count: int,
    rng: np.random.Generator,
) -> tuple[tuple[np.ndarray, ...], int]:
    """Sums what a function returns over random neighbors of each sample.

    Args:
        ask: Function of rows of the arrays, a seed and an array as long as the
            number of neighbors; returns sums over them, a tuple of `(n, ...)`.
        job: Attack with its model, inputs and threat.
        arrays: Arguments of `ask` with one row per sample, `(n, ...)`.
        count: Least number of neighbors of each sample.
        rng: NumPy random generator of the seeds.

    Returns:
        The sums, and the number of neighbors.
    """
    parts = []
    for first in range(0, len(arrays[0]), _GROUP):
        rows = [values[first : first + _GROUP] for values in arrays]
        size = driver.width(len(rows[0]), _GROUP)
        each = max(1, min(count, job.batch_size // size))
        padded = [driver.padded(values, size) for values in rows]
        copies, total = np.zeros(each, "int8"), None
        for _ in range(-(-count // each)):
            seed = rng.integers(0, 2**31 - 1, 2).astype("uint32")
            found = ask(*padded, seed, copies)
            total = found if total is None else _added(total, found)
        parts.append([values[: len(rows[0])] for values in total or ()])
    sums = tuple(np.concatenate(values) for values in zip(*parts, strict=True))
    return sums, -(-count // each) * each


def moving(job: driver.Job, key: Any, move: Callable) -> Callable:
    """Makes a function that moves inputs and returns them with their margins.

    Args:
        job: Attack with its model, inputs and threat.
        key: Cache key of this function.
        move: Function of points, originals, labels and further arguments that
            returns the next points.
    """

    def after(scores: Any, moved: Any, *args: Any) -> tuple[Any, Any]:
        return moved, margins(scores, args[2])

    return fused(job, key, move, after)


def judged(scores: Any, moved: Any, x: Any, y: Any, candidates: Any) -> Any:
    """Returns the margins of all samples under each candidate, `(k, n)`."""
    labels = ops.tile(y, (ops.shape(candidates)[0],))
    return ops.reshape(margins(scores, labels), (-1, ops.shape(x)[0]))


def tried(
    job: driver.Job, rows: np.ndarray, ask: Callable, candidates: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tries the same candidates on all samples until each is misclassified.

    Args:
        job: Attack with its model, inputs and threat.
        rows: Positions of the samples.
        ask: Function of inputs, labels and candidates that ends in `judged`.
        candidates: Parameters of the changes to try, `(k, ...)`.

    Returns:
        The candidate with the smallest margin, that margin, and the number of
        queries, for each sample.
    """
    left, first = np.arange(len(rows)), 0
    chosen, spent = np.zeros((2, len(rows)), "int64")
    margin = np.full(len(rows), np.inf)
    while first < len(candidates) and len(left):
        size = narrow(len(left))
        part = candidates[first : first + max(1, job.batch_size // size)]
        x, y = (driver.padded(v[rows[left]], size) for v in (job.x, job.y))
        found = ask(x, y, part)[:, : len(left)]
        lowest, least = found.argmin(axis=0), found.min(axis=0)
        better = least < margin[left]
        chosen[left[better]] = first + lowest[better]
        margin[left[better]] = least[better]
        spent[left] += len(part)
        first += len(part)
        left = left[margin[left] >= 0]
    return candidates[chosen], margin, spent


def _added(first: tuple, second: tuple) -> tuple:
    return tuple(a + b for a, b in zip(first, second, strict=True))


def _arrays(found: Any) -> Any:
    if isinstance(found, (tuple, list)):
        return tuple(ops.convert_to_numpy(values) for values in found)
    return ops.convert_to_numpy(found)
