"""Target tokens as mixtures of all source tokens."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.transforms.token_map import TokenMap


@keras.saving.register_keras_serializable("reprogram")
class DenseTokenMap(TokenMap):
    """Makes each target token a trainable mixture of all source tokens.

    The vector of a target token is its row of the program times the source's
    dictionary of vectors, which stays as it is. Without a dictionary the
    layer returns the rows. For answers token by token, the way back to the
    target's tokens is `mapping=keras.layers.Dense(vocabulary_size)`.

    Args:
        vocabulary_size: Number of token ids of the target.
        source_size: Number of tokens of the source.
        tokens: For each target token, the source token that it is at the
            start; `None` draws mixtures whose vectors are about as long as
            those of the source.
        regularizer: Of the program, such as `"l1"`.
        pad: Target id of the padding.

    Raises:
        ValueError: If `tokens` are not one source token for each target
            token, or a number is not positive.

    Example:
    >>> layer = DenseTokenMap(3, 5, tokens=[4, 0, 2])
    >>> ops.convert_to_numpy(layer(ops.array([[1, 0]])))[0].argmax(1).tolist()
    [0, 4]

    Reference: Melnyk et al., ReprogBERT, 2023.
    """

    def __init__(
        self,
        vocabulary_size: int,
        source_size: int,
        tokens: Sequence[int] | None = None,
        regularizer: str | keras.Regularizer | None = None,
        pad: int = 0,
        **kwargs: Any,
    ):
        super().__init__(vocabulary_size, source_size, pad=pad, **kwargs)
        self.tokens = tokens and source_tokens(
            tokens, vocabulary_size, source_size
        )
        self.regularizer = keras.regularizers.get(regularizer)

    def build(self, input_shape: tuple) -> None:
        deviation = (self.source_size or 1) ** -0.5
        initializer: Any = keras.initializers.RandomNormal(stddev=deviation)
        if self.tokens is not None:
            initializer = self._chosen
        self.program = self.add_weight(
            shape=(self.vocabulary_size, self.source_size),
            initializer=initializer,
            regularizer=self.regularizer,
            autocast=False,
            name="program",
        )

    def _chosen(self, shape: tuple[int, int], dtype: str | None = None) -> Any:
        return ops.one_hot(ops.array(self.tokens), shape[1], dtype=dtype)

    def call(
        self, inputs: Any, dictionary: Any = None, training: bool | None = None
    ) -> Any:
        rows = self.program
        if dictionary is not None:
            # Before the rows are taken: there are fewer of them than tokens.
            rows = ops.matmul(rows, ops.cast(dictionary, "float32"))
        rows = ops.take(rows, ops.cast(inputs, "int32"), axis=0)
        return ops.cast(rows, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "tokens": self.tokens,
            "regularizer": keras.regularizers.serialize(self.regularizer),
        }


def source_tokens(
    tokens: Sequence[int], vocabulary_size: int, size: int
) -> list[int]:
    """Checks one source token for each target token.

    Raises:
        ValueError: If there are more or fewer, or one is out of range.
    """
    found = np.asarray(tokens)
    valid = found.shape == (vocabulary_size,) and found.dtype.kind in "iu"
    if not valid or found.min() < 0 or found.max() >= size:
        raise ValueError(
            f"`tokens` must be {vocabulary_size} ids of source tokens, each"
            f" from 0 to {size - 1}. Received: {list(tokens)[:8]} of shape"
            f" {found.shape}."
        )
    return found.tolist()
