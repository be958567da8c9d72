"""The Transformer that reads molecules."""

import keras
import numpy as np
from keras import layers
from keras import ops


@keras.saving.register_keras_serializable("reprogram")
class TokenEmbedding(layers.Layer):
    """Embeds tokens and adds sinusoidal positions; id 0 is masked.

    Args:
        vocabulary_size: Number of token ids, the padding id 0 included.
        width: Size of an embedding.

    Reference: Vaswani et al., Attention Is All You Need, 2017.
    """

    def __init__(self, vocabulary_size: int, width: int, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.width = width
        self.supports_masking = True

    def build(self, input_shape):
        self.embeddings = self.add_weight(
            shape=(self.vocabulary_size, self.width),
            initializer=keras.initializers.RandomNormal(0.02),
            name="embeddings",
        )

    def call(self, inputs):
        embedded = ops.take(self.embeddings, ops.cast(inputs, "int32"), axis=0)
        embedded = embedded * np.sqrt(self.width)
        rate = np.exp(
            -np.log(1e4) * np.arange(self.width // 2) * 2 / self.width
        )
        length = ops.shape(inputs)[1]
        angle = ops.arange(length, dtype="float32")[:, None] * rate[None]
        angle = ops.cast(angle, "float32")
        position = ops.concatenate([ops.sin(angle), ops.cos(angle)], axis=-1)
        return embedded + ops.cast(position, embedded.dtype)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.width)

    def get_config(self):
        config = {
            "vocabulary_size": self.vocabulary_size,
            "width": self.width,
        }
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable("reprogram")
class Pooling(layers.Layer):
    """Means and scaled sums over the tokens of a molecule.

    Means say what a molecule is made of, sums how much of it there is. From
    `(batch, length, width)` to `(batch, 2 * width)`; masked tokens are left
    out.

    Args:
        scale: What the sums are divided by.
    """

    def __init__(self, scale: float = 32.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs, mask=None):
        x = ops.cast(inputs, "float32")
        if mask is None:
            mask = ops.ones(ops.shape(x)[:2], "bool")
        seen = ops.cast(mask, "float32")[..., None]
        total = ops.sum(x * seen, axis=1)
        count = ops.maximum(ops.sum(seen, axis=1), 1.0)
        return ops.concatenate([total / count, total / self.scale], axis=-1)

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 2 * input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


def smiles_encoder(
    vocabulary_size: int,
    outputs: int,
    width: int = 192,
    depth: int = 4,
    heads: int = 6,
    dropout: float = 0.0,
) -> keras.Model:
    """Builds the encoder with random weights.

    Args:
        vocabulary_size: Number of token ids, padding included.
        outputs: Number of descriptors to predict.
        width: Size of a token's vector.
        depth: Number of Transformer blocks.
        heads: Attention heads a block.
        dropout: Dropout rate inside the blocks.

    Returns:
        A model from token ids `(batch, length)` to standardized descriptors
        `(batch, outputs)`. Its layers `embeddings`, `sequence` and `features`
        are where programs enter and mappings read.

    Example:

    >>> smiles_encoder(40, 10, width=16, depth=1, heads=2).output_shape
    (None, 10)
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = TokenEmbedding(vocabulary_size, width, name="embeddings")(tokens)
    for i in range(depth):
        y = layers.LayerNormalization(name=f"norm_{i}a")(x)
        attention = layers.MultiHeadAttention(
            heads, width // heads, dropout=dropout, name=f"attention_{i}"
        )
        x = layers.Add(name=f"add_{i}a")([x, attention(y, y)])
        y = layers.LayerNormalization(name=f"norm_{i}b")(x)
        y = layers.Dense(4 * width, "relu", name=f"expand_{i}")(y)
        y = layers.Dense(width, name=f"contract_{i}")(y)
        y = layers.Dropout(dropout, name=f"dropout_{i}")(y)
        x = layers.Add(name=f"add_{i}b")([x, y])
    x = layers.LayerNormalization(name="sequence")(x)
    pooled = Pooling(name="features", dtype="float32")(x)
    hidden = layers.Dense(2 * width, "relu", name="hidden")(pooled)
    scores = layers.Dense(outputs, name="descriptors", dtype="float32")
    return keras.Model(tokens, scores(hidden), name="smiles_encoder")
