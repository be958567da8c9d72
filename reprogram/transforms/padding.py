"""The frame around the data."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.transforms import fitting
from reprogram.transforms.program_layer import FrameLayer


@keras.saving.register_keras_serializable("reprogram")
class Padding(FrameLayer):
    """Puts the data into the middle of a trainable frame.

    The output is the data where data are and the program elsewhere; the
    program never covers a value of the data. With `squash` tanh or sigmoid
    the program stays inside `value_range`; linear programs are clipped to it,
    and their gradients pass as if they were not, so that none gets stuck.

    Args:
        target_shape: Shape that the source reads, without the batch:
            `(height, width, channels)` for images, `(length, channels)` for
            series.
        window: Size that the data are resized to (bilinear) before they are
            placed, `(height, width)` or `(length,)`; `None` keeps their size.
        **kwargs: `squash`, `value_range`, see `FrameLayer`; `initializer`,
            `regularizer`, `dropout`, `program`, see `ProgramLayer`.

    Raises:
        ValueError: If an argument is out of range, or data larger than the
            frame arrive.

    Example:
    >>> layer = Padding((6, 6, 3), value_range=(0.0, 1.0))
    >>> layer(np.ones((2, 4, 4, 1), "float32")).shape[1:] == (6, 6, 3)
    True

    Reference: Elsayed, Goodfellow and Sohl-Dickstein, Adversarial
    Reprogramming of Neural Networks, 2019.
    """

    def __init__(
        self,
        target_shape: tuple[int, ...],
        window: tuple[int, ...] | None = None,
        **kwargs: Any,
    ):
        super().__init__(target_shape, **kwargs)
        self.window = tuple(window) if window else None
        axes = len(self.target_shape) - 1
        if self.window and len(self.window) != axes:
            raise ValueError(
                f"`window` must have {axes} sizes, as `target_shape` without"
                f" its channels has. Received: window={self.window}."
            )

    def build(self, input_shape: tuple) -> None:
        fitting.check_input(self, input_shape, self.target_shape)
        size = self.window or tuple(input_shape[1:-1])
        free = np.subtract(self.target_shape[:-1], size)
        if (free < 0).any():
            raise ValueError(
                f"Data of size {size} do not fit into a frame of"
                f" {self.target_shape[:-1]}. Set `window` to a smaller size."
            )
        self._inside = (*size, self.target_shape[-1])
        self._pads = [[math.ceil(n / 2), math.floor(n / 2)] for n in free]
        mask = np.pad(np.zeros(size), self._pads, constant_values=1.0)
        self.mask = np.broadcast_to(mask[..., None], self.target_shape)
        self.add_program(self.target_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        mask = ops.convert_to_tensor(self.mask, "float32")
        frame = ops.cast(mask * self.array(training), self.compute_dtype)
        return self.place(inputs) + frame[None]

    def place(self, inputs: Any) -> Any:
        """Puts the data into the middle of zeros."""
        x = ops.cast(inputs, self.compute_dtype)
        x = fitting.fit(x, self._inside)
        return ops.pad(x, [[0, 0], *self._pads, [0, 0]])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "window": self.window}
