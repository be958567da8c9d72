"""Writing molecules token by token: greedy, sampled and by beam search."""

from typing import Any

import keras
from keras import layers
from keras import ops

from reprogram.molecules.tokenizer import MASK
from reprogram.sources.molecular.writer import Writer


@keras.saving.register_keras_serializable("reprogram")
class Decode(layers.Layer):
    """Writes the molecules of contexts with the states of the writer cached.

    From contexts `(batch, length, width)` to int32 token ids: the likeliest
    token at each place, `(batch, length)`; with a `temperature`, drawn tokens
    of the same shape; with `beams`, the likeliest strings
    `(batch, beams, length)`, best first.

    Args:
        writer: A built `Writer`; its weights are shared.
        temperature: Divisor of the scores before a draw; 0 takes the likeliest.
        beams: Number of strings kept in a beam search; 1 for none.
        seed: Seed of the draws.
        read: Whether to use the contexts; otherwise only their shape is used,
            and the language model writes.

    Raises:
        ValueError: If `temperature` is negative, if `beams` is less than 1,
            or if both are asked for.
    """

    def __init__(
        self,
        writer: Writer,
        temperature: float = 0.0,
        beams: int = 1,
        seed: int = 0,
        read: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if temperature < 0 or beams < 1 or (temperature > 0 and beams > 1):
            raise ValueError(
                "Expected a `temperature` of at least 0, or `beams` of at"
                " least 1, not both at once. Received:"
                f" temperature={temperature}, beams={beams}."
            )
        self.writer, self.seed, self.read = writer, seed, read
        self.temperature, self.beams = temperature, beams
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, contexts: Any) -> Any:
        if not self.read:
            batch = ops.shape(contexts)[0]
            contexts = self.writer.unread(batch, contexts.shape[1])
        if self.beams > 1:
            return self._search(contexts)
        batch, length = ops.shape(contexts)[0], contexts.shape[1]

        def go_on(t: Any, previous: Any, state: Any, ids: Any) -> Any:
            return ops.logical_and(t < length, ops.any(previous != 0))

        def step(t: Any, previous: Any, state: Any, ids: Any) -> Any:
            context = ops.take(contexts, t, axis=1)
            scores, state = self.writer.step(context, previous, state)
            token = ops.where(previous != 0, self._choose(scores), 0)
            return t + 1, token, state, _put(ids, t, token)

        start = (
            0,
            ops.full((batch,), MASK, "int32"),
            ops.zeros((batch, self.writer.units), self.writer.compute_dtype),
            ops.zeros((batch, length), "int32"),
        )
        return ops.while_loop(go_on, step, start)[-1]

    def _choose(self, scores: Any) -> Any:
        if not self.temperature:
            return ops.cast(ops.argmax(scores, axis=-1), "int32")
        drawn = keras.random.categorical(
            scores / self.temperature, 1, dtype="int32", seed=self.generator
        )
        return drawn[:, 0]

    def _search(self, contexts: Any) -> Any:
        batch, length = ops.shape(contexts)[0], contexts.shape[1]
        beams, size = self.beams, self.writer.vocabulary_size
        spread = ops.repeat(contexts, beams, axis=0)
        # An ended string goes on with its end alone, at no cost.
        ended = -1e9 * ops.cast(ops.arange(size) > 0, "float32")

        def go_on(
            t: Any, previous: Any, state: Any, ids: Any, total: Any
        ) -> Any:
            return ops.logical_and(t < length, ops.any(previous != 0))

        def step(
            t: Any, previous: Any, state: Any, ids: Any, total: Any
        ) -> Any:
            context = ops.take(spread, t, axis=1)
            scores, state = self.writer.step(context, previous, state)
            scores = ops.log_softmax(ops.cast(scores, "float32"))
            scores = ops.where((previous != 0)[:, None], scores, ended)
            scores = ops.reshape(total[:, None] + scores, (batch, -1))
            total, best = ops.top_k(scores, beams)
            first = beams * ops.arange(batch, dtype="int32")[:, None]
            parent = ops.reshape(first + ops.cast(best, "int32") // size, (-1,))
            token = ops.reshape(ops.cast(best, "int32") % size, (-1,))
            state = ops.take(state, parent, axis=0)
            ids = _put(ops.take(ids, parent, axis=0), t, token)
            return t + 1, token, state, ids, ops.reshape(total, (-1,))

        rows = batch * beams
        # All beams start equal; only the first may be continued.
        total = ops.tile(ops.arange(beams, dtype="float32") * -1e6, [batch])
        start = (
            0,
            ops.full((rows,), MASK, "int32"),
            ops.zeros((rows, self.writer.units), self.writer.compute_dtype),
            ops.zeros((rows, length), "int32"),
            total,
        )
        ids = ops.while_loop(go_on, step, start)[3]
        return ops.reshape(ids, (batch, beams, length))

    def compute_output_shape(self, input_shape: Any) -> Any:
        beams = (self.beams,) if self.beams > 1 else ()
        return (input_shape[0], *beams, input_shape[1])

    def compute_output_spec(self, inputs: Any) -> Any:
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, "int32")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "writer": keras.saving.serialize_keras_object(self.writer),
            "temperature": self.temperature,
            "beams": self.beams,
            "seed": self.seed,
            "read": self.read,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        writer = keras.saving.deserialize_keras_object(config.pop("writer"))
        return cls(writer, **config)


def _put(ids: Any, t: Any, token: Any) -> Any:
    here = ops.arange(ids.shape[1], dtype="int32")[None] == t
    return ops.where(here, token[:, None], ids)
