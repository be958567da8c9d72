"""What maps of tokens share, and how they read a source's dictionary."""

from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.sources.slicing import entered


class TokenMap(keras.layers.Layer):
    """Gives tokens of the target vectors that the source can read.

    A token map takes the place of the source's embedding layer:
    `Reprogrammer(source, token_map, input_layer="embeddings")` reads token
    ids `(batch, length)` of the target. Where that layer adds positions, they
    are added as it does, relative to the first; the target's padding is
    masked where the source masks its own.

    Args:
        vocabulary_size: Number of token ids of the target.
        source_size: Number of tokens of the source to combine, or `None` if
            the map holds vectors of its own.
        width: Size of the vectors, if the map holds them.
        pad: Target id of the padding.

    Raises:
        ValueError: If a number is not positive.
    """

    def __init__(
        self,
        vocabulary_size: int,
        source_size: int | None = None,
        width: int | None = None,
        pad: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for name, value in (
            ("vocabulary_size", vocabulary_size),
            ("source_size", source_size),
            ("width", width),
        ):
            if value is not None and value < 1:
                raise ValueError(
                    f"`{name}` must be a positive number. Received:"
                    f" {name}={value}."
                )
        self.vocabulary_size = vocabulary_size
        self.source_size = source_size
        self.width = width
        self.pad = pad
        # Token ids must not be rounded to half precision.
        self.autocast = False
        self.supports_masking = True

    def check_source(
        self, source: keras.Model, input_layer: str | None
    ) -> None:
        """Checks that the map fits the layer it takes the place of.

        Raises:
            ValueError: If it does not; the message says what to change.
        """
        name = type(self).__name__
        if input_layer is None:
            raise ValueError(
                f"{name} takes the place of the source's embedding layer, but"
                " `input_layer` is None. Set it to that layer's name, which"
                " `Source.input_layer` holds."
            )
        known = source_size(source, input_layer)
        if self.source_size is not None and self.source_size > known:
            raise ValueError(
                f"{name} combines {self.source_size} tokens and the layer"
                f" {input_layer!r} of the source knows {known}. Set"
                f" source_size={known}."
            )
        width = source.get_layer(input_layer).output.shape[-1]
        if self.width not in (None, width):
            raise ValueError(
                f"{name} gives vectors of {self.width} numbers and the layer"
                f" {input_layer!r} of the source gives {width}. Set"
                f" width={width}."
            )

    def embed(
        self, enter: keras.Model, tokens: Any, training: bool | None = None
    ) -> list:
        """Gives what the source's layer would if it knew the tokens.

        Args:
            enter: From token ids of the source to vectors `(batch, length,
                width)` and masks, see `slicing.slice_source`.
            tokens: Token ids of the target, `(batch, length)`.
            training: Whether the program trains.

        Returns:
            Vectors `(batch, length, width)` and masks `(batch, length)`.
        """
        length = tokens.shape[1] or ops.shape(tokens)[1]
        blank = ops.zeros((1, length), enter.inputs[0].dtype)
        places, *masks = entered(enter, blank)
        words = self.source_size and _read(enter, self.source_size)
        vectors = self(tokens, dictionary=words, training=training)
        vectors = ops.cast(vectors, places.dtype) + places - places[:, :1]
        mask = self.compute_mask(tokens)
        return [vectors, *(ops.cast(mask, one.dtype) for one in masks)]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return ops.not_equal(inputs, self.pad)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape, self.width or self.source_size)

    def get_config(self) -> dict[str, Any]:
        config = {"vocabulary_size": self.vocabulary_size, "pad": self.pad}
        if self.source_size is not None:
            config["source_size"] = self.source_size
        if self.width is not None:
            config["width"] = self.width
        return {**super().get_config(), **config}


def dictionary(source: keras.Model, input_layer: str) -> np.ndarray:
    """Reads the vectors of all tokens of a source.

    Args:
        source: A Keras model of token ids `(batch, length)`.
        input_layer: Name of its embedding layer.

    Returns:
        An array `(tokens of the source, width)`: what the layer gives for
        each token at the first place.

    Example:
    >>> tokens = keras.Input((None,), dtype="int32")
    >>> embedded = keras.layers.Embedding(9, 4, name="words")(tokens)
    >>> dictionary(keras.Model(tokens, embedded), "words").shape
    (9, 4)
    """
    embedded = source.get_layer(input_layer).output
    enter = keras.Model(source.inputs[0], embedded)
    words = _read(enter, source_size(source, input_layer))
    return ops.convert_to_numpy(words)


def source_size(source: keras.Model, input_layer: str) -> int:
    """Returns how many token ids an embedding layer knows.

    Raises:
        ValueError: If the layer has no table of vectors.
    """
    weights = source.get_layer(input_layer).weights
    if not weights or len(weights[0].shape) != 2:
        raise ValueError(
            f"The layer {input_layer!r} of the source has no table of token"
            " vectors as its first weight. Choose its embedding layer."
        )
    return weights[0].shape[0]


def _read(enter: keras.Model, size: int) -> Any:
    # Sources of one length only read their tokens spread over its places.
    length = enter.inputs[0].shape[1] or 1
    tokens = np.arange(-(-size // length) * length) % size
    tokens = ops.convert_to_tensor(
        tokens.reshape(-1, length), enter.inputs[0].dtype
    )
    places = entered(enter, ops.zeros_like(tokens[:1]))[0]
    vectors = entered(enter, tokens)[0] - places + places[:, :1]
    return ops.reshape(vectors, (-1, vectors.shape[-1]))[:size]
