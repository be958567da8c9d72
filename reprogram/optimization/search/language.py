"""A frozen language model of molecules, reprogrammed by its own hits.

Reference: Guo and Schwaller, Augmented Memory, 2023; Segler et al.,
Generating focused molecule libraries with recurrent neural networks, 2018.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from keras import ops

from reprogram.molecules.smiles import randomize
from reprogram.molecules.smiles import read
from reprogram.optimization.search.archive import Archive


@keras.saving.register_keras_serializable("reprogram")
class PromptedWriter(layers.Layer):
    """Scores next tokens with a trainable prompt at every place.

    From ids `(batch, length)` to scores `(batch, length, vocabulary)`. The
    prompt `(longest, width)` begins where the writer is a plain language
    model; it is all that is trained.

    Args:
        writer: A built `Writer`, which is frozen.
        longest: Number of tokens of the longest molecule, its end included.
    """

    def __init__(self, writer: Any, longest: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.writer, self.longest = writer, longest
        writer.trainable = False

    def build(self, input_shape: tuple) -> None:
        absent = ops.convert_to_numpy(self.writer.absent)
        start = np.repeat(absent[None], self.longest, axis=0)
        self.prompt = self.add_weight(
            shape=start.shape,
            initializer=lambda shape, dtype: ops.cast(start, dtype),
            name="prompt",
        )

    def call(self, tokens: Any) -> Any:
        batch, length = ops.shape(tokens)[0], tokens.shape[1]
        contexts = ops.broadcast_to(
            self.prompt[:length], (batch, length, self.prompt.shape[-1])
        )
        return self.writer(contexts, tokens)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape, self.writer.vocabulary_size)


@dataclasses.dataclass
class LanguageSearch:
    """Writes molecules, and trains the prompt on the best of them.

    Each round draws strings, asks for the new molecules among them, and
    trains the prompt for some steps on the best molecules so far, each
    written as another random string every time.

    Args:
        source: A molecular source with a writer.
        batch: Number of strings a round.
        memory: Number of the best molecules that are learned from.
        steps: Number of training steps a round.
        learning_rate: Learning rate of Adam.
        temperature: Temperature of the draws.

    Raises:
        ValueError: If the source has no writer.
    """

    source: Any
    batch: int = 64
    memory: int = 64
    steps: int = 4
    learning_rate: float = 0.02
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not hasattr(self.source, "writer"):
            raise ValueError(
                f"The source {self.source!r} does not write molecules. Use one"
                " like zinc-autoencoder."
            )

    def __call__(
        self, archives: Sequence[Archive], counts: Sequence[int]
    ) -> list[list[str]]:
        """Draws strings for each archive, and returns their molecules."""
        return [self._one(archive) for archive in archives]

    def _one(self, archive: Archive) -> list[str]:
        if "prompted" not in archive.memory:
            archive.memory["prompted"] = self._build(archive.seed)
        trainer, generator = archive.memory["prompted"]
        if len(archive) > 1:
            self._train(archive, trainer)
        # The prompt of the trainer is the input of the generator.
        prompt = ops.convert_to_numpy(trainer.layers[-1].prompt)
        contexts = np.repeat(prompt[None], self.batch, axis=0)
        ids = generator.predict_on_batch(contexts)
        texts = read(self.source.tokenizer.detokenize(ids))[0]
        return [row for row in texts if row]

    def _build(self, seed: int) -> tuple[keras.Model, keras.Model]:
        from reprogram.sources.molecular.decoding import Decode
        from reprogram.sources.molecular.networks import sequence_loss

        longest = self.source.longest + 1
        tokens = keras.Input((longest,), dtype="int32")
        scores = PromptedWriter(self.source.writer, longest)(tokens)
        trainer = keras.Model(tokens, scores)
        optimizer = keras.optimizers.Adam(self.learning_rate)
        trainer.compile(optimizer, sequence_loss)
        contexts = keras.Input((longest, self.source.expander.output_shape[-1]))
        decode = Decode(self.source.writer, self.temperature, seed=seed)
        return trainer, keras.Model(contexts, decode(contexts))

    def _train(self, archive: Archive, trainer: keras.Model) -> None:
        utility = archive.utility()
        allowed = np.flatnonzero(np.isfinite(utility) & archive.allowed)
        best = allowed[np.argsort(-utility[allowed])][: self.memory]
        rows = []
        for row in np.resize(best, 32 * self.steps) if len(best) else ():
            seed = int(archive.rng.integers(2**31))
            text = randomize(archive.smiles[row], seed)
            if not self.source.tokenizer.explain(text, self.source.longest):
                rows.append(text)
        if rows:
            ids = self.source.tokenizer(rows, self.source.longest + 1)
            trainer.fit(ids, ids, batch_size=32, epochs=1, verbose=0)
