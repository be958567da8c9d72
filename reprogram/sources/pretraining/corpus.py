"""The pretraining corpus of the molecular source: molecules and targets."""

import dataclasses
import gzip
import os
import pathlib
import warnings
from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from reprogram.molecules.featurizers import DESCRIPTOR_NAMES
from reprogram.molecules.featurizers import count_fingerprints
from reprogram.molecules.featurizers import descriptors
from reprogram.molecules.smiles import read
from reprogram.molecules.tokenizer import TOKEN
from reprogram.molecules.tokenizer import Tokenizer
from reprogram.parallel import map_chunks


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Molecules and their training targets.

    Args:
        smiles: Standardized SMILES strings that the tokenizer reads.
        tokenizer: Tokenizer with the vocabulary of these molecules.
        scale: Indices and scales of the descriptors, see
            `descriptor_scale`.
        targets: Scaled descriptors `(molecules, outputs)`.
        bits: Packed fingerprints `(molecules, 128)`, see `fingerprint_bits`.
    """

    smiles: Sequence[str]
    tokenizer: Tokenizer
    scale: dict[str, np.ndarray]
    targets: np.ndarray
    bits: np.ndarray


def rdkit_files() -> list[str]:
    """Returns the paths of the NCI and WEHI sets inside RDKit."""
    from rdkit import RDConfig

    folder = pathlib.Path(RDConfig.RDDataDir)
    return [
        str(folder / "NCI" / "first_5K.smi"),
        str(folder / "Pains" / "test_data" / "wehi_mols.csv"),
    ]


def read_smiles(path: str | os.PathLike) -> list[str]:
    """Reads the first column of a text file, gzipped or not.

    Args:
        path: Path of a file with one SMILES a line, optionally followed by a
            name.

    Returns:
        The strings, quotes and a header named `smiles` removed.

    Raises:
        ValueError: If the file does not exist.
    """
    if not pathlib.Path(path).is_file():
        raise ValueError(f"No such file: {path}. Expected one SMILES a line.")
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8-sig") as file:
        lines = [line.replace(",", " ").split() for line in file]
    rows = [line[0].strip("\"'") for line in lines if line]
    return [row for row in rows if row.lower() != "smiles"]


def count(paths: Sequence[str | os.PathLike]) -> dict[str, int]:
    """Counts the rows of files, by their names without the folders."""
    rows: Counter[str] = Counter()
    for path in paths:
        rows[pathlib.Path(path).name] += len(read_smiles(path))
    return dict(rows)


def corpus(
    paths: Sequence[str | os.PathLike], exclude: Sequence[str | os.PathLike]
) -> list[str]:
    """Standardizes and deduplicates molecules, without the held-out ones.

    Args:
        paths: Paths of the files to read, see `read_smiles`.
        exclude: Paths of files whose molecules must not be in the corpus.

    Returns:
        Sorted canonical SMILES.
    """
    kept, held_out = (
        {
            smiles
            for standard, _ in map_chunks(read, rows)
            for smiles in standard
            if smiles
        }
        for rows in (
            [s for path in paths for s in read_smiles(path)],
            [s for path in exclude for s in read_smiles(path)],
        )
    )
    return sorted(kept - held_out)


def fit_tokenizer(
    smiles: Sequence[str], minimum: int = 20, max_length: int = 256
) -> Tokenizer:
    """Makes the vocabulary of the tokens seen at least `minimum` times."""
    counts = Counter(token for row in smiles for token in TOKEN.findall(row))
    common = sorted(token for token, n in counts.items() if n >= minimum)
    return Tokenizer(common, max_length)


def descriptor_scale(table: np.ndarray) -> dict[str, np.ndarray]:
    """Chooses and scales the descriptors that a model can learn.

    Args:
        table: Raw descriptors `(molecules, all descriptors)`.

    Returns:
        `columns`: indices of the descriptors that vary and are defined for
        at least 99 % of the molecules; `low`, `high`: their 0.1 and 99.9
        percentiles; `mean`, `std`: after clipping to these.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Columns that are nowhere defined, or not finite, are left out below.
        warnings.simplefilter("ignore", RuntimeWarning)
        low, high = np.nanpercentile(table, [0.1, 99.9], axis=0)
        clipped = np.clip(table, low, high)
        mean, std = np.nanmean(clipped, axis=0), np.nanstd(clipped, axis=0)
    good = (np.isfinite(table).mean(0) > 0.99) & (std > 1e-6)
    good &= np.array(DESCRIPTOR_NAMES) != "Ipc"
    return {
        "columns": np.flatnonzero(good),
        "low": low[good],
        "high": high[good],
        "mean": mean[good],
        "std": std[good],
    }


