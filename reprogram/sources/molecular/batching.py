"""Many latents or strings at once."""

from collections.abc import Sequence

import keras
import numpy as np
from rdkit import Chem
from rdkit import rdBase

from reprogram.parallel import map_chunks

BATCH = 1024


def valid(written: Sequence[Sequence[str]]) -> list[str | None]:
    """Finds the first valid string of each row.

    Args:
        written: Lists of strings that may be SMILES, one list for each row.

    Returns:
        Their canonical SMILES, `None` where no string of the row is valid.

    Example:
    >>> valid([["C(", "OC"], ["C1CC"]])
    ['CO', None]
    """
    jobs = -1 if len(written) > 2 * BATCH else 1
    chunks = map_chunks(_first_valid, written, jobs)
    return [row for chunk in chunks for row in chunk]


def _first_valid(written: Sequence[Sequence[str]]) -> list[str | None]:
    found = []
    with rdBase.BlockLogs():
        for strings in written:
            molecules = (Chem.MolFromSmiles(s) for s in strings if s)
            first = next((m for m in molecules if m is not None), None)
            found.append(Chem.MolToSmiles(first) if first else None)
    return found


def set_seed(model: keras.Model, seed: int) -> None:
    """Resets the seed of a model whose last layer is a `Decode`."""
    generator = model.layers[-1].generator
    generator.state.assign(keras.random.SeedGenerator(seed).state)


def batched(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Runs a model over batches of one size, the last one filled up.

    Args:
        model: Keras model with one input.
        x: Inputs `(samples, ...)`.

    Returns:
        Outputs `(samples, width)`; several outputs of one shape come back as
        one array with them in front.
    """
    size = min(BATCH, 1 << max(len(x) - 1, 0).bit_length())
    parts = []
    for start in range(0, max(len(x), 1), size):
        part = x[start : start + size]
        fill = np.zeros((size - len(part), *x.shape[1:]), x.dtype)
        answers = model.predict_on_batch(np.concatenate([part, fill]))
        parts.append(np.asarray(answers)[..., : len(part), :])
    return np.concatenate(parts, axis=-2)
