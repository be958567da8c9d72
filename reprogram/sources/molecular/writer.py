"""The recurrent layer that writes molecules token by token."""

from typing import Any

import keras
from keras import layers
from keras import ops

from reprogram.molecules.tokenizer import MASK

register = keras.saving.register_keras_serializable("reprogram")


@register
class Writer(layers.Layer):
    """Scores each next token from contexts and the tokens before it.

    Contexts `(batch, length, width)` and token ids `(batch, length)` become
    scores `(batch, length, vocabulary)`. The first token is predicted from
    the id 1; id 0 ends a molecule.

    Args:
        vocabulary_size: Number of token ids.
        units: Size of the recurrent state.
    """

    def __init__(self, vocabulary_size: int, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocabulary_size, self.units = vocabulary_size, units

    def build(self, input_shape: Any) -> None:
        width, dtype = input_shape[-1], self.dtype_policy
        size, units = self.vocabulary_size, self.units
        self.embed = layers.Embedding(size, units // 4, dtype=dtype)
        self.recur = layers.GRU(units, return_sequences=True, dtype=dtype)
        self.hidden = layers.Dense(units, "relu", dtype=dtype)
        self.score = layers.Dense(size, dtype="float32")
        self.embed.build((None, None))
        self.recur.build((None, None, width + units // 4))
        self.hidden.build((None, None, width + units))
        self.score.build((None, None, units))
        self.absent = self.add_weight(
            shape=(width,), initializer="zeros", name="absent"
        )

    def call(self, contexts: Any, tokens: Any, known: Any = None) -> Any:
        contexts = contexts[:, : ops.shape(tokens)[1]]
        if known is not None:
            absent = ops.cast(self.absent, contexts.dtype)
            there = ops.cast(known, contexts.dtype)[..., None]
            contexts = there * contexts + (1 - there) * absent
        start = ops.full_like(tokens[:, :1], MASK)
        previous = ops.concatenate([start, tokens[:, :-1]], axis=1)
        embedded = self.embed(previous)
        state = self.recur(ops.concatenate([contexts, embedded], axis=-1))
        return self._read(state, contexts)

    def unread(self, batch: Any, length: Any) -> Any:
        """Contexts of molecules without a latent."""
        absent = ops.cast(self.absent, self.compute_dtype)
        return ops.broadcast_to(absent, (batch, length, absent.shape[0]))

    def step(self, context: Any, previous: Any, state: Any) -> Any:
        """Scores one token: `(batch, width)`, `(batch,)` and the state."""
        given = ops.concatenate([context, self.embed(previous)], axis=-1)
        state, _ = self.recur.cell(given, [state])
        return self._read(state, context), state

    def _read(self, state: Any, contexts: Any) -> Any:
        return self.score(
            self.hidden(ops.concatenate([state, contexts], axis=-1))
        )

    def compute_output_shape(self, input_shape: Any, *_: Any) -> Any:
        return (*input_shape[:2], self.vocabulary_size)

    def get_config(self) -> dict[str, Any]:
        config = {
            "vocabulary_size": self.vocabulary_size,
            "units": self.units,
        }
        return {**super().get_config(), **config}


@register
class NextToken(layers.Layer):
    """Scores each next token from those before it alone.

    From ids `(batch, length)` to scores `(batch, length, vocabulary)`.

    Args:
        writer: A built `Writer`; its weights are shared.
    """

    def __init__(self, writer: Writer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.writer = writer

    def call(self, tokens: Any) -> Any:
        return self.writer(self.writer.unread(*ops.shape(tokens)), tokens)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape, self.writer.vocabulary_size)

    def get_config(self) -> dict[str, Any]:
        writer = keras.saving.serialize_keras_object(self.writer)
        return {**super().get_config(), "writer": writer}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        writer = keras.saving.deserialize_keras_object(config.pop("writer"))
        return cls(writer, **config)
