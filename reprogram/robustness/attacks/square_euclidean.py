"""Square in L2: windows of bumps that take over the length of other windows."""

from collections.abc import Callable

import numpy as np

from reprogram.robustness.attacks.tools import job as driver

Rng = np.random.Generator
_TINY = 1e-12
_TILES = 5


def search(
    job: driver.Job,
    rows: np.ndarray,
    sides: Callable[[int], float],
    queries: int,
    ask: Callable,
    rng: Rng,
) -> tuple[np.ndarray, np.ndarray]:
    """Searches the Euclidean ball, as `square` does for L2.

    Args:
        job: Attack with its model, inputs and threat.
        rows: Positions of the samples to attack.
        sides: Function from a step to the share of values a window covers.
        queries: Largest number of predictions for each sample.
        ask: Function that returns the margins of inputs at positions in `rows`.
        rng: NumPy random generator.

    Returns:
        The inputs and the queries spent.
    """
    shape = job.x.shape[1:]
    origin = _planar(job.x[rows])
    low, high = (
        _planar(np.broadcast_to(bound, (1, *shape)).astype("float32"))
        for bound in job.threat.bounds
    )
    epsilon = float(job.threat.epsilon)

    def placed(delta: np.ndarray, left: np.ndarray) -> np.ndarray:
        length = np.sqrt(np.sum(delta**2, axis=(1, 2, 3), keepdims=True))
        found = origin[left] + delta * (epsilon / np.maximum(length, _TINY))
        return np.clip(found, low, high).astype("float32")

    left = np.arange(len(rows))
    best = placed(_tiles(origin.shape, rng), left)
    margins = ask(best.reshape(-1, *shape), left)
    spent = np.ones(len(rows), "int64")
    for step in range(1, queries):
        left = np.flatnonzero(margins >= 0)
        if not len(left):
            break
        size = _size(sides(step), origin.shape[1:3])
        delta = _exchanged(best[left] - origin[left], size, epsilon, rng)
        new = placed(delta, left)
        found = ask(new.reshape(-1, *shape), left)
        better = found < margins[left]
        best[left[better]], margins[left[better]] = new[better], found[better]
        spent[left] += 1
    return best.reshape(-1, *shape), spent


def bumps(height: int, width: int, rng: Rng) -> np.ndarray:
    """Returns a hill beside a valley, of length 1, `(height, width)`.

    Example:
    >>> found = bumps(4, 1, np.random.default_rng(0))
    >>> bool(np.isclose(found.sum(), 0)), round(float((found**2).sum()), 6)
    (True, 1.0)
    """
    if height == width and rng.uniform() > 0.5:
        return bumps_down(height, width).T
    return bumps_down(height, width)


def bumps_down(height: int, width: int) -> np.ndarray:
    """Returns the hill above the valley."""
    hill = _hill(height // 2, width)
    valley = -_hill(height - height // 2, width)
    found = np.concatenate([hill, valley])
    return found / max(np.linalg.norm(found), _TINY)


def _hill(height: int, width: int) -> np.ndarray:
    """Sums frames around the middle, each weaker than the last."""
    found = np.zeros((height, width))
    if not found.size:
        return found
    row, column = height // 2, width // 2
    for ring in range(max(height // 2, width // 2) + 1):
        rows = slice(max(row - ring, 0), row + ring + 1)
        columns = slice(max(column - ring, 0), column + ring + 1)
        found[rows, columns] += 1.0 / (ring + 1) ** 2
    return found / np.linalg.norm(found)


def _tiles(shape: tuple[int, ...], rng: Rng) -> np.ndarray:
    """Covers inputs with bumps of random sign."""
    count, height, width, channels = shape
    tall, broad = max(1, height // _TILES), max(1, width // _TILES)
    delta = np.zeros(shape)
    for row in range((height % tall) // 2, height - tall + 1, tall):
        for column in range((width % broad) // 2, width - broad + 1, broad):
            sign = rng.choice([-1.0, 1.0], (count, 1, 1, channels))
            bump = bumps(tall, broad, rng)[None, :, :, None]
            place = slice(row, row + tall), slice(column, column + broad)
            delta[:, *place] += sign * bump
    return delta


def _size(share: float, sizes: tuple[int, int]) -> tuple[int, int]:
    """Returns height and width of a window; odd, three at least."""
    if sizes[1] == 1:
        side = max(3, round(share * sizes[0])) | 1
        return min(side, sizes[0]), 1
    side = max(3, round(float(np.sqrt(share * sizes[0] * sizes[1])))) | 1
    return min(side, sizes[0]), min(side, sizes[1])


def _exchanged(
    delta: np.ndarray,
    size: tuple[int, int],
    epsilon: float,
    rng: Rng,
) -> np.ndarray:
    """Empties one window and spends its length on bumps in another."""
    count, channels = len(delta), delta.shape[3]
    here, there = (_window(delta.shape, size, rng) for _ in range(2))
    free = np.maximum(epsilon**2 - np.sum(delta**2, axis=(1, 2, 3)), 0)
    own = delta[here]
    length = np.sqrt(np.sum(own**2, axis=(1, 2), keepdims=True))
    other = delta.copy()
    other[here] = other[there] = 0.0
    both = np.sum(delta**2 - other**2, axis=(1, 2), keepdims=True)
    sign = rng.choice([-1.0, 1.0], (count, 1, 1, channels))
    new = sign * bumps(*size, rng)[None, :, :, None]
    new = new + own / np.maximum(length, _TINY)
    norm = np.sqrt(np.sum(new**2, axis=(1, 2), keepdims=True))
    budget = np.maximum(free[:, None, None, None] / channels + both, 0)
    other[here] = new / np.maximum(norm, _TINY) * np.sqrt(budget)
    return other


def _window(
    shape: tuple[int, ...], size: tuple[int, int], rng: Rng
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns an index of a window at a random place of each sample."""
    count = shape[0]
    row, column = (
        rng.integers(0, whole - side + 1, (count, 1, 1))
        for whole, side in zip(shape[1:3], size, strict=True)
    )
    rows = row + np.arange(size[0])[None, :, None]
    columns = column + np.arange(size[1])[None, None, :]
    return np.arange(count)[:, None, None], rows, columns


def _planar(x: np.ndarray) -> np.ndarray:
    """Views series and tables as images of one column."""
    if x.ndim == 4:
        return x
    if x.ndim > 4:
        raise ValueError(
            "Square in L2 knows images, series and tables. Received inputs of"
            f" shape {x.shape}."
        )
    return x.reshape(len(x), x.shape[1], 1, -1)
