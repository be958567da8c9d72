"""The 15 common corruptions of images, in five severities.

The constants are those of the reference for images of 224 pixels; lengths in
pixels scale with the size of the images. Glass blur and frost differ from the
original as their functions say, so numbers on other people's corrupted data
do not compare to the last digit.

Reference: Hendrycks and Dietterich, Benchmarking Neural Network Robustness to
Common Corruptions and Perturbations, 2019.
"""

import io
import zlib
from collections.abc import Callable

import numpy as np

from reprogram.robustness.shifts import blurs
from reprogram.robustness.shifts import weather
from reprogram.robustness.shifts.blurs import Rng

SEVERITIES = (1, 2, 3, 4, 5)
_GAUSSIAN = (0.08, 0.12, 0.18, 0.26, 0.38)
_SHOT = (60, 25, 12, 5, 3)
_IMPULSE = (0.03, 0.06, 0.09, 0.17, 0.27)
_PIXELATE = (0.6, 0.5, 0.4, 0.3, 0.25)
_QUALITY = (25, 18, 15, 10, 7)
# Strength and smoothness of the wobble and size of the affine move, as
# shares of the image.
_ELASTIC = (
    (2.0, 0.7, 0.1),
    (2.0, 0.08, 0.2),
    (0.05, 0.01, 0.02),
    (0.07, 0.01, 0.02),
    (0.12, 0.01, 0.02),
)
# Those of the reference for images of 32 pixels.
_ELASTIC_SMALL = (
    (0.0, 0.0, 0.08),
    (0.05, 0.2, 0.07),
    (0.08, 0.06, 0.06),
    (0.1, 0.04, 0.05),
    (0.1, 0.03, 0.03),
)


