"""The trained part of a model, and the proof that the rest is frozen."""

import hashlib
from typing import Any

import keras
import numpy as np


class Program(keras.Model):
    """The trained part of a Reprogrammer, bound to its source.

    Args:
        reprogrammer: A built `Reprogrammer`; the program shares its weights.

    Raises:
        ValueError: If the model has no weights yet.
    """

    def __init__(self, reprogrammer: Any):
        super().__init__()
        if not reprogrammer.built:
            raise ValueError(
                "The Reprogrammer has no weights yet. Call it on a batch, or"
                " `build` it, before its program is saved or loaded."
            )
        self.transform = reprogrammer.transform
        self.mapping = reprogrammer.mapping
        self._fingerprint = reprogrammer.source_fingerprint()
        self.built = True

    def save_own_variables(self, store: dict[str, Any]) -> None:
        store["source"] = np.frombuffer(
            bytes.fromhex(self._fingerprint), "uint8"
        )

    def load_own_variables(self, store: dict[str, Any]) -> None:
        trained_on = np.asarray(store["source"], "uint8").tobytes().hex()
        if trained_on != self._fingerprint:
            raise ValueError(
                "This program was trained on another source. Received a"
                f" program for source {trained_on[:12]}, expected"
                f" {self._fingerprint[:12]}. Load the source it was trained"
                " on."
            )


def fingerprint(model: keras.Model) -> str:
    """Hashes all weights of a model: values, shapes and types.

    Args:
        model: A built Keras model.

    Returns:
        The SHA-256 in hexadecimal; equal before and after saving.

    Example:
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> len(fingerprint(model))
    64
    """
    digest = hashlib.sha256()
    for weight in model.weights:
        value = keras.ops.convert_to_numpy(weight)
        digest.update(f"{value.shape}{value.dtype}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()
