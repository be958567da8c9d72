"""Unfolded counts of the fragments of molecules."""

from collections.abc import Sequence

import numpy as np
from rdkit.Chem import rdFingerprintGenerator
from scipy import sparse

from reprogram.molecules.smiles import parse
from reprogram.parallel import map_chunks

COLUMNS = 2**32
GENERATORS = {
    "ecfp4": lambda: rdFingerprintGenerator.GetMorganGenerator(2),
    "ecfp6": lambda: rdFingerprintGenerator.GetMorganGenerator(3),
    "fcfp4": lambda: rdFingerprintGenerator.GetMorganGenerator(
        2,
        atomInvariantsGenerator=(
            rdFingerprintGenerator.GetMorganFeatureAtomInvGen()
        ),
    ),
    "atom pairs": lambda: rdFingerprintGenerator.GetAtomPairGenerator(
        maxDistance=10
    ),
    "torsions": lambda: rdFingerprintGenerator.GetTopologicalTorsionGenerator(),
}


def unfolded_counts(
    smiles: Sequence[str], kind: str = "ecfp4", jobs: int = 1
) -> sparse.csr_matrix:
    """Counts the fragments of molecules; no two kinds share a column.

    Args:
        smiles: Valid SMILES strings.
        kind: Kind of fragments, a key of `GENERATORS`.
        jobs: Number of processes; -1 for all cores.

    Returns:
        A sparse float32 matrix of counts of shape `(molecules, 2**32)`, whose
        column is the hash of the fragment.

    Raises:
        ValueError: If a string is not a molecule, or the kind is unknown.

    Example:
    >>> unfolded_counts(["CCO", "CO"]).sum(axis=1).ravel().tolist()
    [[6.0, 3.0]]

    Reference: Rogers and Hahn, Extended-Connectivity Fingerprints, 2010.
    """
    if kind not in GENERATORS:
        raise ValueError(
            f"`kind` must be one of {', '.join(GENERATORS)}."
            f" Received: {kind!r}."
        )
    rows = [(kind, row) for row in smiles]
    parts = list(map_chunks(_counts, rows, jobs))
    columns = [row for keys, _ in parts for row in keys]
    counts = [row for _, values in parts for row in values]
    starts = np.cumsum([0, *map(len, columns)])
    data = np.concatenate([np.zeros(0, "float32"), *counts])
    indices = np.concatenate([np.zeros(0, "int64"), *columns])
    shape = (len(columns), COLUMNS)
    return sparse.csr_matrix((data, indices, starts), shape=shape)


def _counts(rows: Sequence[tuple[str, str]]) -> tuple[list, list]:
    generator = GENERATORS[rows[0][0]]()
    keys, values = [], []
    for _, text in rows:
        fragments = generator.GetSparseCountFingerprint(parse(text))
        pairs = sorted(fragments.GetNonzeroElements().items())
        keys.append(np.array([k for k, _ in pairs], "int64") % COLUMNS)
        values.append(np.array([v for _, v in pairs], "float32"))
    return keys, values
