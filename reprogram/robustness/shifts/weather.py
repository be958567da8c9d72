"""Snow, frost, fog and light of the common corruptions; images in [0, 1]."""

import numpy as np

from reprogram.robustness.shifts.blurs import Rng
from reprogram.robustness.shifts.blurs import magnified
from reprogram.robustness.shifts.blurs import scale
from reprogram.robustness.shifts.blurs import streaked

# Mean and deviation of the flakes, zoom, threshold, streak, share of image.
_SNOW = (
    (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
    (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
    (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
    (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)
_FROST = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))
_FOG = ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4))
_BRIGHTNESS = (0.1, 0.2, 0.3, 0.4, 0.5)
_CONTRAST = (0.4, 0.3, 0.2, 0.1, 0.05)
_LUMA = np.array([0.299, 0.587, 0.114])
_ICE = np.array([0.88, 0.96, 1.0])


def snow(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Lays wind-blown flakes over a whitened image."""
    mean, deviation, zoom, least, length, sigma, kept = _SNOW[level]
    layer = rng.normal(mean, deviation, (*x.shape[:3], 1))
    layer = magnified(layer, zoom)
    layer = np.where(layer < least, 0.0, np.clip(layer, 0, 1))
    angles = rng.uniform(-135, -45, len(x))
    layer = streaked(layer, length * scale(x), sigma * scale(x), angles)
    white = np.maximum(x, luma(x) * 1.5 + 0.5)
    return kept * x + (1 - kept) * white + layer + layer[:, ::-1, ::-1]


def frost(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Lays ice crystals over the image.

    The crystals are the ridges of a plasma fractal, drawn here; the original
    pastes photographs of frost, so numbers do not compare with its own.
    """
    share, ice = _FROST[level]
    fractal = plasma(len(x), x.shape[1:3], 1.7, rng)
    ridges = (1 - np.abs(2 * fractal - 1)) ** 3
    grain = plasma(len(x), x.shape[1:3], 1.2, rng)
    layer = np.clip(0.8 * ridges + 0.4 * grain, 0, 1)[..., None]
    if x.shape[3] == 3:
        layer = layer * _ICE
    return share * x + ice * layer


def fog(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Adds a plasma fractal and takes contrast away."""
    amount, decay = _FOG[level]
    largest = x.max(axis=(1, 2, 3), keepdims=True)
    layer = plasma(len(x), x.shape[1:3], decay, rng)[..., None]
    found = (x + amount * layer) * largest / (largest + amount)
    # A black image has no contrast to lose; there the fog is all there is.
    return np.where(largest > 0, found, np.clip(layer, 0, 1))


def brightness(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Raises the value of the HSV color; of gray images the gray."""
    value = x.max(axis=3, keepdims=True)
    raised = np.minimum(value + _BRIGHTNESS[level], 1.0)
    if x.shape[3] != 3:
        return x + _BRIGHTNESS[level]
    # Hue and saturation stay if all channels are scaled alike.
    scaled = x * raised / np.maximum(value, 1e-6)
    return np.where(value > 1e-6, scaled, raised)


def contrast(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Moves all values toward their channel's mean."""
    mean = x.mean(axis=(1, 2), keepdims=True)
    return mean + (x - mean) * _CONTRAST[level]


def luma(x: np.ndarray) -> np.ndarray:
    """Returns the gray of images, `(n, height, width, 1)`."""
    if x.shape[3] == 3:
        return (x @ _LUMA)[..., None]
    return x.mean(axis=3, keepdims=True)


def plasma(
    count: int, size: tuple[int, int], decay: float, rng: Rng
) -> np.ndarray:
    """Draws plasma fractals in [0, 1] by the diamond-square algorithm.

    Args:
        count: Number of fractals.
        size: Height and width.
        decay: Factor by which the noise falls when the scale is halved.
        rng: NumPy random generator.

    Example:
    >>> clouds = plasma(2, (5, 9), 2.0, np.random.default_rng(0))
    >>> clouds.shape, float(clouds.min()), float(clouds.max())
    ((2, 5, 9), 0.0, 1.0)
    """
    side = 2 ** int(np.ceil(np.log2(max(*size, 2))))
    found = np.zeros((count, side, side))
    step, noise = side, 1.0
    while step >= 2:
        half = step // 2
        corners = found[:, ::step, ::step]
        shape = corners.shape
        rows = corners + np.roll(corners, -1, 1)
        square = (rows + np.roll(rows, -1, 2)) / 4
        square = square + noise * rng.uniform(-1, 1, shape)
        found[:, half::step, half::step] = square
        above = square + np.roll(square, 1, 1)
        found[:, ::step, half::step] = (
            above + corners + np.roll(corners, -1, 2)
        ) / 4 + noise * rng.uniform(-1, 1, shape)
        beside = square + np.roll(square, 1, 2)
        found[:, half::step, ::step] = (
            beside + rows
        ) / 4 + noise * rng.uniform(-1, 1, shape)
        step, noise = half, noise / decay
    found = found[:, : size[0], : size[1]]
    found = found - found.min(axis=(1, 2), keepdims=True)
    return found / np.maximum(found.max(axis=(1, 2), keepdims=True), 1e-12)
