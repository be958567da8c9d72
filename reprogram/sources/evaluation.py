"""How good a pretrained encoder is on molecules it was not trained on."""

import pathlib
from collections.abc import Sequence

import keras
import numpy as np

from reprogram.molecules.featurizers import DESCRIPTOR_NAMES
from reprogram.molecules.featurizers import descriptors
from reprogram.molecules.smiles import read
from reprogram.molecules.tokenizer import MASK
from reprogram.molecules.tokenizer import Tokenizer
from reprogram.parallel import map_chunks
from reprogram.sources import corpus
from reprogram.sources import molecular
from reprogram.sources import pretraining

SAMPLE = 100


def evaluate(
    model: keras.Model,
    tokenizer: Tokenizer,
    scale: dict[str, np.ndarray],
    smiles: Sequence[str],
    batch_size: int = 256,
) -> dict:
    """Measures an encoder on molecules, best on some it has never seen.

    Args:
        model: A `smiles_encoder`; or a `pretraining_model`, whose other heads
            are measured as well.
        tokenizer: The tokenizer of the model.
        scale: See `corpus.descriptor_scale`.
        smiles: SMILES strings.
        batch_size: Molecules a step.

    Returns:
        `molecules` and `unread`: how many were used, and how many are no
        molecules or cannot be read. `r2`: of every descriptor, `None` where
        it does not vary; `median_r2`. With the other heads, `masked_tokens`:
        accuracy on 15 % hidden tokens, `fingerprint_bits`: average precision
        over all bits, and the same for `commonest_token` and
        `frequency_of_bits`, which read nothing.

    Raises:
        ValueError: If none of the molecules can be read.
    """
    standard = [s for part, _ in map_chunks(read, smiles) for s in part]
    known = [s for s in standard if s and not tokenizer.explain(s)]
    if not known:
        raise ValueError(
            f"The model reads none of the {len(standard)} molecules to measure"
            " it on. Give a file of molecules made of the tokens"
            f" {' '.join(tokenizer.vocabulary)}."
        )
    ids = tokenizer(known)
    answers = model.predict(ids, batch_size=batch_size, verbose=0)
    found = {"molecules": len(known), "unread": len(standard) - len(known)}
    if not isinstance(answers, dict):
        return found | _descriptors(answers, scale, known)
    found |= _descriptors(answers["descriptors"], scale, known)
    found |= _bits(answers["fingerprints"], known)
    hidden = (np.random.default_rng(0).random(ids.shape) < 0.15) & (ids > 0)
    masked = np.where(hidden, MASK, ids)
    answers = model.predict(masked, batch_size=batch_size, verbose=0)
    return found | _tokens(answers["tokens"][hidden], ids[hidden])


def _descriptors(
    answers: np.ndarray, scale: dict[str, np.ndarray], smiles: Sequence[str]
) -> dict:
    from sklearn.metrics import r2_score

    table = descriptors(smiles, jobs=-1)
    defined = np.isfinite(table[:, scale["columns"]])
    expected = corpus.scaled(table, scale)
    r2 = {DESCRIPTOR_NAMES[column]: None for column in scale["columns"]}
    for k, name in enumerate(r2):
        target = expected[defined[:, k], k]
        if len(target) > 1 and np.ptp(target) > 0:
            found = answers[defined[:, k], k]
            r2[name] = round(float(r2_score(target, found)), 4)
    values = [value for value in r2.values() if value is not None]
    median = round(float(np.median(values)), 4) if values else None
    return {"median_r2": median, "r2": r2}


def _bits(answers: np.ndarray, smiles: Sequence[str]) -> dict:
    from sklearn.metrics import average_precision_score

    bits = np.unpackbits(corpus.fingerprint_bits(smiles), axis=1)
    guess = np.broadcast_to(bits.mean(axis=0), bits.shape)
    found = {"fingerprint_bits": answers, "frequency_of_bits": guess}
    for name, score in found.items():
        area = average_precision_score(bits, score, average="micro")
        found[name] = round(float(area), 4)
    return found


def _tokens(answers: np.ndarray, ids: np.ndarray) -> dict:
    right = answers.argmax(axis=-1) == ids
    common = np.bincount(ids, minlength=1).max() / max(len(ids), 1)
    return {
        "masked_tokens": round(float(right.mean()), 4),
        "commonest_token": round(float(common), 4),
    }


def measure(
    folder: pathlib.Path,
    model: keras.Model,
    scale: dict[str, np.ndarray],
    smiles: Sequence[str],
) -> dict:
    """Evaluates the float16 weights of a folder, in float32.

    Args:
        folder: What `molecular.save` wrote.
        model: The `pretraining_model`; of it the heads are read that are not
            saved.
        scale: See `corpus.descriptor_scale`.
        smiles: Held-out SMILES strings.

    Returns:
        `test`: see `evaluate`; `sample`: the same of the encoder alone on the
        first 100 strings, with the strings, so that anyone can check it.
    """
    encoder, tokenizer, _ = molecular.restore(folder)
    full = pretraining.pretraining_model(encoder, tokenizer.size)
    for name in ("ecfp4", "masked_tokens"):
        full.get_layer(name).set_weights(model.get_layer(name).get_weights())
    sample = list(smiles[:SAMPLE])
    return {
        "test": evaluate(full, tokenizer, scale, smiles),
        "sample": evaluate(encoder, tokenizer, scale, sample)
        | {"smiles": sample},
    }
