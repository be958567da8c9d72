"""The networks that read a molecule, describe it and write it again."""

from typing import Any

import keras
from keras import layers
from keras import ops

from reprogram.sources.molecular.layers import PATCH
from reprogram.sources.molecular.layers import ConvolutionBlock
from reprogram.sources.molecular.layers import Patches
from reprogram.sources.molecular.layers import Pooling
from reprogram.sources.molecular.layers import Positions
from reprogram.sources.molecular.writer import NextToken
from reprogram.sources.molecular.writer import Writer


def reader(
    vocabulary_size: int,
    outputs: int,
    width: int = 256,
    depth: int = 4,
    slots: int = 24,
    code: int = 10,
) -> keras.Model:
    """Builds the network that reads molecules, with random weights.

    Args:
        vocabulary_size: Number of token ids, padding included.
        outputs: Number of descriptors to predict.
        width: Size of the token embedding.
        depth: Number of convolution blocks.
        slots: Number of patches of 4 tokens in the latent.
        code: Number of latent values of a patch.

    Returns:
        A model from token ids `(batch, length)` to `descriptors`
        `(batch, outputs)`, and to `mean` and `log_variance` of the latent
        `(batch, slots * code)`.

    Example:
    >>> model = reader(40, 10, width=8, depth=1, slots=2, code=3)
    >>> [tuple(output.shape) for output in model.outputs]
    [(None, 10), (None, 6), (None, 6)]
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    embed = layers.Embedding(
        vocabulary_size, width, mask_zero=True, name="embeddings"
    )
    x = embed(tokens)
    for i in range(depth):
        dilation = max(1, 2 ** (i - 1))
        x = ConvolutionBlock(5, dilation, name=f"block_{i}")(x)
    x = layers.LayerNormalization(name="sequence")(x)
    atoms = layers.Dense(3 * width // 2, "relu", name="atoms")(x)
    pooled = Pooling(16.0, name="features", dtype="float32")(atoms)
    hidden = layers.Dense(3 * width, "relu", name="hidden")(pooled)
    scores = layers.Dense(outputs, name="descriptors", dtype="float32")
    y = layers.Dense(width, "relu", name="patch")(Patches(slots)(x))
    codes = layers.Flatten()(layers.Dense(code, name="codes")(y))
    mixed = layers.Dense(3 * width, "relu", name="mixture")(codes)
    size = slots * code
    mean = layers.Dense(size, name="correction", dtype="float32")(mixed)
    mean = layers.Add(name="mean", dtype="float32")([codes, mean])
    spread = layers.Dense(
        size,
        bias_initializer=keras.initializers.Constant(-4.0),
        name="log_variance",
        dtype="float32",
    )
    return keras.Model(
        tokens, [scores(hidden), mean, spread(mixed)], name="reader"
    )


def describer(vocabulary_size: int, outputs: int) -> keras.Model:
    """Builds the part of `reader` that describes, with random weights.

    Args:
        vocabulary_size: Number of token ids, padding included.
        outputs: Number of descriptors to predict.

    Returns:
        A model from token ids `(batch, length)` to `(batch, outputs)`.
    """
    model = reader(vocabulary_size, outputs)
    return keras.Model(model.input, model.outputs[0])


def expander(slots: int, code: int, width: int) -> keras.Model:
    """Builds the network that turns a latent into a context of each token.

    Args:
        slots: Number of patches of 4 tokens in the latent.
        code: Number of latent values of a patch.
        width: Size of the vector of a patch; contexts have 3/4 of it.

    Returns:
        A model from latents `(batch, slots * code)` to contexts
        `(batch, 4 * slots, 3 * width // 4)`.
    """
    latent = keras.Input((slots * code,), name="latent")
    x = layers.Dense(3 * width, "relu", name="mixture")(latent)
    x = layers.Dense(slots * code, name="correction")(x)
    x = layers.Reshape((slots, code))(layers.Add()([latent, x]))
    x = Positions(name="places")(layers.Dense(width, name="codes")(x))
    for i in range(2):
        x = ConvolutionBlock(3, name=f"block_{i}")(x)
    x = layers.RMSNormalization(name="sequence")(x)
    x = layers.Dense(PATCH * (3 * width // 4), name="contexts")(x)
    x = layers.Reshape((slots * PATCH, 3 * width // 4))(x)
    return keras.Model(latent, x, name="expander")


def parts(
    vocabulary_size: int,
    outputs: int,
    width: int = 256,
    depth: int = 4,
    slots: int = 24,
    code: int = 10,
    units: int = 384,
) -> tuple[keras.Model, keras.Model, Writer]:
    """Builds `reader`, `expander` and `Writer`, with random weights.

    Args:
        vocabulary_size: Number of token ids, padding included.
        outputs: Number of descriptors to predict.
        width: Size of the token embedding.
        depth: Number of convolution blocks of the reader.
        slots: Number of patches of 4 tokens in the latent.
        code: Number of latent values of a patch.
        units: Size of the writer's recurrent state.

    Returns:
        The three of them, built.
    """
    writer = Writer(vocabulary_size, units, name="writer")
    writer.build((None, PATCH * slots, 3 * width // 4))
    return (
        reader(vocabulary_size, outputs, width, depth, slots, code),
        expander(slots, code, width),
        writer,
    )


def language(writer: Writer) -> keras.Model:
    """Builds the causal language model: the writer without a latent.

    Args:
        writer: A built `Writer`; its weights are shared.

    Returns:
        A model from token ids `(batch, length)` to the scores of the token
        at each place, given those before it `(batch, length, vocabulary)`.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    return keras.Model(tokens, NextToken(writer)(tokens), name="next_token")


def sequence_loss(y_true: Any, y_pred: Any) -> Any:
    """Returns the cross-entropy of each molecule, in nats, its end included.

    Args:
        y_true: Token ids `(batch, length)`, with at least one 0 at the end.
        y_pred: Scores `(batch, length, vocabulary)`.

    Returns:
        Values `(batch,)`.
    """
    losses = keras.losses.sparse_categorical_crossentropy(
        y_true, y_pred, from_logits=True
    )
    return ops.sum(losses * _written(y_true), axis=-1)


def exact(y_true: Any, y_pred: Any) -> Any:
    """Returns 1 for each molecule whose tokens all have the highest score."""
    wrong = ops.not_equal(ops.argmax(y_pred, -1), ops.cast(y_true, "int32"))
    wrong = ops.cast(wrong, "float32") * _written(y_true)
    return ops.cast(ops.equal(ops.sum(wrong, axis=-1), 0.0), "float32")


def _written(ids: Any) -> Any:
    there = ops.cast(ops.not_equal(ids, 0), "float32")
    return ops.concatenate([ops.ones_like(there[:, :1]), there[:, :-1]], 1)
