"""Pictures of shapes and recordings of waves, drawn from a seed."""

from collections.abc import Callable

import numpy as np

Field = Callable[[np.ndarray, np.ndarray], np.ndarray]
Signal = Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]

SIDE = 32
LENGTH = 1024


def _triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    slope = np.sqrt(3) / 2
    edges = [y, slope * x - y / 2, -slope * x - y / 2]
    return 0.6 - np.max(edges, axis=0)


def _bar(x: np.ndarray, y: np.ndarray, width: float) -> np.ndarray:
    return np.minimum(width - np.abs(x), 1 - np.abs(y))


def _stripes(x: np.ndarray) -> np.ndarray:
    return 0.25 * np.sin(6 * x)


# Positive inside the shape, which fits into [-1, 1] x [-1, 1].
SHAPES: dict[str, Field] = {
    "blob": lambda x, y: 0.3 * (0.6 - np.hypot(x, y)),
    "disk": lambda x, y: 0.95 - np.hypot(x, y),
    "ring": lambda x, y: 0.2 - np.abs(np.hypot(x, y) - 0.75),
    "square": lambda x, y: 0.85 - np.maximum(np.abs(x), np.abs(y)),
    "triangle": _triangle,
    "plus": lambda x, y: np.maximum(_bar(x, y, 0.25), _bar(y, x, 0.25)),
    "corner": lambda x, y: np.maximum(
        _bar(x + 0.7, y, 0.25), _bar(y - 0.7, x, 0.25)
    ),
    "star": lambda x, y: (
        0.65 + 0.3 * np.cos(5 * np.arctan2(x, -y)) - np.hypot(x, y)
    ),
    "horizontal bars": lambda x, y: _stripes(y),
    "vertical bars": lambda x, y: _stripes(x),
    "diagonal bars": lambda x, y: _stripes((x + y) / np.sqrt(2)),
    "checkerboard": lambda x, y: 0.3 * np.sin(5 * x) * np.sin(5 * y),
}


def _noise(
    random: np.random.Generator, time: np.ndarray, cycles: np.ndarray
) -> np.ndarray:
    return random.standard_normal(time.shape)


def _walk(
    random: np.random.Generator, time: np.ndarray, cycles: np.ndarray
) -> np.ndarray:
    return np.cumsum(random.standard_normal(time.shape), axis=1) / 16


def _spikes(
    random: np.random.Generator, time: np.ndarray, cycles: np.ndarray
) -> np.ndarray:
    hits = random.random(time.shape) < 8 / time.shape[1]
    return hits * random.uniform(3, 9, time.shape)


def _chirp(
    random: np.random.Generator, time: np.ndarray, cycles: np.ndarray
) -> np.ndarray:
    sweep = random.uniform(1, 2, (len(time), 1))
    return np.sin(2 * np.pi * cycles * (0.2 + sweep * time))


def _modulated(
    random: np.random.Generator, time: np.ndarray, cycles: np.ndarray
) -> np.ndarray:
    slow = random.uniform(1.5, 4, (len(time), 1)) * time
    return np.sin(14 * np.pi * cycles) * np.sin(2 * np.pi * slow)


def _step(
    random: np.random.Generator, time: np.ndarray, cycles: np.ndarray
) -> np.ndarray:
    return np.sign(time - random.uniform(0.15, 0.85, (len(time), 1)))


def _damped(
    random: np.random.Generator, time: np.ndarray, cycles: np.ndarray
) -> np.ndarray:
    decay = random.uniform(3, 6, (len(time), 1))
    return 3 * np.exp(-decay * time) * np.sin(4 * np.pi * cycles)


