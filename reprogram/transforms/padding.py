"""The frame around the data."""

import math

import keras
import numpy as np
from keras import ops

SQUASHES = {
    "tanh": lambda w: 0.5 * (ops.tanh(w) + 1.0),
    "sigmoid": ops.sigmoid,
    "linear": lambda w: w,
}


@keras.saving.register_keras_serializable("reprogram")
class Padding(keras.layers.Layer):
    """Puts the data into the middle of a trainable frame.

    The output is the data where data are and the program elsewhere; the
    program never covers a value of the data. With `squash` tanh or sigmoid
    the program stays inside `value_range`; linear programs are clipped to it.

    Args:
        target_shape: Shape that the source reads, without the batch:
            `(height, width, channels)` for images, `(length, channels)` for
            series.
        window: Size that the data are resized to (bilinear) before they are
            placed, `(height, width)` or `(length,)`; `None` keeps their size.
        squash: `"tanh"`, `"sigmoid"` or `"linear"`.
        value_range: Lowest and highest value that the source expects.
        initializer: Of the program.
        regularizer: Of the program, such as `"l2"`.
        dropout: Share of the program's values that are set to the middle of
            the range during training.

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
        squash: str = "tanh",
        value_range: tuple[float, float] = (-1.0, 1.0),
        initializer: str | keras.Initializer = "zeros",
        regularizer: str | keras.Regularizer | None = None,
        dropout: float = 0.0,
        **kwargs: object,
    ):
        super().__init__(**kwargs)
        self.target_shape = tuple(int(size) for size in target_shape)
        self.window = tuple(window) if window else None
        self.squash = squash
        self.value_range = tuple(float(value) for value in value_range)
        self.initializer = keras.initializers.get(initializer)
        self.regularizer = keras.regularizers.get(regularizer)
        self.dropout = keras.layers.Dropout(dropout, dtype="float32")
        self._validate()

    def _validate(self) -> None:
        axes = len(self.target_shape) - 1
        if self.squash not in SQUASHES:
            raise ValueError(
                f"`squash` must be one of {', '.join(SQUASHES)}. Received:"
                f" squash={self.squash!r}."
            )
        if axes not in (1, 2):
            raise ValueError(
                "`target_shape` must be (height, width, channels) or (length,"
                f" channels). Received: target_shape={self.target_shape}."
            )
        if self.window and len(self.window) != axes:
            raise ValueError(
                f"`window` must have {axes} sizes, as `target_shape` without"
                f" its channels has. Received: window={self.window}."
            )
        if not self.value_range[0] < self.value_range[1]:
            raise ValueError(
                "`value_range` must be (lowest, highest). Received:"
                f" value_range={self.value_range}."
            )

    def build(self, input_shape):
        rank = len(self.target_shape)
        if len(input_shape) != rank + 1 or None in input_shape[1:]:
            raise ValueError(
                f"Padding to {self.target_shape} reads batches of rank"
                f" {rank + 1} with known sizes. Received shape {input_shape}."
                " Add or remove a dimension, or resize the data first."
            )
        if self.target_shape[-1] % input_shape[-1]:
            raise ValueError(
                f"{input_shape[-1]} channels of data do not fit into"
                f" {self.target_shape[-1]} channels of the source. Convert"
                " the data, for example to grayscale."
            )
        size = self.window or tuple(input_shape[1:-1])
        free = np.subtract(self.target_shape[:-1], size)
        if (free < 0).any():
            raise ValueError(
                f"Data of size {size} do not fit into a frame of"
                f" {self.target_shape[:-1]}. Set `window` to a smaller size."
            )
        spec = (None, *input_shape[1:])
        self.input_spec = keras.layers.InputSpec(shape=spec)
        self._pads = [[math.ceil(n / 2), math.floor(n / 2)] for n in free]
        mask = np.pad(np.zeros(size), self._pads, constant_values=1.0)
        self.mask = np.broadcast_to(mask[..., None], self.target_shape)
        self.program = self.add_weight(
            shape=self.target_shape,
            initializer=self.initializer,
            regularizer=self.regularizer,
            name="program",
        )

    def call(self, inputs, training=None):
        x = ops.cast(inputs, self.compute_dtype)
        repeats = self.target_shape[-1] // x.shape[-1]
        x = ops.tile(x, [1] * len(self.target_shape) + [repeats])
        if self.window and self.window != tuple(inputs.shape[1:-1]):
            x = _resize(x, self.window)
        x = ops.pad(x, [[0, 0], *self._pads, [0, 0]])
        mask = ops.cast(ops.convert_to_tensor(self.mask), self.compute_dtype)
        return x + mask * self._frame(training)[None]

    def _frame(self, training: bool | None) -> object:
        low, high = self.value_range
        middle = 0.5 * (low + high)
        frame = SQUASHES[self.squash](ops.cast(self.program, "float32"))
        if self.squash != "linear":
            frame = low + (high - low) * frame
        frame = self.dropout(frame - middle, training=training) + middle
        return ops.cast(ops.clip(frame, low, high), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.target_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "target_shape": self.target_shape,
            "window": self.window,
            "squash": self.squash,
            "value_range": self.value_range,
            "initializer": keras.initializers.serialize(self.initializer),
            "regularizer": keras.regularizers.serialize(self.regularizer),
            "dropout": self.dropout.rate,
        }


def _resize(x: object, window: tuple[int, ...]) -> object:
    if len(window) == 2:
        return ops.image.resize(x, window, data_format="channels_last")
    return _resize(x[:, :, None], (window[0], 1))[:, :, 0]
