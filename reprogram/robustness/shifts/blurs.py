"""The four blurs of the common corruptions; images in [0, 1]."""

import numpy as np

Rng = np.random.Generator
# Of images of 224 pixels; other sizes scale what is measured in pixels.
REFERENCE = 224
_DEFOCUS = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))
_GLASS = ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2))
_MOTION = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))
_ZOOM = ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))


def defocus(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Averages over a disk with a soft edge."""
    from scipy import ndimage

    pixels, soft = _DEFOCUS[level]
    radius = pixels * scale(x)
    reach = int(np.ceil(radius)) + 2
    fine = np.linspace(-radius, radius, 4 * reach + 1)
    points = np.stack(np.meshgrid(fine, fine)).reshape(2, -1)
    points = points[:, np.hypot(*points) <= radius * (1 + 1e-9)]
    # Points between pixels are interpolated, so that a radius of less than a
    # pixel counts.
    pixel = np.arange(-reach, reach + 1)[:, None]
    rows, columns = (np.maximum(0, 1 - np.abs(pixel - p)) for p in points)
    kernel = ndimage.gaussian_filter(rows @ columns.T, soft * scale(x))
    return filtered(x, kernel / kernel.sum())


def glass(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Blurs, exchanges near pixels and blurs again.

    Pixels are taken from random neighbors all at once, where the original
    swaps them one after the other.
    """
    sigma, pixels, turns = _GLASS[level]
    sigma = sigma * scale(x)
    # Of less than a pixel, only a share of the pixels move.
    reach = pixels * scale(x) + 0.49
    x = smoothed(x, sigma)
    count, height, width = x.shape[:3]
    sample = np.arange(count)[:, None, None]
    for _ in range(turns):
        move = rng.uniform(-reach, reach, (2, count, height, width))
        move = np.round(move).astype(int)
        row = np.clip(np.arange(height)[:, None] + move[0], 0, height - 1)
        column = np.clip(np.arange(width) + move[1], 0, width - 1)
        x = x[sample, row, column]
    return smoothed(x, sigma)


def motion(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Averages along a line of random direction, within 45 degrees."""
    radius, sigma = _MOTION[level]
    angles = rng.uniform(-45, 45, len(x))
    return streaked(x, radius * scale(x), sigma * scale(x), angles)


def zoom(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Averages over magnifications of the center."""
    end, step = _ZOOM[level]
    zooms = np.arange(1, end, step)
    total = x.copy()
    for factor in zooms:
        total += magnified(x, factor)
    return total / (len(zooms) + 1)


def magnified(x: np.ndarray, factor: float) -> np.ndarray:
    """Magnifies the center of images, bilinearly, at the same size."""
    rows, columns = (_zooming(size, factor) for size in x.shape[1:3])
    x = np.einsum("ij,njwc->niwc", rows, x, optimize=True)
    return np.einsum("ij,nhjc->nhic", columns, x, optimize=True)


def streaked(
    x: np.ndarray, radius: float, sigma: float, angles: np.ndarray
) -> np.ndarray:
    """Smears each image in its own direction, `angles` in degrees."""
    steps = np.arange(2 * int(np.ceil(radius)) + 1)
    weights = np.exp(-0.5 * (steps / max(sigma, 1e-3)) ** 2)
    # Half a pixel long streaks are a mixture with the image itself.
    weights[1:] *= np.clip(2 * radius - steps[1:] + 1, 0, 1)
    weights /= weights.sum()
    found = np.empty_like(x)
    height, width = x.shape[1:3]
    for i, angle in enumerate(np.deg2rad(angles)):
        total = 0.0
        for step, weight in zip(steps, weights, strict=True):
            rows = np.arange(height) + round(step * np.sin(angle))
            columns = np.arange(width) + round(step * np.cos(angle))
            taken = x[i][np.clip(rows, 0, height - 1)]
            total += weight * taken[:, np.clip(columns, 0, width - 1)]
        found[i] = total
    return found


def smoothed(x: np.ndarray, sigma: float) -> np.ndarray:
    """Blurs images with a Gaussian of `sigma` pixels."""
    from scipy import ndimage

    return ndimage.gaussian_filter(x, (0, sigma, sigma, 0))


def filtered(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Filters each channel of each image, reflecting at the border."""
    from scipy import signal

    edge = min(len(kernel) // 2, min(x.shape[1:3]) - 1)
    cut = len(kernel) // 2 - edge
    kernel = kernel[cut : len(kernel) - cut, cut : len(kernel) - cut]
    around = ((0, 0), (edge, edge), (edge, edge), (0, 0))
    padded = np.pad(x, around, mode="reflect")
    kernel = kernel[None, :, :, None] / kernel.sum()
    return signal.oaconvolve(padded, kernel, mode="valid", axes=(1, 2))


def scale(x: np.ndarray) -> float:
    """Returns the size of images as a share of the reference size."""
    return min(x.shape[1:3]) / REFERENCE


def _zooming(size: int, factor: float) -> np.ndarray:
    middle = (size - 1) / 2
    place = middle + (np.arange(size) - middle) / factor
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(size)))
