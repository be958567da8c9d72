"""Unfolded count fingerprints and their MinMax-Tanimoto kernel."""

from collections.abc import Sequence

import numpy as np
from rdkit.Chem import rdFingerprintGenerator
from scipy import sparse

from reprogram.molecules.smiles import parse

COLUMNS = 2**32
CHUNK = 1024
_COUNTS = 2**16
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
        kind: Which fragments, a key of `GENERATORS`.
        jobs: Processes to use; -1 for all cores.

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
    from reprogram.parallel import map_chunks

    if kind not in GENERATORS:
        raise ValueError(
            f"`kind` must be one of {', '.join(GENERATORS)}."
            f" Received: {kind!r}."
        )
    rows = [(kind, row) for row in smiles]
    parts = list(map_chunks(_counts, rows, jobs))
    columns = [row for keys, _ in parts for row in keys]
    values = [row for _, found in parts for row in found]
    starts = np.cumsum([0, *map(len, columns)])
    flat = (
        np.concatenate(part) if part else np.zeros(0)
        for part in (values, columns)
    )
    data, indices = flat
    return sparse.csr_matrix(
        (data.astype("float32"), indices.astype("int64"), starts),
        shape=(len(columns), COLUMNS),
    )


def _counts(rows: Sequence[tuple[str, str]]) -> tuple[list, list]:
    generator = GENERATORS[rows[0][0]]()
    keys, values = [], []
    for _, text in rows:
        found = generator.GetSparseCountFingerprint(parse(text))
        pairs = sorted(found.GetNonzeroElements().items())
        keys.append(np.array([k for k, _ in pairs], "int64") % COLUMNS)
        values.append(np.array([v for _, v in pairs], "float32"))
    return keys, values


def unary(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Writes counts as ones: a count of 3 as its first, second and third.

    The product of two such rows is the sum of the minima of their counts.

    Args:
        counts: Whole numbers up to 65,535 of shape `(molecules, columns)`.

    Returns:
        A sparse matrix of ones with 65,536 columns for each column.

    Example:
    >>> rows = unary(sparse.csr_matrix([[2, 1], [1, 3]]))
    >>> (rows @ rows.T).toarray().tolist()
    [[3.0, 2.0], [2.0, 4.0]]
    """
    counts = sparse.csr_matrix(counts)
    repeats = np.minimum(counts.data, _COUNTS - 1).astype("int64")
    ends = np.cumsum(repeats)
    first = np.repeat(ends - repeats, repeats)
    order = np.arange(len(first)) - first
    columns = np.repeat(counts.indices.astype("int64"), repeats)
    starts = np.concatenate([[0], ends])[counts.indptr]
    return sparse.csr_matrix(
        (np.ones(len(order)), columns * _COUNTS + order, starts),
        shape=(counts.shape[0], counts.shape[1] * _COUNTS),
    )


def minmax_kernel(
    first: sparse.csr_matrix, second: sparse.csr_matrix | None = None
) -> np.ndarray:
    """Computes the MinMax-Tanimoto similarity of rows of counts.

    Args:
        first: Counts of shape `(molecules, columns)`, see `unfolded_counts`.
        second: As many columns; None for the same rows.

    Returns:
        The sums of minima over the sums of maxima, in [0, 1], of shape
        `(first, second)`; 1 for two empty rows.

    Example:
    >>> minmax_kernel(unfolded_counts(["CCO", "CO"])).round(2).tolist()
    [[1.0, 0.29], [0.29, 1.0]]

    Reference: Ralaivola et al., Graph kernels for chemical informatics, 2005.
    """
    left = unary(first)
    right = left if second is None else unary(second)
    sums = [np.diff(matrix.indptr) for matrix in (left, right)]
    left, right = _shared_columns(left, right)
    right = right.T.tocsr()
    found = np.empty((left.shape[0], right.shape[1]))
    for start in range(0, len(found), CHUNK):
        both = (left[start : start + CHUNK] @ right).toarray()
        total = sums[0][start : start + CHUNK, None] + sums[1][None] - both
        empty = total <= 0
        both[empty] = total[empty] = 1.0
        np.divide(both, total, out=found[start : start + CHUNK])
    return found


def _shared_columns(
    left: sparse.csr_matrix, right: sparse.csr_matrix
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Numbers the columns that either has; empty ones cost memory."""
    known = np.unique(right.indices)
    found = []
    for matrix in (left, right):
        place = np.searchsorted(known, matrix.indices)
        place = np.minimum(place, max(len(known) - 1, 0))
        same = known[place] == matrix.indices if len(known) else place < 0
        ends = np.concatenate([[0], np.cumsum(same)])[matrix.indptr]
        parts = (matrix.data[same], place[same], ends)
        shape = (matrix.shape[0], max(len(known), 1))
        found.append(sparse.csr_matrix(parts, shape=shape))
    return found[0], found[1]
