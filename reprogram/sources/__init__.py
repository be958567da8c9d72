"""Frozen source models: their origin and their inputs."""

import difflib
import functools
import os
import pathlib
from collections.abc import Callable

from reprogram.sources.source import MODALITIES as MODALITIES
from reprogram.sources.source import Source as Source


def _zinc_autoencoder() -> Source:
    from reprogram.sources.molecular import files

    return files.zinc_autoencoder()


def _tiny(name: str) -> Source:
    from reprogram.sources import tiny

    return tiny.load(name)


SOURCES: dict[str, Callable[[], Source]] = {
    "zinc-autoencoder": _zinc_autoencoder,
    "shapes": functools.partial(_tiny, "shapes"),
    "waves": functools.partial(_tiny, "waves"),
}


def load(name_or_path: str | os.PathLike) -> Source:
    """Loads a source model, frozen.

    Args:
        name_or_path: A name in `SOURCES`; the name of a `keras.applications`
            model, in any case; the path of a `.keras` file, of an `.npz`
            file with the weights of `speech.attention_rnn` or of
            `smiles_lstm.network`, or of the folder `source` that
            `scripts.pretrain` wrote; or, with the extra
            `hub`, a preset `hf://...`, `kaggle://...` or a local folder in
            the format of Hugging Face or KerasHub.

    Returns:
        The source; `source.model(source.preprocess(batch))` gives its outputs
        for a raw batch.

    Raises:
        ValueError: If there is no such source or it cannot be loaded; the
            message says what to do.
        ImportError: If a preset is asked for without KerasHub.

    Example:
    >>> import numpy as np
    >>> source = load("shapes")
    >>> source.preprocess(np.zeros((1, 8, 8, 3))).shape
    (1, 32, 32, 1)
    >>> source.class_names[:3]
    ('blob', 'disk', 'ring')
    """
    name = os.path.expanduser(os.fspath(name_or_path))
    source = _find(name)
    source.model.trainable = False
    return source


def _find(name: str) -> Source:
    if name in SOURCES:
        return SOURCES[name]()
    if os.path.isfile(os.path.join(name, "weights.npz")):
        from reprogram.sources.molecular import files

        return files.load(pathlib.Path(name), name)
    if name.startswith(("hf://", "kaggle://")) or os.path.isdir(name):
        from reprogram.sources import hub

        return hub.load(name)
    if name.endswith(".keras"):
        from reprogram.sources import keras_file

        return keras_file.load(name)
    if name.endswith(".npz"):
        return _of_arrays(name)
    from reprogram.sources import imagenet

    if name.lower() in imagenet.builders():
        return imagenet.load(name)
    raise ValueError(_unknown(name, [*SOURCES, *imagenet.builders()]))


def _of_arrays(path: str) -> Source:
    from reprogram.sources import layer_arrays
    from reprogram.sources import smiles_lstm
    from reprogram.sources import speech

    names = layer_arrays.read(path)
    return (smiles_lstm if "lstm/0" in names else speech).load(path)


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return (
        f"There is no source {name!r}.{hint} Known names: {', '.join(known)}."
        " Also accepted: the path of a `.keras` file that exists, or of an"
        " `.npz` file of a known recognizer of words or molecules, a preset 'hf://...'"
        " or 'kaggle://...', or a folder in the format of Hugging Face or"
        " KerasHub."
    )
