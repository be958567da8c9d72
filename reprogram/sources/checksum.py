"""Weights in a file that is checked before it is read."""

import hashlib
import pathlib
from typing import Any

import keras
import numpy as np


def save_weights(model: keras.Model, path: pathlib.Path) -> None:
    """Writes the weights in float16, and their SHA-256 beside them.

    Args:
        model: Keras model whose weights are written.
        path: Path ending in `.npz`; the checksum goes to `<path>.sha256`.

    Example:
    >>> import tempfile
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.npz")
    ...     save_weights(model, path)
    ...     load_weights(model, path)
    """
    arrays: dict[str, Any] = {
        v.path: np.asarray(v, "float16") for v in model.weights
    }
    np.savez_compressed(path, **arrays)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(path.name + ".sha256").write_text(f"{digest}  {path.name}\n")


def load_weights(model: keras.Model, path: pathlib.Path) -> None:
    """Reads what `save_weights` wrote, into a model of the same layers.

    Args:
        model: Keras model to load the weights into.
        path: Path of the `.npz` file.

    Raises:
        ValueError: If a file is missing or the checksum differs.
    """
    checksum = path.with_name(path.name + ".sha256")
    for file in (path, checksum):
        if not file.is_file():
            raise ValueError(
                f"The weights of the source are incomplete: {file} is missing."
                " Install the package again, or train them with"
                " `python -m scripts.pretrain_synthetic`."
            )
    expected = checksum.read_text().split()[0]
    received = hashlib.sha256(path.read_bytes()).hexdigest()
    if received != expected:
        raise ValueError(
            f"The weights in {path} are damaged: expected SHA-256 {expected},"
            f" received {received}. Install the package again."
        )
    with np.load(path) as arrays:
        values = [arrays[v.path].astype("float32") for v in model.weights]
    model.set_weights(values)