# `time` runs from 0 to 1, `cycles` counts the periods passed.
WAVES: dict[str, Signal] = {
    "sine": lambda random, time, cycles: np.sin(2 * np.pi * cycles),
    "square": lambda random, time, cycles: np.sign(np.sin(2 * np.pi * cycles)),
    "triangle": lambda random, time, cycles: 4 * np.abs(cycles % 1 - 0.5) - 1,
    "sawtooth": lambda random, time, cycles: 2 * (cycles % 1) - 1,
    "pulses": lambda random, time, cycles: 3.0 * (cycles % 1 < 0.08),
    "chirp": _chirp,
    "damped": _damped,
    "modulated": _modulated,
    "step": _step,
    "spikes": _spikes,
    "white noise": _noise,
    "random walk": _walk,
}


def _labels(random: np.random.Generator, count: int, kinds: int) -> np.ndarray:
    return random.permutation(np.arange(count) % kinds)


def shapes(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draws pictures of shapes in random pose, contrast, light and noise.

    Rotation stays within 15 degrees, so that the directions of bars differ.

    Args:
        count: Number of pictures; the classes of `SHAPES` take turns.
        seed: Random seed of the pictures.

    Returns:
        float32 images `(count, 32, 32, 1)` in [0, 255] and int64 labels
        `(count,)`, the places of the classes in `SHAPES`.

    Example:
    >>> images, labels = shapes(24, seed=1)
    >>> images.shape, sorted(set(labels.tolist())) == list(range(12))
    ((24, 32, 32, 1), True)
    """
    random = np.random.default_rng(seed)
    labels = _labels(random, count, len(SHAPES))

    def draw(low: float, high: float) -> np.ndarray:
        return random.uniform(low, high, (count, 1, 1))

    axis = (np.arange(SIDE) + 0.5) * 2 / SIDE - 1
    column, row = axis[None, None, :], axis[None, :, None]
    angle = np.deg2rad(draw(-15, 15))
    size, x, y = draw(0.35, 0.85), draw(-0.4, 0.4), draw(-0.4, 0.4)
    x, y = (column - x) / size, (row - y) / (size * draw(0.85, 1.15))
    x, y = (
        x * np.cos(angle) + y * np.sin(angle),
        y * np.cos(angle) - x * np.sin(angle),
    )
    images = np.empty((count, SIDE, SIDE))
    for kind, field in enumerate(SHAPES.values()):
        chosen = labels == kind
        images[chosen] = np.tanh(12 * field(x[chosen], y[chosen]))
    contrast = draw(0.15, 0.5) * np.sign(draw(-1, 1))
    light = draw(-0.15, 0.15) * column + draw(-0.15, 0.15) * row
    images = draw(0.35, 0.65) + contrast * images + light
    images += draw(0, 0.12) * random.standard_normal(images.shape)
    images = 255 * np.clip(images, 0, 1)
    return images[..., None].astype("float32"), labels


def waves(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draws signals of random period, phase, amplitude, drift and noise.

    Args:
        count: Number of signals; the classes of `WAVES` take turns.
        seed: Random seed of the signals.

    Returns:
        float32 series `(count, 1024, 1)` and int64 labels `(count,)`, the
        places of the classes in `WAVES`.

    Example:
    >>> series, labels = waves(24, seed=1)
    >>> series.shape, sorted(set(labels.tolist())) == list(range(12))
    ((24, 1024, 1), True)
    """
    random = np.random.default_rng(seed)
    labels = _labels(random, count, len(WAVES))
    time = np.broadcast_to(np.arange(LENGTH) / LENGTH, (count, LENGTH))
    periods = 2 ** random.uniform(1.5, 5, (count, 1))
    cycles = periods * time + random.uniform(0, 1, (count, 1))
    series = np.empty((count, LENGTH))
    for kind, signal in enumerate(WAVES.values()):
        chosen = labels == kind
        series[chosen] = signal(random, time[chosen], cycles[chosen])
    bend, start = random.uniform(0, 1, (2, count, 1))
    series += 0.5 * bend * np.sin(np.pi * (time + 2 * start))
    noise = random.uniform(0, 0.8, (count, 1))
    series += noise * random.standard_normal(series.shape)
    series = series * 2 ** random.uniform(-4, 4, (count, 1))
    series += random.uniform(-5, 5, (count, 1))
    return series[..., None].astype("float32"), labels
