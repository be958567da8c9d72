"""How much alike molecules are."""

from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from rdkit import DataStructs
from rdkit.Chem import rdFingerprintGenerator
from sklearn.gaussian_process.kernels import Kernel


class CountTanimoto(Kernel):
    """The MinMax-Tanimoto kernel of count vectors.

    The kernel of `a` and `b` is the sum of their minima over the sum of their
    maxima: 1 for equal vectors, 0 for vectors without a common column.

    Example:
    >>> kernel = CountTanimoto()
    >>> kernel(np.array([[1.0, 2.0]]), np.array([[1.0, 1.0]])).tolist()
    [[0.6666666666666666]]

    Reference: Ralaivola et al., Graph kernels for chemical informatics, 2005.
    """

    def __init__(self):
        pass

    def __call__(
        self,
        X: np.ndarray,
        Y: np.ndarray | None = None,
        eval_gradient: bool = False,
    ):
        Y = X if Y is None else Y
        sums = X.sum(axis=1)[:, None] + Y.sum(axis=1)[None]
        used = np.flatnonzero((X.max(axis=0) > 0) & (Y.max(axis=0) > 0))
        left, right = X[:, used], Y[:, used]
        shared = [np.minimum(row, right).sum(axis=1) for row in left]
        shared = np.stack(shared).astype("float64")
        total = sums - shared
        value = np.where(total > 0, shared / np.where(total, total, 1), 1.0)
        empty = np.empty((len(X), len(Y), 0))
        return (value, empty) if eval_gradient else value

    def diag(self, X: np.ndarray) -> np.ndarray:
        return np.ones(len(X))

    def is_stationary(self) -> bool:
        return False


def paired_tanimoto(
    first: Sequence[str | None], second: Sequence[str | None]
) -> np.ndarray:
    """Computes the Tanimoto similarity of ECFP4 bits, row by row.

    Args:
        first: Valid SMILES strings, or `None`.
        second: As many.

    Returns:
        Values in [0, 1] `(rows,)`; NaN where either is `None`.

    Example:
    >>> paired_tanimoto(["CCO", "CCO"], ["OCC", None]).tolist()
    [1.0, nan]
    """
    generator = rdFingerprintGenerator.GetMorganGenerator(2, fpSize=2048)

    def bits(row: str) -> DataStructs.ExplicitBitVect:
        return generator.GetFingerprint(Chem.MolFromSmiles(row))

    return np.array(
        [
            DataStructs.TanimotoSimilarity(bits(a), bits(b))
            if a and b
            else np.nan
            for a, b in zip(first, second, strict=True)
        ]
    )
