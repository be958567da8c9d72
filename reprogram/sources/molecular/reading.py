"""Reading SMILES with a model; unreadable ones are named and left NaN."""

import warnings
from collections.abc import Sequence

import keras
import numpy as np

from reprogram.molecules.smiles import standardize
from reprogram.molecules.tokenizer import TOKEN
from reprogram.molecules.tokenizer import Tokenizer
from reprogram.sources.molecular.batching import BATCH
from reprogram.sources.molecular.batching import batched


def read(
    model: keras.Model,
    tokenizer: Tokenizer,
    smiles: Sequence[str],
    standardized: bool,
    longest: int,
) -> np.ndarray:
    """Runs a model over molecules, those of one length together.

    Args:
        model: Model from token ids `(batch, length)` to `(batch, width)`.
        tokenizer: Tokenizer for the input of the model.
        smiles: SMILES strings.
        standardized: Whether the strings are already standardized by
            `molecules.standardize`; if not, they will be.
        longest: Largest number of tokens that the model can read.

    Returns:
        Outputs `(molecules, width)`, float32. A row of NaN, and a warning
        that names the molecule, for each that cannot be read.
    """
    rows = [str(row) for row in smiles]
    reasons = []
    for i, row in enumerate(rows):
        reason = ""
        if not standardized:
            try:
                rows[i] = row = standardize(row)
            except ValueError as error:
                reason = str(error)
        reasons.append(reason or tokenizer.explain(row, longest))
    outputs = np.full((len(rows), model.output_shape[-1]), np.nan, "float32")
    good = [i for i, reason in enumerate(reasons) if not reason]
    lengths = {i: len(TOKEN.findall(rows[i])) for i in good}
    good.sort(key=lengths.__getitem__)
    # Padding costs as much as atoms.
    for start in range(0, len(good), BATCH // 4):
        part = good[start : start + BATCH // 4]
        length = -(-lengths[part[-1]] // 16) * 16
        outputs[part] = batched(
            model, tokenizer([rows[i] for i in part], length)
        )
    _warn([reason for reason in reasons if reason], len(rows))
    return outputs


def _warn(reasons: list[str], count: int) -> None:
    if reasons:
        more = f" And {len(reasons) - 3} more." * (len(reasons) > 3)
        warnings.warn(
            f"{len(reasons)} of {count} molecules cannot be read; their rows"
            f" are NaN. {' '.join(reasons[:3])}{more}",
            stacklevel=4,
        )
