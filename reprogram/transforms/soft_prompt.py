"""Trainable vectors in front of a sequence."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("reprogram")
class SoftPrompt(keras.layers.Layer):
    """Puts trainable vectors in front of a sequence of embeddings.

    Let the program enter behind the source's embedding layer:
    `Reprogrammer(source, SoftPrompt(8), input_layer="embeddings")`. A mask of
    the sequence is extended by the prompt, which is never masked.

    Args:
        length: Number of vectors.
        initializer: Of the vectors.
        regularizer: Of the vectors, such as `"l2"`.
        dropout: Share of the prompt's values set to zero during training.

    Raises:
        ValueError: If `length` is not positive, or if the input is not a
            sequence of vectors.

    Example:
    >>> SoftPrompt(4)(keras.ops.ones((2, 10, 16))).shape[1:] == (14, 16)
    True

    Reference: Lester, Al-Rfou and Constant, The Power of Scale for
    Parameter-Efficient Prompt Tuning, 2021.
    """

    def __init__(
        self,
        length: int,
        initializer: str | keras.Initializer | None = None,
        regularizer: str | keras.Regularizer | None = None,
        dropout: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if length < 1:
            raise ValueError(
                "`length` must be a positive number of vectors. Received:"
                f" length={length}."
            )
        self.length = length
        self.initializer = keras.initializers.get(
            initializer or keras.initializers.RandomNormal(stddev=0.02)
        )
        self.regularizer = keras.regularizers.get(regularizer)
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) != 3 or input_shape[-1] is None:
            raise ValueError(
                "SoftPrompt reads embeddings (batch, length, width). Received"
                f" shape {input_shape}. Set `input_layer` of the Reprogrammer"
                " to the source's embedding layer."
            )
        self.program = self.add_weight(
            shape=(self.length, input_shape[-1]),
            initializer=self.initializer,
            regularizer=self.regularizer,
            name="program",
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        program = ops.cast(self.program, inputs.dtype)[None]
        program = self.dropout(program, training=training)
        shape = (ops.shape(inputs)[0], self.length, inputs.shape[-1])
        return ops.concatenate([ops.broadcast_to(program, shape), inputs], 1)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        if previous_mask is None:
            return None
        seen = ops.ones((ops.shape(previous_mask)[0], self.length), "bool")
        return ops.concatenate([seen, previous_mask], axis=1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, length, width = input_shape
        return (batch, None if length is None else length + self.length, width)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "length": self.length,
            "initializer": keras.initializers.serialize(self.initializer),
            "regularizer": keras.regularizers.serialize(self.regularizer),
            "dropout": self.dropout.rate,
        }
