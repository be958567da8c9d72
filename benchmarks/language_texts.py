"""Strings, classes and token ids of `benchmarks.language`."""

import csv
import dataclasses
import functools
import pathlib
from collections.abc import Sequence

import numpy as np

TESTED = 500
# Of molecules: file, column of the SMILES and of the class.
TABLES = {
    "BBBP": ("BBBP.csv", "smiles", "p_np"),
    "ClinTox": ("clintox.csv", "smiles", "CT_TOX"),
}
STRANGE: dict[str, int] = {}


@functools.cache
def texts(
    task: str, data: str, reviews: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Strings and classes of a task."""
    if task == "reviews":
        rows = pathlib.Path(reviews).read_text("latin-1").splitlines()
        parts = [row.split("\t", 2) for row in rows if row.count("\t") > 1]
        clear = [(t, float(r) > 0) for _, r, t in parts if abs(float(r)) > 1]
        return _arrays(clear)
    if task == "peptides":
        rows = _table(pathlib.Path(data, "peptides/amp_bert_all_veltri.csv"))
        return _arrays([(r["aa_seq"], r["AMP"] == "True") for r in rows])
    from reprogram.molecules import smiles

    name, column, label = TABLES[task]
    rows = _table(pathlib.Path(data, "moleculenet", name))
    found, _ = smiles.read([row[column] for row in rows])
    pairs = {s: r[label] == "1" for s, r in zip(found, rows) if s}
    return _arrays(sorted(pairs.items()))


def _table(path: pathlib.Path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _arrays(rows: Sequence[tuple[str, bool]]) -> tuple[np.ndarray, ...]:
    strings, labels = zip(*rows)
    return np.array(strings, object), np.array(labels, int)


def parts(
    x: np.ndarray, y: np.ndarray, size: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """What to fit on, to validate on and to test on; size 0 takes all."""
    order = np.random.default_rng(0).permutation(len(x))
    test, rest = order[:TESTED], order[TESTED:]
    rng = np.random.default_rng(seed + 1)
    rows = rng.permutation(rest)[: size or None]
    rows = rows[np.argsort(y[rows], kind="stable")]
    held = np.zeros(len(rows), bool)
    held[2::5] = True
    return [(x[r], y[r]) for r in (rows[~held], rows[held], test)]


def readable(source: object) -> object:
    """The source with a preprocessing that reads any string.

    A source of molecules takes a letter that it does not know for its mask.
    """
    if source.modality == "token":
        return source
    return dataclasses.replace(
        source, preprocess=lambda raw: _known(source, _spell(source, raw))
    )


def spelled(source: object, strings: np.ndarray) -> tuple[object, list[int]]:
    """The source with ids that count the tokens of some strings.

    Returns:
        A source whose preprocessing gives target ids, and the source's token
        of each: 0 is the padding, the last stands for all others.
    """
    read, other = functools.partial(_spell, source), 1
    if source.modality == "token":
        read = source.preprocess
        other = int(read(np.array(["\u2603"], object))[0, 1])
    tokens = [0, *(int(t) for t in np.unique(read(strings)) if t), other]
    table = {token: i for i, token in enumerate(tokens[:-1])}

    def preprocess(raw: np.ndarray) -> np.ndarray:
        find = np.vectorize(lambda t: table.get(t, len(tokens) - 1))
        return find(read(raw)).astype("int32")

    own = dataclasses.replace(source, preprocess=preprocess)
    if source.modality != "token":
        tokens = _known(source, np.array(tokens)).tolist()
    return own, tokens


def _spell(source: object, raw: np.ndarray) -> np.ndarray:
    """Ids of molecule tokens; unknown ones are counted behind the others."""
    from reprogram.molecules.tokenizer import TOKEN

    tokenizer = source.tokenizer
    known = {token: i + 2 for i, token in enumerate(tokenizer.vocabulary)}
    rows = [TOKEN.findall(row)[: tokenizer.max_length] for row in raw]
    length = -(-max(map(len, rows), default=1) // 16) * 16
    ids = np.zeros((len(rows), length), "int32")
    for i, row in enumerate(rows):
        for k, token in enumerate(row):
            strange = tokenizer.size + STRANGE.setdefault(token, len(STRANGE))
            ids[i, k] = known.get(token, strange)
    return ids


def _known(source: object, ids: np.ndarray) -> np.ndarray:
    from reprogram.molecules.tokenizer import MASK

    return np.where(ids < source.tokenizer.size, ids, MASK)
