"""The language model of ChEMBL molecules, from its weights alone."""

import pathlib
import re
from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from reprogram.molecules.smiles import randomize
from reprogram.sources import layer_arrays
from reprogram.sources.source import Source

# In the order of the one-hot columns; start, end and filler are the last.
TOKENS = (
    "Al",
    "As",
    "Br",
    "Cl",
    "Li",
    "Na",
    "Se",
    "Si",
    "Te",
    "B",
    "C",
    "F",
    "H",
    "I",
    "K",
    "N",
    "O",
    "P",
    "S",
    "(",
    ")",
    "[",
    "]",
    "=",
    "#",
    "%",
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "+",
    "-",
    "se",
    "te",
    "c",
    "n",
    "o",
    "s",
)
NAMES = (*TOKENS, "start", "filler", "end")
START = len(TOKENS)
SPLIT = re.compile("|".join(sorted(map(re.escape, TOKENS), key=len)[::-1]))
LONGEST = 200
STEP = 16
RANKS = {"lstm": (2, 2, 1), "lstm_1": (2, 2, 1), "dense": (2, 1)}


def network(shapes: dict[str, tuple[int, ...]]) -> keras.Model:
    """Builds the language model with random weights.

    Two LSTMs read one-hot tokens; token ids count from 1, 0 is padding. The
    layer `summary` holds the mean and the last state of both.

    Args:
        shapes: Shapes of the weights by `<layer name>/<index>`.

    Returns:
        A model from token ids `(batch, length)` to the logits of the token
        that follows, `(batch, tokens)`.
    """
    count, first = shapes["lstm/0"][0], shapes["lstm/1"][0]
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    one_hot = layers.Embedding(
        count + 1, count, mask_zero=True, name="embeddings"
    )
    x = one_hot(tokens)
    lower = layers.LSTM(first, return_sequences=True, name="lstm")(x)
    second = shapes["lstm_1/1"][0]
    upper = layers.LSTM(second, return_sequences=True, name="lstm_1")(lower)
    mean = layers.GlobalAveragePooling1D
    both = [mean(name="mean")(lower), lower[:, -1]]
    both += [mean(name="mean_1")(upper), upper[:, -1]]
    summary = layers.Concatenate(name="summary")(both)
    last = summary[:, -second:]
    logits = layers.Dense(shapes["dense/0"][-1], name="dense")(last)
    one_hot.set_weights([np.eye(count + 1, count, -1)])
    return keras.Model(tokens, logits, name="smiles_lstm")


def explain(smiles: str) -> str:
    """Says why a string cannot be read; empty if it can.

    Args:
        smiles: A SMILES string.

    Example:
    >>> explain("CCO"), explain("C[U]")[:32]
    ('', "'C[U]' has characters outside th")
    """
    found = SPLIT.findall(smiles)
    if "".join(found) != smiles:
        unknown = sorted(set(SPLIT.sub("", smiles)))
        return (
            f"{smiles!r} has characters outside the vocabulary of the source:"
            f" {' '.join(unknown)}. `molecules.standardize` removes charges,"
            " isotopes and stereo; a remaining element cannot be read."
        )
    if not 1 <= len(found) <= LONGEST:
        return (
            f"{smiles!r} has {len(found)} tokens; the source reads 1 to"
            f" {LONGEST}."
        )
    return ""


def token_ids(smiles: Sequence[str]) -> np.ndarray:
    """Numbers the tokens behind a start token.

    Args:
        smiles: SMILES strings.

    Returns:
        An int32 array `(molecules, length)`, padded with 0 to the longest, in
        steps of 16.

    Raises:
        ValueError: If a string cannot be read, see `explain`.

    Example:
    >>> token_ids(["CCl", "C"])[:, :4].tolist()
    [[45, 11, 4, 0], [45, 11, 0, 0]]
    """
    rows = [str(row) for row in smiles]
    for reason in filter(None, map(explain, rows)):
        raise ValueError(reason)
    numbers = {token: i + 1 for i, token in enumerate(TOKENS)}
    found = [[numbers[t] for t in SPLIT.findall(row)] for row in rows]
    longest = 1 + max(map(len, found), default=0)
    ids = np.zeros((len(rows), -(-longest // STEP) * STEP), "int32")
    ids[:, 0] = START + 1
    for i, row in enumerate(found):
        ids[i, 1 : 1 + len(row)] = row
    return ids


def load(path: str) -> Source:
    """Loads the language model, without running code from the file.

    Args:
        path: Path of an `.npz` file with an array `<layer name>/<index>` for
            each weight of `lstm`, `lstm_1` and `dense`.

    Returns:
        The source: it reads standardized SMILES, its outputs are logits of
        the next token, and the feature layer is `summary`.

    Raises:
        ValueError: If the file is missing, damaged or of another model.

    Reference: Gupta et al., Generative recurrent networks for de novo drug
        design, 2018.
    """
    file = pathlib.Path(path)
    arrays = layer_arrays.read(file)
    what = "language model of SMILES"
    layer_arrays.check(file, arrays, RANKS, what)
    read, wrote = len(arrays["lstm/0"]), len(arrays["dense/1"])
    if not read == wrote == len(NAMES):
        raise ValueError(
            f"{file} does not hold the {what}: it reads {read} and writes"
            f" {wrote} tokens, expected {len(NAMES)}, those of LSTM_Chem."
        )
    model = network({key: value.shape for key, value in arrays.items()})
    layer_arrays.fill(file, model, arrays, RANKS)

    def augment(smiles: np.ndarray, seed: int) -> np.ndarray:
        written = [randomize(str(row), seed) for row in smiles]
        readable = [not explain(row) for row in written]
        return np.where(readable, np.array(written, object), smiles)

    return Source(
        model=model,
        name=file.stem,
        modality="molecule",
        preprocess=token_ids,
        class_names=NAMES,
        input_layer="embeddings",
        feature_layer="summary",
        explain=explain,
        augment=augment,
        licence="not stated",
        citation="Gupta et al., Generative recurrent networks for de novo drug"
        " design, 2018; as LSTM_Chem writes it.",
    )
