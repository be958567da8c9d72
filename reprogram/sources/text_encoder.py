"""A language model of KerasHub behind a single input."""

from typing import Any

import keras
from keras import layers
from keras import ops


@keras.saving.register_keras_serializable("reprogram")
class PaddedEmbedding(layers.Layer):
    """Embeds tokens by a given layer and masks the padding.

    Args:
        embedding: Layer from token ids `(batch, length)` to vectors `(batch,
            length, width)`.
        pad: Token id of the padding, which is masked.
    """

    def __init__(
        self, embedding: layers.Layer, pad: int, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.embedding = embedding
        self.pad = pad
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if not self.embedding.built:
            self.embedding.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return self.embedding(inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.not_equal(inputs, self.pad)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.embedding.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        embedding = keras.saving.serialize_keras_object(self.embedding)
        config = {"embedding": embedding, "pad": self.pad}
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        embedding = keras.saving.deserialize_keras_object(config["embedding"])
        return cls(**{**config, "embedding": embedding})


@keras.saving.register_keras_serializable("reprogram")
class SplitMask(layers.Layer):
    """Removes the mask of embeddings: KerasHub takes it as an input."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], "bool")
        # A copy, because the mask would stay on the tensor itself.
        return ops.copy(inputs), ops.cast(mask, "int32")

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None, None


def text_encoder(backbone: keras.Model, pad: int) -> keras.Model:
    """Wraps a backbone of KerasHub into a model with one input and output.

    Everything behind the layer "embeddings" depends on its output and mask
    alone, so that a program can enter there.

    Args:
        backbone: KerasHub backbone that reads token_ids, padding_mask and
            perhaps segment_ids.
        pad: Token id of the padding.

    Returns:
        A model from token ids `(batch, length)` to the mean of the last
        hidden states `(batch, width)` over the tokens that are not padding.

    Raises:
        ValueError: If no layer, or several, read the token ids.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    embedding = _embedding(backbone)
    embedded = PaddedEmbedding(embedding, pad, name="embeddings")(tokens)
    vectors, kept = SplitMask(name="split_mask")(embedded)
    given = {"padding_mask": kept, "segment_ids": ops.zeros_like(kept)}
    reads = [name for name in backbone.input if name != "token_ids"]
    body = keras.Model(
        [embedding.output, *(backbone.input[name] for name in reads)],
        backbone.output,
        name=backbone.name,
    )
    hidden = body([vectors, *(given[name] for name in reads)])
    if isinstance(hidden, dict):
        hidden = hidden["sequence_output"]
    pooled = layers.GlobalAveragePooling1D(name="pooled")(hidden, mask=kept)
    return keras.Model(tokens, pooled, name=f"{backbone.name}_mean")


def _embedding(backbone: keras.Model) -> layers.Layer:
    tokens = backbone.input["token_ids"]
    readers = [
        layer
        for layer in backbone.layers
        if any(one is tokens for one in keras.tree.flatten(layer.input))
        and not isinstance(layer, layers.InputLayer)
    ]
    if len(readers) != 1:
        names = ", ".join(layer.name for layer in readers)
        raise ValueError(
            f"Expected one layer of {type(backbone).__name__} to read the"
            f" token ids. Received: {names or 'none'}. Save the model with one"
            " input, `model.save('name.keras')`, and pass that file."
        )
    return readers[0]