def scaled(table: np.ndarray, scale: dict[str, np.ndarray]) -> np.ndarray:
    """Clips and standardizes raw descriptors; undefined values become 0."""
    table = table[:, scale["columns"]]
    table = np.clip(table, scale["low"], scale["high"])
    table = (table - scale["mean"]) / scale["std"]
    return np.nan_to_num(table).astype("float32")


def fingerprint_bits(smiles: Sequence[str]) -> np.ndarray:
    """Computes ECFP4 bits, folded to 1,024 and packed.

    Args:
        smiles: Valid SMILES strings.

    Returns:
        A uint8 array `(molecules, 128)`; `np.unpackbits` gives the bits.
    """
    return np.concatenate(map_chunks(_bits, smiles))


def _bits(smiles: Sequence[str]) -> np.ndarray:
    return np.packbits(count_fingerprints(smiles, size=1024) > 0, axis=1)


def load_or_compute(
    function: Callable, smiles: Sequence[str], path: str | os.PathLike
) -> np.ndarray:
    """Computes an array once and keeps it in a file.

    Args:
        function: Function from SMILES strings to an array with a row for each.
        smiles: Valid SMILES strings.
        path: Path of the `.npy` file; it is computed again if its number of
            rows differs.

    Returns:
        The array.
    """
    path = pathlib.Path(path)
    if path.exists():
        table = np.load(path)
        if len(table) == len(smiles):
            return table
    table = function(smiles)
    part = path.with_suffix(".part.npy")
    np.save(part, table)
    os.replace(part, path)
    return table


def _float_descriptors(smiles: Sequence[str]) -> np.ndarray:
    with np.errstate(over="ignore"):
        return descriptors(smiles, jobs=-1).astype("float32")


def prepare(
    folder: pathlib.Path,
    paths: Sequence[str | os.PathLike],
    exclude: Sequence[str | os.PathLike],
    longest: int,
) -> Corpus:
    """Makes the corpus, or reads it from a folder if it is there.

    Args:
        folder: Path of the folder that keeps the corpus and its descriptors.
        paths: Paths of files of molecules.
        exclude: Paths of files of held-out molecules.
        longest: Number of tokens from which on molecules are left out.

    Returns:
        The corpus.

    Raises:
        ValueError: If nothing is left to train on, or if the corpus in the
            folder is larger than the files.
    """
    listing = folder / "corpus.smi"
    if not listing.exists():
        part = listing.with_suffix(".part")
        part.write_text("\n".join(corpus(paths, exclude)))
        os.replace(part, listing)
    smiles = listing.read_text().split("\n")
    rows = sum(len(read_smiles(path)) for path in paths)
    if len(smiles) > rows:
        raise ValueError(
            f"{listing} has {len(smiles)} molecules and the files given only"
            f" {rows}. Give the files it was made of, or another folder."
        )
    tokenizer = fit_tokenizer(smiles)
    readable = [
        len(TOKEN.findall(row)) < longest and not tokenizer.explain(row)
        for row in smiles
    ]
    if not any(readable):
        raise ValueError(
            f"Nothing to train on: the files have {rows} rows; of the"
            f" molecules that are not held out, {len([*filter(None, smiles)])},"
            f" none has fewer than {longest} tokens, each of them seen 20"
            " times. Give more molecules."
        )
    table = load_or_compute(
        _float_descriptors, smiles, folder / "descriptors.npy"
    )
    scale = descriptor_scale(table)
    smiles = [row for row, good in zip(smiles, readable) if good]
    bits = load_or_compute(
        fingerprint_bits, smiles, folder / "fingerprints.npy"
    )
    targets = scaled(table[readable], scale)
    return Corpus(smiles, tokenizer, scale, targets, bits)
