"""Tables and matrices as images."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.transforms import fitting
from reprogram.transforms.program_layer import FrameLayer

LAYOUTS = ("square", "upper")


@keras.saving.register_keras_serializable("reprogram")
class TableImage(FrameLayer):
    """Writes the columns of a table, or a matrix, into the pixels of a frame.

    The values stand in the middle of the image, in all channels alike; the
    program is everywhere else. Scale the data to `value_range` first.

    Args:
        target_shape: `(height, width, channels)` that the source reads.
        layout: `"square"` writes columns row by row into a square, and a
            matrix as it is. `"upper"` writes into the triangle above the
            diagonal: `n * (n - 1) / 2` columns, row by row, or this part of
            symmetric matrices `n x n` such as correlations; the program has
            the diagonal and the other triangle.
        cell: Side in pixels of the square that each value fills.
        **kwargs: `squash`, `value_range`, see `FrameLayer`; `initializer`,
            `regularizer`, `dropout`, `program`, see `ProgramLayer`.

    Raises:
        ValueError: If an argument is out of range, or data that do not fit
            arrive.

    Example:
    >>> layer = TableImage((4, 4, 1), layout="upper")
    >>> out = layer(np.array([[5.0, 6.0, 7.0]], "float32"))
    >>> np.asarray(out)[0, 1:, 1:, 0].tolist()
    [[0.0, 5.0, 6.0], [0.0, 0.0, 7.0], [0.0, 0.0, 0.0]]

    Reference: Tsai, Chen and Ho, Transfer Learning without Knowing, 2020.
    """

    def __init__(
        self,
        target_shape: tuple[int, ...],
        layout: str = "square",
        cell: int = 1,
        **kwargs: Any,
    ):
        super().__init__(target_shape, **kwargs)
        fitting.check_images(self, self.target_shape)
        if layout not in LAYOUTS or cell < 1:
            raise ValueError(
                f"`layout` must be one of {', '.join(LAYOUTS)}, and `cell` a"
                f" positive number of pixels. Received: layout={layout!r},"
                f" cell={cell}."
            )
        self.layout = layout
        self.cell = cell

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) not in (2, 3) or None in input_shape[1:]:
            raise ValueError(
                "TableImage reads tables (batch, columns) or matrices (batch,"
                f" rows, columns) of known size. Received shape {input_shape}."
            )
        shape = (None, *input_shape[1:])
        self.input_spec = keras.layers.InputSpec(shape=shape)
        columns = _columns(input_shape[1:], self.layout)
        free = [
            whole - self.cell * part
            for whole, part in zip(self.target_shape, columns.shape)
        ]
        if min(free) < 0:
            raise ValueError(
                f"Values in {columns.shape} cells of {self.cell} pixels do not"
                f" fit into {self.target_shape[:-1]}. Lower `cell`, or drop"
                " columns."
            )
        self._columns = columns
        self._pads = [[math.ceil(n / 2), math.floor(n / 2)] for n in free]
        empty = (columns < 0).astype("float32")
        cells = np.kron(empty, np.ones((self.cell, self.cell)))
        mask = np.pad(cells, self._pads, constant_values=1.0)
        self.mask = np.broadcast_to(mask[..., None], self.target_shape)
        self.add_program(self.target_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        x = ops.reshape(x, (-1, math.prod(x.shape[1:])))
        # Cells without a value read a column of zeros behind the last one.
        x = ops.pad(x, [[0, 0], [0, 1]])
        wanted = np.where(self._columns < 0, x.shape[1] - 1, self._columns)
        x = ops.take(x, wanted.ravel(), axis=1)
        x = ops.reshape(x, (-1, *wanted.shape))
        if self.cell > 1:
            x = ops.repeat(ops.repeat(x, self.cell, axis=1), self.cell, axis=2)
        x = ops.pad(x, [[0, 0], *self._pads])[..., None]
        mask = ops.convert_to_tensor(self.mask, "float32")
        frame = ops.cast(mask * self.array(training), self.compute_dtype)
        return x + frame[None]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "layout": self.layout,
            "cell": self.cell,
        }


def _columns(shape: tuple[int, ...], layout: str) -> np.ndarray:
    """Which value of the flat data stands in each cell; -1 for none."""
    count = math.prod(shape)
    if len(shape) == 2:
        places = np.arange(count).reshape(shape)
        if layout == "square":
            return places
        if shape[0] != shape[1]:
            raise ValueError(
                "The layout 'upper' reads symmetric matrices. Received"
                f" matrices of shape {shape}. Use the layout 'square'."
            )
        return np.where(np.triu(np.ones(shape), k=1) > 0, places, -1)
    if layout == "square":
        side = math.isqrt(count - 1) + 1
        rows = math.ceil(count / side)
        cells = np.full(rows * side, -1)
        cells[:count] = np.arange(count)
        return cells.reshape(rows, side)
    side = (1 + math.isqrt(1 + 8 * count)) // 2
    if side * (side - 1) // 2 != count:
        raise ValueError(
            "The layout 'upper' reads n * (n - 1) / 2 columns. Received"
            f" {count}; {side} x {side} has {side * (side - 1) // 2}. Use the"
            " layout 'square'."
        )
    places = np.full((side, side), -1)
    places[np.triu_indices(side, k=1)] = np.arange(count)
    return places
