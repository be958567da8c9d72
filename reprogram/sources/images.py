"""Images of any size and color, made to fit a source."""

import numpy as np
from keras import ops

REACH = 0.12


def fit_images(
    images: np.ndarray,
    height: int | None,
    width: int | None,
    channels: int | None,
) -> np.ndarray:
    """Brings images to the size and the color of a source.

    Gray is repeated, color is averaged to luminance, and the size changes by
    antialiased bilinear interpolation. Images that fit already keep their
    values.

    Args:
        images: Images `(batch, height, width, 1 or 3)`.
        height: Number of rows the source expects; None keeps the height.
        width: Number of columns the source expects; None keeps the width.
        channels: Number of channels the source expects, 1 or 3; anything else
            keeps them.

    Returns:
        A float32 array of shape `(batch, height, width, channels)`.

    Raises:
        ValueError: If the images are not of that shape.

    Example:
    >>> fit_images(np.zeros((2, 8, 8, 1)), 32, 32, 3).shape
    (2, 32, 32, 3)
    """
    images = np.asarray(images, "float32")
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(
            "Images must have the shape (batch, height, width, channels) with"
            f" 1 or 3 channels. Received: shape {images.shape}. Add the"
            " missing axis, or drop a channel of opacity."
        )
    if channels == 1 and images.shape[-1] == 3:
        images = ops.image.rgb_to_grayscale(images, data_format="channels_last")
    if channels == 3 and images.shape[-1] == 1:
        images = ops.repeat(images, 3, axis=-1)
    size = (height or images.shape[1], width or images.shape[2])
    if size != tuple(images.shape[1:3]):
        images = ops.image.resize(
            images, size, antialias=True, data_format="channels_last"
        )
    return ops.convert_to_numpy(images)


def shifted(images: np.ndarray, seed: int) -> np.ndarray:
    """Moves each image a little, which leaves its meaning as it is.

    Args:
        images: Images `(batch, height, width, channels)`.
        seed: Random seed of the moves: whole pixels, at least one and at most
            the share `REACH` of either side. New pixels repeat the edge.

    Returns:
        Images of the same shape.

    Example:
    >>> shifted(np.zeros((2, 8, 8, 1)), seed=1).shape
    (2, 8, 8, 1)
    """
    rng = np.random.default_rng(seed)
    rows, columns = (np.arange(size) for size in images.shape[1:3])
    reach = [max(1, round(REACH * size)) for size in images.shape[1:3]]
    down, right = (rng.integers(-r, r + 1, len(images)) for r in reach)
    rows = np.clip(rows - down[:, None], 0, rows[-1])
    columns = np.clip(columns - right[:, None], 0, columns[-1])
    each = np.arange(len(images))
    return images[each[:, None, None], rows[:, :, None], columns[:, None]]
