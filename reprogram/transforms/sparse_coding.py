"""Sums of a few vectors of a fixed dictionary."""

import warnings
from typing import Any

import keras
import numpy as np
from sklearn.linear_model import orthogonal_mp

from reprogram.transforms.token_map import dictionary


def nearest_sums(
    words: np.ndarray, vectors: np.ndarray, nonzeros: int
) -> tuple[np.ndarray, np.ndarray]:
    """Finds sums of a few words near given vectors.

    Orthogonal matching pursuit on the words at unit length: the word with the
    largest absolute correlation with what is left joins, and all factors are
    fitted again by least squares.

    Args:
        words: The dictionary, `(words, width)`.
        vectors: What to approximate, `(vectors, width)`.
        nonzeros: Words in each sum, at most.

    Returns:
        Words and factors of the sums, both `(vectors, nonzeros)`. Places that
        are not used have factor 0.

    Example:
    >>> found, factors = nearest_sums(np.eye(3), np.array([[1.0, 0, -5]]), 2)
    >>> found.tolist(), factors.round(6).tolist()
    ([[2, 0]], [[-5.0, 1.0]])
    """
    lengths = np.maximum(np.linalg.norm(words, axis=1), 1e-12)
    with warnings.catch_warnings():
        # Vectors that are such sums already end the pursuit early.
        warnings.simplefilter("ignore", RuntimeWarning)
        codes = orthogonal_mp(
            (words / lengths[:, None]).T,
            vectors.T,
            n_nonzero_coefs=min(nonzeros, *words.shape),
            precompute="auto",
        )
    codes = codes.reshape(len(words), len(vectors)).T / lengths
    order = np.argsort(-np.abs(codes), axis=1, kind="stable")[:, :nonzeros]
    factors = np.take_along_axis(codes, order, axis=1)
    missing = [[0, 0], [0, nonzeros - order.shape[1]]]
    return np.pad(order, missing), np.pad(factors, missing)


def refitted(
    words: np.ndarray, vectors: np.ndarray, support: np.ndarray
) -> np.ndarray:
    """Fits the factors of given words by least squares.

    Args:
        words: The dictionary, `(words, width)`.
        vectors: What to approximate, `(vectors, width)`.
        support: Words of each sum, `(vectors, nonzeros)`.

    Returns:
        Factors `(vectors, nonzeros)`.
    """
    fits = [
        np.linalg.lstsq(words[own].T, vector, rcond=None)[0]
        for vector, own in zip(vectors, support)
    ]
    return np.stack(fits)


class SparseCoding(keras.callbacks.Callback):
    """Keeps a `SparseTokenMap` made of a few source tokens during `fit`.

    Projects the vectors onto such sums before every validation and at the
    end of every epoch, so that what is measured and kept is always sparse.
    Put it before callbacks that keep the best weights.

    Args:
        every: Also project after so many steps.
        seed: Of the source tokens that a new map starts with.

    Raises:
        ValueError: If `every` is not positive, or if training starts with
            another transform.
    """

    def __init__(self, every: int | None = None, seed: int = 0):
        super().__init__()
        if every is not None and every < 1:
            raise ValueError(
                f"`every` must be a positive number. Received: every={every}."
            )
        self.every = every
        self.seed = seed
        self._words: np.ndarray | None = None
        self._moved = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        transform: Any = getattr(self.model, "transform", None)
        if not hasattr(transform, "project"):
            raise ValueError(
                "SparseCoding needs a Reprogrammer with a SparseTokenMap."
                f" Received: {type(self.model).__name__} with the transform"
                f" {type(transform).__name__}. Leave the callback out."
            )
        self._words = dictionary(self.model.source, self.model.input_layer)
        if not transform.built:  # `fit` builds at the first step.
            transform.build((None, None))
        if not transform.started():
            transform.start(self._words, seed=self.seed)
        self._moved = True
        self._project()

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._moved = True
        if self.every and (batch + 1) % self.every == 0:
            self._project()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        # `fit` validates before it ends the epoch.
        self._project()

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._project()

    def _project(self) -> None:
        if self._moved:
            # On JAX `self.model` first writes the values of training back.
            self.model.transform.project(self._words)
        self._moved = False
