"""From the channels of the data to those of the source."""

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("reprogram")
class Mixing(keras.layers.Layer):
    """Mixes the channels of multivariate series by a trainable matrix.

    At the start the channels of the data are dealt out in turn and averaged:
    one output is the mean of all, as many outputs as inputs are the inputs,
    more repeat them.

    Args:
        channels: Number of channels that the source reads.
        initializer: Of the matrix `(channels of the data, channels)`; `None`
            for the averages.
        regularizer: Of the matrix, such as `"l2"`.

    Raises:
        ValueError: If `channels` is not positive.

    Example:
    >>> out = Mixing(1)(ops.array([[[1.0, 2.0, 6.0]]]))
    >>> round(float(out[0, 0, 0]), 4)
    3.0
    """

    def __init__(
        self,
        channels: int = 1,
        initializer: str | keras.Initializer | None = None,
        regularizer: str | keras.Regularizer | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if channels < 1:
            raise ValueError(
                "`channels` must be a positive number. Received:"
                f" channels={channels}."
            )
        self.channels = channels
        self.initializer = initializer and keras.initializers.get(initializer)
        self.regularizer = keras.regularizers.get(regularizer)
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) < 3 or input_shape[-1] is None:
            raise ValueError(
                "Mixing reads series (batch, length, channels). Received shape"
                f" {input_shape}. Add the missing dimension."
            )
        given = input_shape[-1]
        self.input_spec = keras.layers.InputSpec(axes={-1: given})
        self.program = self.add_weight(
            shape=(given, self.channels),
            initializer=self.initializer or _averages,
            regularizer=self.regularizer,
            name="program",
        )

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        return ops.matmul(x, ops.cast(self.program, x.dtype))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.channels)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "channels": self.channels,
            "initializer": keras.initializers.serialize(self.initializer),
            "regularizer": keras.regularizers.serialize(self.regularizer),
        }


def _averages(shape: tuple[int, int], dtype: str | None = None) -> Any:
    given, channels = shape
    turns = min(given, channels)
    dealt = np.arange(given)[:, None] % turns == np.arange(channels) % turns
    return ops.convert_to_tensor(dealt / dealt.sum(axis=0), dtype)