def corrupt(
    x: np.ndarray,
    name: str,
    severity: int,
    seed: int = 0,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> np.ndarray:
    """Corrupts images as cameras, weather and files do.

    Args:
        x: Images `(n, height, width, channels)` inside the bounds; three
            channels are red, green and blue.
        name: Name of a corruption in `CORRUPTIONS`.
        severity: Integer from 1 to 5.
        seed: Seed of the random draws.
        bounds: Lowest and highest value of an image.

    Returns:
        The corrupted images inside the bounds, float32.

    Raises:
        ValueError: If there is no such corruption or severity, or the images
            do not fit.

    Example:
    >>> x = np.full((1, 8, 8, 3), 0.5, "float32")
    >>> round(float(corrupt(x, "brightness", 2).max()), 2)
    0.7
    """
    x = np.asarray(x, "float32")
    if name not in CORRUPTIONS:
        raise ValueError(
            f"There is no corruption {name!r}. There are:"
            f" {', '.join(CORRUPTIONS)}."
        )
    check_severity(severity)
    _check(x, bounds)
    low, high = bounds
    # A checksum: Python's own hash of a string differs between runs.
    key = [seed, severity, zlib.crc32(name.encode())]
    unit = np.clip((x.astype("float64") - low) / (high - low), 0, 1)
    rng = np.random.default_rng(key)
    found = CORRUPTIONS[name](unit, severity - 1, rng)
    return (np.clip(found, 0, 1) * (high - low) + low).astype("float32")


def check_severity(severity: int) -> None:
    """Raises a `ValueError` unless the severity is 1, 2, 3, 4 or 5."""
    if severity not in SEVERITIES:
        raise ValueError(f"Severity is 1, 2, 3, 4 or 5. Received: {severity}.")


def gaussian_noise(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Adds Gaussian noise."""
    return x + rng.normal(0, _GAUSSIAN[level], x.shape)


def shot_noise(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Adds Poisson noise, as if few photons were counted."""
    return rng.poisson(x * _SHOT[level]) / _SHOT[level]


def impulse_noise(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Sets random values to the lowest or the highest."""
    hit = rng.uniform(size=x.shape) < _IMPULSE[level]
    return np.where(hit, rng.integers(0, 2, x.shape), x)


def elastic_transform(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Stretches regions of the image, bilinearly, reflecting at the border."""
    from scipy import ndimage

    size = min(x.shape[1:3])
    constants = _ELASTIC if size > 64 else _ELASTIC_SMALL
    strength, smooth, affine = (share * size for share in constants[level])
    grid = np.indices(x.shape[1:3]).astype("float64")
    found = np.empty_like(x)
    for i, image in enumerate(x):
        noise = rng.uniform(-1, 1, grid.shape)
        wobble = strength * ndimage.gaussian_filter(
            noise, (0, smooth, smooth), mode="reflect", truncate=3
        )
        place = _sheared(grid, affine, rng) + wobble
        for channel in range(x.shape[3]):
            found[i, ..., channel] = ndimage.map_coordinates(
                image[..., channel], place, order=1, mode="reflect"
            )
    return found


def pixelate(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Reduces the resolution, and enlarges again in blocks."""
    from PIL import Image

    height, width = x.shape[1:3]
    share, box = _PIXELATE[level], Image.Resampling.BOX
    small = max(1, int(width * share)), max(1, int(height * share))

    def coarse(channel: np.ndarray) -> np.ndarray:
        image = Image.fromarray(channel.astype("float32"))
        return np.asarray(image.resize(small, box).resize((width, height), box))

    return _per_channel(coarse, x)


def jpeg_compression(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Saves the image as JPEG of low quality and reads it."""
    from PIL import Image

    def saved(pixels: np.ndarray) -> np.ndarray:
        file = io.BytesIO()
        image = Image.fromarray(np.round(pixels * 255).astype("uint8"))
        image.save(file, "JPEG", quality=_QUALITY[level])
        return np.asarray(Image.open(file), "float64") / 255

    if x.shape[3] == 3:
        return np.stack([saved(image) for image in x])
    return _per_channel(saved, x)


CORRUPTIONS: dict[str, Callable] = {
    "gaussian_noise": gaussian_noise,
    "shot_noise": shot_noise,
    "impulse_noise": impulse_noise,
    "defocus_blur": blurs.defocus,
    "glass_blur": blurs.glass,
    "motion_blur": blurs.motion,
    "zoom_blur": blurs.zoom,
    "snow": weather.snow,
    "frost": weather.frost,
    "fog": weather.fog,
    "brightness": weather.brightness,
    "contrast": weather.contrast,
    "elastic_transform": elastic_transform,
    "pixelate": pixelate,
    "jpeg_compression": jpeg_compression,
}


def _sheared(grid: np.ndarray, size: float, rng: Rng) -> np.ndarray:
    """Moves three points at random, and all others with them."""
    middle = np.array(grid.shape[1:]) / 2
    third = min(grid.shape[1:]) / 3
    corners = middle + third * np.array([[1, 1], [1, -1], [-1, -1]])
    moved = corners + rng.uniform(-size, size, corners.shape)
    known = np.c_[corners, np.ones(3)]
    matrix = np.linalg.solve(known, moved)
    flat = np.c_[grid.reshape(2, -1).T, np.ones(grid[0].size)]
    return (flat @ matrix).T.reshape(grid.shape)


def _per_channel(function: Callable, x: np.ndarray) -> np.ndarray:
    images = np.moveaxis(x, 3, 1)
    found = [[function(channel) for channel in image] for image in images]
    return np.moveaxis(np.asarray(found), 1, 3)


def _check(x: np.ndarray, bounds: tuple[float, float]) -> None:
    if x.ndim != 4 or not len(x) or min(x.shape[1:3]) < 2:
        raise ValueError(
            "Images are (n, height, width, channels) of two pixels or more a"
            f" side. Received: {x.shape}."
        )
    low, high = bounds
    slack = 1e-5 * (high - low)
    inside = x.min() >= low - slack and x.max() <= high + slack
    if not low < high or not inside:  # NaN is never inside
        raise ValueError(
            f"Images lie inside the bounds {bounds}. Received values from"
            f" {x.min():g} to {x.max():g}. Pass the bounds of your images,"
            " such as (0, 255)."
        )
