"""Pictures of series, for sources that read images."""

from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.transforms.missing import observed


@keras.saving.register_keras_serializable("reprogram")
class Rendering(keras.layers.Layer):
    """Draws a series as an image that an image model reads.

    Each channel of each series is brought to [-1, 1] by its smallest and
    largest value, brought to the size of the image and drawn:

    - `"line"`: its curve, time from left to right;
    - `"gramian"`: the cosine of the sum of the angles whose cosines are the
      values at two times (Gramian angular summation field);
    - `"recurrence"`: how close the values at two times are.

    All pictures are smooth in the data, so that gradients pass. The layer has
    no weights; a trainable frame follows it in a `keras.Sequential`. Steps
    that are masked or NaN stay blank.

    Args:
        target_shape: Shape that the source reads, `(height, width,
            channels)`. The channels are repeated where the source has more.
        view: `"line"`, `"gramian"` or `"recurrence"`.
        softness: Width of the line, or distance that counts as close, as
            standard deviation of a bell; the curve spans 2.
        value_range: Values of background and drawing.

    Raises:
        ValueError: If an argument is out of range, or if data of another
            shape arrive.

    Example:
    >>> layer = Rendering((32, 32, 3), "gramian")
    >>> layer(ops.ones((2, 100, 1))).shape[1:] == (32, 32, 3)
    True
    """

    def __init__(
        self,
        target_shape: tuple[int, int, int],
        view: str = "line",
        softness: float = 0.1,
        value_range: tuple[float, float] = (-1.0, 1.0),
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.target_shape = tuple(int(size) for size in target_shape)
        self.view = view
        self.softness = float(softness)
        self.value_range = tuple(float(value) for value in value_range)
        self.supports_masking = True
        if view not in VIEWS:
            raise ValueError(
                f"`view` must be one of {', '.join(VIEWS)}. Received:"
                f" view={view!r}."
            )
        if len(self.target_shape) != 3 or not softness > 0:
            raise ValueError(
                "Expected a `target_shape` (height, width, channels) and a"
                " positive `softness`. Received:"
                f" target_shape={self.target_shape}, softness={softness}."
            )

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) != 3 or None in input_shape[1:]:
            raise ValueError(
                "Rendering reads series (batch, length, channels) of known"
                f" sizes. Received shape {input_shape}. Fill shorter series up"
                " with NaN."
            )
        if self.target_shape[-1] % input_shape[-1]:
            raise ValueError(
                f"{input_shape[-1]} channels of data do not fit into"
                f" {self.target_shape[-1]} channels of the source. Put Mixing"
                " in front."
            )

    def call(self, inputs: Any, mask: Any = None) -> Any:
        x, seen = observed(ops.cast(inputs, "float32"), mask)
        seen = ops.cast(seen, "float32")[..., None]
        x = _spread(x, seen)
        size = self.target_shape[:-1]
        shown = VIEWS[self.view](x, seen, size, self.softness)
        repeats = self.target_shape[-1] // inputs.shape[-1]
        shown = ops.tile(shown, [1, 1, 1, repeats])
        low, high = self.value_range
        return ops.cast(low + (high - low) * shown, self.compute_dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], *self.target_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "target_shape": self.target_shape,
            "view": self.view,
            "softness": self.softness,
            "value_range": self.value_range,
        }


def _spread(x: Any, seen: Any) -> Any:
    """Brings what is seen of each channel to [-1, 1], constants to 0."""
    low = ops.min(ops.where(seen > 0, x, np.inf), axis=1, keepdims=True)
    high = ops.max(ops.where(seen > 0, x, -np.inf), axis=1, keepdims=True)
    half = ops.maximum(0.5 * (high - low), 1e-6)
    return ops.where(seen > 0, (x - 0.5 * (low + high)) / half, 0.0)


def _resized(x: Any, seen: Any, steps: int) -> tuple[Any, Any]:
    """Brings series and what is seen of them to a number of steps."""

    def resize(series: Any) -> Any:
        return ops.image.resize(
            series[:, :, None],
            (steps, 1),
            antialias=True,
            data_format="channels_last",
        )[:, :, 0]

    if x.shape[1] == steps:
        return x, seen
    part = resize(seen)
    kept = ops.cast(part > 0.5, "float32")
    return kept * resize(x) / ops.maximum(part, 1e-6), kept


def _line(x: Any, seen: Any, size: tuple, softness: float) -> Any:
    height, width = size
    x, seen = _resized(x, seen, width)
    # A column reaches up to the next value, so that steep curves have no gaps.
    following = ops.concatenate([x[:, 1:], x[:, -1:]], axis=1)
    known = ops.concatenate([seen[:, 1:], seen[:, -1:]], axis=1)
    following = ops.where(known > 0, following, x)
    low = ops.minimum(x, following)[:, None]
    high = ops.maximum(x, following)[:, None]
    edge = 1.0 + softness
    row = np.linspace(edge, -edge, height, dtype="float32")[None, :, None, None]
    gap = ops.maximum(ops.maximum(low - row, row - high), 0.0)
    return ops.exp(-0.5 * ops.square(gap / softness)) * seen[:, None]


def _gramian(x: Any, seen: Any, size: tuple, softness: float) -> Any:
    (a, down), (b, across) = (_resized(x, seen, steps) for steps in size)
    a, b = a[:, :, None], b[:, None]
    # The floor keeps the slope of the root finite at the extremes.
    sine_a = ops.sqrt(ops.maximum(1.0 - ops.square(a), 1e-6))
    sine_b = ops.sqrt(ops.maximum(1.0 - ops.square(b), 1e-6))
    cosine = ops.clip(a * b - sine_a * sine_b, -1.0, 1.0)
    return 0.5 * (cosine + 1.0) * down[:, :, None] * across[:, None]


def _recurrence(x: Any, seen: Any, size: tuple, softness: float) -> Any:
    (a, down), (b, across) = (_resized(x, seen, steps) for steps in size)
    near = ops.exp(-0.5 * ops.square((a[:, :, None] - b[:, None]) / softness))
    return near * down[:, :, None] * across[:, None]


VIEWS = {"line": _line, "gramian": _gramian, "recurrence": _recurrence}
