"""Checks of shapes that image and series transforms share, and resizing."""

from typing import Any

import keras
from keras import ops

from reprogram.transforms.missing import observed


def check_target(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Checks the shape that a source reads.

    Args:
        shape: `(height, width, channels)` or `(length, channels)`.

    Returns:
        The shape as a tuple of integers.

    Raises:
        ValueError: If it is neither.
    """
    shape = tuple(int(size) for size in shape)
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise ValueError(
            "`target_shape` must be (height, width, channels) or (length,"
            f" channels). Received: target_shape={shape}."
        )
    return shape


def check_images(layer: keras.layers.Layer, shape: tuple[int, ...]) -> None:
    """Checks that a layer for images gives images.

    Raises:
        ValueError: If it does not.
    """
    if len(shape) != 3:
        raise ValueError(
            f"{type(layer).__name__} gives images, so `target_shape` must be"
            f" (height, width, channels). Received: target_shape={shape}."
        )


def check_range(
    value_range: tuple[float, float] | None,
) -> tuple[float, float] | None:
    """Checks the lowest and the highest value that a source expects.

    Raises:
        ValueError: If they are in the wrong order.
    """
    if value_range is None:
        return None
    low, high = map(float, value_range)
    if not low < high:
        raise ValueError(
            "`value_range` must be (lowest, highest). Received:"
            f" value_range={(low, high)}."
        )
    return low, high


def check_input(
    layer: keras.layers.Layer,
    input_shape: tuple[int | None, ...],
    target_shape: tuple[int, ...],
) -> None:
    """Checks that data fit into what a layer gives, and fixes their shape.

    Raises:
        ValueError: If rank or channels do not fit, or sizes are unknown.
    """
    name, rank = type(layer).__name__, len(target_shape) + 1
    if len(input_shape) != rank or None in input_shape[1:]:
        raise ValueError(
            f"{name} to {target_shape} reads batches of rank {rank} with known"
            f" sizes. Received shape {input_shape}. Add or remove a"
            " dimension, or resize the data first."
        )
    channels = input_shape[-1] or 1
    if target_shape[-1] % channels:
        raise ValueError(
            f"{input_shape[-1]} channels of data do not fit into"
            f" {target_shape[-1]} channels of the source. Convert the data,"
            " for example to grayscale."
        )
    spec = (None, *input_shape[1:])
    layer.input_spec = keras.layers.InputSpec(shape=spec)


def fit(x: Any, shape: tuple[int, ...]) -> Any:
    """Repeats the channels and resizes (bilinear) where that is needed.

    Args:
        x: Images `(batch, height, width, channels)` or series `(batch,
            length, channels)`, whose steps with NaN become zero.
        shape: What comes out, without the batch.

    Returns:
        A tensor `(batch, *shape)`.
    """
    if len(shape) == 2:
        x, _ = observed(x)
    repeats = shape[-1] // x.shape[-1]
    if repeats > 1:
        x = ops.tile(x, [1] * len(shape) + [repeats])
    size = tuple(shape[:-1])
    if size == tuple(x.shape[1:-1]):
        return x
    if len(size) == 2:
        return ops.image.resize(x, size, data_format="channels_last")
    column = (size[0], 1)
    x = ops.image.resize(x[:, :, None], column, data_format="channels_last")
    return x[:, :, 0]


def clip(x: Any, value_range: tuple[float, float] | None) -> Any:
    """Clips values and lets gradients through as if it did not.

    A value that left the range could otherwise never come back.

    Args:
        x: A tensor of any shape.
        value_range: Lowest and highest value; `None` clips nothing.

    Returns:
        A tensor like `x`.

    Example:
    >>> keras.ops.convert_to_numpy(clip(ops.array([-3.0, 0.5]), (0, 1)))
    array([0. , 0.5], dtype=float32)
    """
    if value_range is None:
        return x
    clipped = ops.clip(x, *value_range)
    return ops.stop_gradient(clipped) + (x - ops.stop_gradient(x))
