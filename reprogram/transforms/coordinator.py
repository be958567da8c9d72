"""A program drawn for each image from what a frozen encoder sees."""

import copy
import math
from typing import Any
from typing import Self

import keras
from keras import layers
from keras import ops

from reprogram.transforms import fitting


def start(sides: tuple[int, ...], grid: int) -> tuple[int, list[int]]:
    """Returns how often a decoder doubles, and from which sides on.

    Args:
        sides: Height and width to end with.
        grid: Largest side to begin with.

    Example:
    >>> start((128, 128), 7)
    (5, [4, 4])
    """
    doublings = max(0, math.ceil(math.log2(max(sides) / grid)))
    return doublings, [math.ceil(side / 2**doublings) for side in sides]


@keras.saving.register_keras_serializable("reprogram")
class Coordinator(keras.layers.Layer):
    """Adds to each image what a small decoder makes of its features.

    The features of a frozen encoder and a trained vector, the trigger, form
    a coarse grid that the decoder doubles until it has the size of the image.
    Only decoder and trigger train. The decoder normalizes over each image
    alone (the paper: over the batch) and its last layer starts at zero, so
    that the first output is the image itself.

    Args:
        target_shape: `(height, width, channels)` that the source reads;
            images of another size are resized (bilinear).
        encoder: A built Keras model from images to features. It is frozen
            in place and runs in inference mode.
        strength: What the program is multiplied by, in units of the data.
        width: Channels of the coarse grid.
        grid: Rows or columns of the coarse grid, at most; 224 pixels are
            doubled five times from 7.
        value_range: Lowest and highest value, that the sum is clipped to;
            `None` for no clipping.

    Raises:
        ValueError: If an argument is out of range, data that do not fit
            arrive, or the grid has no room for the features.

    Example:
    >>> encoder = keras.Sequential(
    ...     [keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(6)]
    ... )
    >>> layer = Coordinator((16, 16, 3), encoder, width=8, grid=4)
    >>> layer(ops.ones((2, 8, 8, 1))).shape[1:] == (16, 16, 3)
    True

    Reference: Oh et al., BlackVIP: Black-Box Visual Prompting for Robust
    Transfer Learning, 2023.
    """

    def __init__(
        self,
        target_shape: tuple[int, ...],
        encoder: keras.Model,
        strength: float = 1.0,
        width: int = 32,
        grid: int = 7,
        value_range: tuple[float, float] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.target_shape = fitting.check_target(target_shape)
        fitting.check_images(self, self.target_shape)
        if not isinstance(encoder, keras.Model) or width < 2 or grid < 1:
            raise ValueError(
                "`encoder` must be a Keras model, `width` at least 2 and"
                f" `grid` at least 1. Received: {type(encoder).__name__},"
                f" width={width}, grid={grid}."
            )
        # Both lines are needed, see `Reprogrammer`.
        encoder.trainable = True
        encoder.trainable = False
        self.encoder = encoder
        self.strength = strength
        self.width = width
        self.grid = grid
        self.value_range = fitting.check_range(value_range)

    @property
    def trainable(self) -> bool:
        """Whether decoder and trigger train; the encoder never does."""
        return keras.layers.Layer.trainable.fget(self)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        keras.layers.Layer.trainable.fset(self, value)
        if hasattr(self, "encoder"):
            self.encoder.trainable = False

    def build(self, input_shape: tuple) -> None:
        fitting.check_input(self, input_shape, self.target_shape)
        self._seen = self._encoder_shape(input_shape[-1])
        if not self.encoder.built:
            self.encoder.build((None, *self._seen))
        answer = self.encoder.compute_output_shape((None, *self._seen))
        doublings, coarse = start(self.target_shape[:-1], self.grid)
        self._grid = (*coarse, self.width)
        room = math.prod(self._grid) - math.prod(answer[1:])
        if room < 1:
            raise ValueError(
                f"A grid of {self._grid} has no room for"
                f" {math.prod(answer[1:])} features and the trigger. Raise"
                " `width` or `grid`."
            )
        self.trigger = self.add_weight(
            shape=(1, room),
            initializer=keras.initializers.RandomUniform(0.0, 0.1),
            name="trigger",
        )
        self.decoder = keras.Sequential(self._stages(doublings))
        self.decoder.build((None, *self._grid))

    def _encoder_shape(self, channels: int) -> tuple[int, ...]:
        inputs = getattr(self.encoder, "inputs", None)
        expected = inputs[0].shape[1:] if inputs else (None,) * 3
        if len(expected) != 3 or (expected[-1] or channels) % channels:
            raise ValueError(
                f"The encoder reads {tuple(expected)}, and data with"
                f" {channels} channels do not fit. Convert the data, or use"
                " an encoder of images with as many channels."
            )
        pairs = zip(expected, self.target_shape)
        return tuple(size or own for size, own in pairs)

    def _stages(self, doublings: int) -> list[keras.layers.Layer]:
        policy, stages = {"dtype": self.dtype_policy}, []
        for i in range(1, doublings):
            width = max(2, self.width if i < 4 else self.width // 2)
            stages += [
                layers.UpSampling2D(2, **policy),
                layers.SeparableConv2D(width, 3, padding="same", **policy),
                layers.GroupNormalization(1, **policy),
                layers.Activation("gelu", **policy),
            ]
        if doublings:
            stages.append(layers.UpSampling2D(2, **policy))
        last = layers.Conv2D(
            self.target_shape[-1],
            3,
            padding="same",
            kernel_initializer="zeros",
            **policy,
        )
        return [*stages, last]

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        seen = self.encoder(fitting.fit(x, self._seen), training=False)
        features = math.prod(self._grid) - self.trigger.shape[-1]
        seen = ops.reshape(seen, (-1, features))
        seen = ops.cast(seen, self.compute_dtype)
        trigger = ops.cast(self.trigger, self.compute_dtype)
        trigger = ops.tile(trigger, (ops.shape(seen)[0], 1))
        coarse = ops.concatenate([seen, trigger], axis=1)
        program = self.decoder(ops.reshape(coarse, (-1, *self._grid)))
        height, width, _ = self.target_shape
        program = self.strength * program[:, :height, :width]
        x = fitting.fit(x, self.target_shape)
        return fitting.clip(x + program, self.value_range)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], *self.target_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "target_shape": self.target_shape,
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "strength": self.strength,
            "width": self.width,
            "grid": self.grid,
            "value_range": self.value_range,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        # Keras empties what it deserializes.
        encoder = copy.deepcopy(config["encoder"])
        encoder = keras.saving.deserialize_keras_object(encoder)
        return cls(**{**config, "encoder": encoder})
