"""A program on top of the data."""

import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.transforms.program_layer import ProgramLayer

# Shares of the shorter side: 56 and 28 pixels of 224.
BORDERS = {"full": 1.0, "medium": 1 / 4, "narrow": 1 / 8}


@keras.saving.register_keras_serializable("reprogram")
class Overlay(ProgramLayer):
    """Adds a trainable array to data of full size, or to their border.

    Args:
        target_shape: Shape that the source reads, without the batch; data of
            another size are resized (bilinear).
        border: Where the program is: `"full"` for everywhere, `"medium"` or
            `"narrow"` for a border of 1/4 or 1/8 of the shorter side, or the
            width of the border in pixels (steps of a series).
        **kwargs: `value_range`, that the sum is clipped to, `None` for no
            clipping; `initializer`, `regularizer`, `dropout`, `program`; see
            `ProgramLayer`.

    Raises:
        ValueError: If an argument is out of range, or data that do not fit
            arrive.

    Example:
    >>> layer = Overlay((8, 8, 3), border=2, initializer="ones")
    >>> float(ops.sum(layer(np.zeros((1, 4, 4, 1), "float32"))))
    144.0

    Reference: Bahng et al., Exploring Visual Prompts for Adapting Large-Scale
    Models, 2022; Cai et al., Sample-specific Masks for Visual
    Reprogramming-based Prompting, 2024.
    """

    def __init__(
        self,
        target_shape: tuple[int, ...],
        border: str | int = "full",
        **kwargs: Any,
    ):
        super().__init__(target_shape, **kwargs)
        if border not in BORDERS and not (
            isinstance(border, int) and border > 0
        ):
            raise ValueError(
                f"`border` must be one of {', '.join(BORDERS)}, or a positive"
                f" number of pixels. Received: border={border!r}."
            )
        self.border = border

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        size = self.target_shape[:-1]
        if isinstance(self.border, str):
            width = max(1, round(BORDERS[self.border] * min(size)))
        else:
            width = self.border
        near = [np.arange(n) < width for n in size]
        near = [axis | axis[::-1] for axis in near]
        mask = functools.reduce(np.logical_or.outer, near)
        self.mask = np.broadcast_to(mask[..., None], self.target_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        mask = ops.convert_to_tensor(self.mask, "float32")
        return self.add(self.fit(inputs), mask * self.array(training))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "border": self.border}
