"""Target tokens as sums of a few source tokens."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.transforms.dense_token_map import source_tokens
from reprogram.transforms.sparse_coding import nearest_sums
from reprogram.transforms.sparse_coding import refitted
from reprogram.transforms.token_map import TokenMap


@keras.saving.register_keras_serializable("reprogram")
class SparseTokenMap(TokenMap):
    """Makes each target token a sum of a few source tokens.

    The program are the vectors of the target tokens. Gradient steps move
    them; in between, the callback `SparseCoding` replaces each by the sum of
    at most `nonzeros` source vectors that orthogonal matching pursuit finds
    nearest. The source's vectors never change. `support` holds the source
    tokens `(vocabulary_size, nonzeros)` and `coefficients` their factors.

    Args:
        vocabulary_size: Number of token ids of the target.
        width: Size of the source's vectors.
        nonzeros: Source tokens in each sum, at most.
        initializer: Of the vectors that no `start` sets.
        pad: Target id of the padding.

    Raises:
        ValueError: If a number is not positive.

    Example:
    >>> layer = SparseTokenMap(3, 4, nonzeros=2)
    >>> layer.build((None, None))
    >>> words = np.eye(4, dtype="float32")
    >>> _ = layer.program.assign([[3, 0, -4, 1], [0, 0, 0, 0], [0, 1, 0, 0]])
    >>> round(layer.project(words), 3)
    0.192
    >>> ops.convert_to_numpy(layer.program)[0].round(3).tolist()
    [3.0, 0.0, -4.0, 0.0]

    Reference: Vinod, Chen and Das, R2DL, 2020.
    """

    def __init__(
        self,
        vocabulary_size: int,
        width: int,
        nonzeros: int = 8,
        initializer: str | keras.Initializer | None = None,
        pad: int = 0,
        **kwargs: Any,
    ):
        super().__init__(vocabulary_size, width=width, pad=pad, **kwargs)
        if nonzeros < 1:
            raise ValueError(
                "`nonzeros` must be a positive number of source tokens."
                f" Received: nonzeros={nonzeros}."
            )
        self.nonzeros = nonzeros
        self.initializer = keras.initializers.get(
            initializer or keras.initializers.RandomNormal(stddev=0.02)
        )

    def build(self, input_shape: tuple) -> None:
        self.program = self.add_weight(
            shape=(self.vocabulary_size, self.width),
            initializer=self.initializer,
            autocast=False,
            name="program",
        )
        shape = (self.vocabulary_size, self.nonzeros)
        self.support = self.add_weight(
            shape=shape,
            dtype="int32",
            initializer="zeros",
            trainable=False,
            name="support",
        )
        self.coefficients = self.add_weight(
            shape=shape,
            initializer="zeros",
            trainable=False,
            name="coefficients",
        )

    def call(
        self, inputs: Any, dictionary: Any = None, training: bool | None = None
    ) -> Any:
        rows = ops.take(self.program, ops.cast(inputs, "int32"), axis=0)
        return ops.cast(rows, self.compute_dtype)

    def start(
        self,
        words: np.ndarray,
        tokens: Sequence[int] | None = None,
        seed: int = 0,
    ) -> None:
        """Makes each target token one source token.

        Args:
            words: The source's vectors `(tokens, width)`, see `dictionary`.
            tokens: A source token for each target token; `None` draws them,
                with repetition only where the source has too few.
            seed: Of the draw.

        Raises:
            ValueError: If the tokens do not fit the two vocabularies.
        """
        size = len(words)
        if tokens is None:
            rng = np.random.default_rng(seed)
            turns = -(-self.vocabulary_size // size)
            drawn = [rng.permutation(size) for _ in range(turns)]
            tokens = np.concatenate(drawn)[: self.vocabulary_size].tolist()
        support = np.zeros(self.support.shape, "int32")
        support[:, 0] = source_tokens(tokens, self.vocabulary_size, size)
        factors = np.zeros(support.shape)
        factors[:, 0] = 1.0
        self._assign(words, support, factors)

    def started(self) -> bool:
        """Says whether `start` or `project` has set the sums."""
        return bool(ops.convert_to_numpy(self.coefficients).any())

    def project(self, words: np.ndarray) -> float:
        """Replaces each vector by the nearest sum of a few source vectors.

        The source tokens that a vector had stay where they serve as well as
        those that the pursuit finds, so that a second call changes nothing.

        Args:
            words: The source's vectors `(tokens, width)`, see `dictionary`.

        Returns:
            How far the vectors moved, relative to their length.
        """
        words = np.asarray(words, "float64")
        vectors = ops.convert_to_numpy(self.program).astype("float64")
        held = ops.convert_to_numpy(self.support)
        again = refitted(words, vectors, held)
        found, factors = nearest_sums(words, vectors, self.nonzeros)
        old = _sums(words, held, again) - vectors
        new = _sums(words, found, factors) - vectors
        slack = 1e-9 * np.square(vectors).sum(axis=1)
        keep = np.square(old).sum(axis=1) <= np.square(new).sum(axis=1) + slack
        support = np.where(keep[:, None], held, found)
        factors = np.where(keep[:, None], again, factors)
        self._assign(words, support, factors)
        moved = np.where(keep[:, None], old, new)
        length = max(float(np.linalg.norm(vectors)), 1e-12)
        return float(np.linalg.norm(moved) / length)

    def _assign(
        self, words: np.ndarray, support: np.ndarray, factors: np.ndarray
    ) -> None:
        self.support.assign(support.astype("int32"))
        self.coefficients.assign(factors.astype("float32"))
        vectors = _sums(np.asarray(words), support, factors)
        self.program.assign(vectors.astype("float32"))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "nonzeros": self.nonzeros,
            "initializer": keras.initializers.serialize(self.initializer),
        }


def _sums(
    words: np.ndarray, support: np.ndarray, factors: np.ndarray
) -> np.ndarray:
    return np.einsum("tk,tke->te", factors, words[support])
