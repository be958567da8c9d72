"""Rotations and moves of images, bilinear, in graphs or outside."""

import math
from typing import Any

import numpy as np
from keras import ops


def move(
    x: np.ndarray, degrees: float, down: float, right: float, fill: float = 0.0
) -> np.ndarray:
    """Rotates images counterclockwise around their center, then moves them.

    Args:
        x: Images `(n, height, width, channels)`.
        degrees: Rotation angle in degrees.
        down: Downward move in pixels.
        right: Move to the right in pixels.
        fill: Value of pixels from outside the image.

    Returns:
        The images, interpolated bilinearly.

    Example:
    >>> x = np.arange(4.0, dtype="float32").reshape(1, 2, 2, 1)
    >>> move(x, 90, 0, 0)[0, ..., 0].round(4).tolist()
    [[1.0, 3.0], [0.0, 2.0]]
    """
    moves = np.array([[degrees, down, right]], "float32")
    moved = warp(np.asarray(x, "float32"), moves, fill)
    return ops.convert_to_numpy(moved)


def warp(x: Any, moves: Any, fill: float) -> Any:
    """Moves each image in each way, inside or outside a graph.

    Pixels come first while they are gathered: one position moves all images
    of the batch at once, which is twice as fast as an affine resampling.

    Args:
        x: Images `(n, height, width, channels)`.
        moves: Rotation in degrees, moves down and right, `(k, 3)`.
        fill: Value of pixels from outside the image.

    Returns:
        The images, `(k * n, height, width, channels)`.
    """
    shape = tuple(x.shape[1:])
    pixels, count = shape[0] * shape[1], ops.shape(moves)[0]
    flat = ops.reshape(x - fill, (-1, pixels, shape[2]))
    flat = ops.reshape(ops.transpose(flat, (1, 0, 2)), (pixels, -1))
    moved = 0.0
    for place, weight in _corners(moves, shape[:2]):
        taken = ops.take(flat, place, axis=0)
        moved = moved + taken * weight[..., None]
    moved = ops.reshape(moved + fill, (count, pixels, -1, shape[2]))
    moved = ops.transpose(moved, (0, 2, 1, 3))
    return ops.reshape(moved, (-1, *shape))


def warp_each(x: Any, moves: Any, fill: float) -> Any:
    """Moves each image in its own way.

    Args:
        x: Images `(n, height, width, channels)`.
        moves: Rotation in degrees, moves down and right, `(n, 3)`.
        fill: Value of pixels from outside the image.

    Returns:
        The images, `(n, height, width, channels)`.
    """
    x = ops.convert_to_tensor(x)
    pixels = x.shape[1] * x.shape[2]
    flat, moved = ops.reshape(x - fill, (-1, pixels, x.shape[3])), fill
    for place, weight in _corners(moves, x.shape[1:3]):
        taken = ops.take_along_axis(flat, place[..., None], axis=1)
        moved = moved + taken * weight[..., None]
    return ops.reshape(moved, ops.shape(x))


def _corners(moves: Any, size: tuple[int, int]) -> list[tuple[Any, Any]]:
    """Returns the four pixels that make each moved one, and their weights.

    Both are `(k, height * width)`; the weight is 0 outside the image.
    """
    height, width = size
    rows, columns = np.divmod(np.arange(height * width)[None], width)
    turn = moves[:, :1] * (math.pi / 180)
    row = rows.astype("float32") - (height - 1) / 2 - moves[:, 1:2]
    column = columns.astype("float32") - (width - 1) / 2 - moves[:, 2:3]
    cosine, sine = ops.cos(turn), ops.sin(turn)
    row, column = row * cosine + column * sine, column * cosine - row * sine
    row = _snapped(row + (height - 1) / 2)
    column = _snapped(column + (width - 1) / 2)
    top, left = ops.floor(row), ops.floor(column)
    down, right = row - top, column - left
    corners = []
    for r, row_share in ((top, 1 - down), (top + 1, down)):
        for c, share in ((left, 1 - right), (left + 1, right)):
            inside = (r >= 0) & (r < height) & (c >= 0) & (c < width)
            place = ops.where(inside, r * width + c, 0.0)
            weight = ops.where(inside, row_share * share, 0.0)
            corners.append((ops.cast(place, "int32"), weight))
    return corners


def _snapped(place: Any) -> Any:
    """Puts what is all but on a pixel there: a border must not fall outside."""
    nearest = ops.round(place)
    return ops.where(ops.abs(place - nearest) < 1e-4, nearest, place)
