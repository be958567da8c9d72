"""How much alike molecules are: the Tanimoto similarity of their fragments."""

from collections.abc import Sequence

import numpy as np
from rdkit import DataStructs
from rdkit.Chem import rdFingerprintGenerator
from scipy import sparse

from reprogram.molecules.smiles import parse

CHUNK = 1024  # rows of a kernel that are computed at once
MOST = 2**16  # counts that are told apart


def tanimoto(
    first: np.ndarray | sparse.csr_matrix,
    second: np.ndarray | sparse.csr_matrix,
) -> np.ndarray:
    """Computes the Tanimoto similarity of rows of zeros and ones.

    Args:
        first: Array of zeros and ones `(rows, columns)`, dense or sparse.
        second: Array of zeros and ones with as many columns, of the same type.

    Returns:
        The number of shared ones over the number of all, in [0, 1], of shape
        `(first, second)`; 1 for two empty rows.

    Example:
    >>> tanimoto(np.array([[1, 1, 0]]), np.array([[0, 1, 1], [1, 1, 0]]))
    array([[0.33333333, 1.        ]])
    """
    sums = [np.asarray(rows.sum(axis=1)).ravel() for rows in (first, second)]
    kernel = np.empty((first.shape[0], second.shape[0]))
    for start in range(0, len(kernel), CHUNK):
        both = first[start : start + CHUNK] @ second.T
        both = both.toarray() if sparse.issparse(both) else both.astype(float)
        total = sums[0][start : start + CHUNK, None] + sums[1][None] - both
        empty = total <= 0
        both[empty] = total[empty] = 1.0
        np.divide(both, total, out=kernel[start : start + CHUNK])
    return kernel


def minmax_kernel(
    first: sparse.csr_matrix, second: sparse.csr_matrix | None = None
) -> np.ndarray:
    """Computes the MinMax-Tanimoto similarity of rows of counts.

    Args:
        first: Whole numbers up to 65,535 of shape `(molecules, columns)`,
            see `fingerprints.unfolded_counts`.
        second: Counts with as many columns; None for those of `first`.

    Returns:
        The sums of minima over the sums of maxima, in [0, 1], of shape
        `(first, second)`; 1 for two empty rows.

    Example:
    >>> minmax_kernel(sparse.csr_matrix([[1, 2], [1, 1]])).round(2).tolist()
    [[1.0, 0.67], [0.67, 1.0]]

    Reference: Ralaivola et al., Graph kernels for chemical informatics, 2005.
    """
    tables = [first] if second is None else [first, second]
    codes = _written_as_ones(*tables)
    return tanimoto(codes[0], codes[-1])


def _written_as_ones(*tables: sparse.csr_matrix) -> list[sparse.csr_matrix]:
    """Writes counts as ones: a count of 3 as its first, second and third.

    The product of two such rows is the sum of the minima of their counts.
    """
    keys, starts = [], []
    for counts in map(sparse.csr_matrix, tables):
        repeats = np.minimum(counts.data, MOST - 1).astype("int64")
        ends = np.concatenate([[0], np.cumsum(repeats)])
        order = np.arange(ends[-1]) - np.repeat(ends[:-1], repeats)
        columns = np.repeat(counts.indices.astype("int64"), repeats)
        keys.append(columns * MOST + order)
        starts.append(ends[counts.indptr])
    # Empty columns would cost memory.
    known, places = np.unique(np.concatenate(keys), return_inverse=True)
    parts = np.split(places, np.cumsum([len(key) for key in keys])[:-1])
    return [
        sparse.csr_matrix(
            (np.ones(len(part)), part, start),
            shape=(len(start) - 1, max(len(known), 1)),
        )
        for part, start in zip(parts, starts, strict=True)
    ]


def paired_tanimoto(
    first: Sequence[str | None], second: Sequence[str | None]
) -> np.ndarray:
    """Computes the Tanimoto similarity of ECFP4 bits, row by row.

    Args:
        first: Valid SMILES strings, or `None`.
        second: The SMILES strings that they are compared with, or `None`.

    Returns:
        Values in [0, 1] `(rows,)`; NaN where either is `None`.

    Example:
    >>> paired_tanimoto(["CCO", "CCO"], ["OCC", None]).tolist()
    [1.0, nan]
    """
    generator = rdFingerprintGenerator.GetMorganGenerator(2, fpSize=2048)

    def similarity(a: str | None, b: str | None) -> float:
        if a is None or b is None:
            return np.nan
        bits = (generator.GetFingerprint(parse(row)) for row in (a, b))
        return DataStructs.TanimotoSimilarity(*bits)

    return np.array([similarity(*p) for p in zip(first, second, strict=True)])
