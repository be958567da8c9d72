"""Tables of features: similar fragments, scaled numbers, folded counts."""

import dataclasses
from collections.abc import Mapping
from typing import Any
from typing import TypeAlias

import numpy as np
from scipy import sparse
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.preprocessing import StandardScaler

from reprogram.molecules.similarity import minmax_kernel

FOLDED = 2048
KEPT = 2**24  # entries of a matrix of similarities that is worth its memory


@dataclasses.dataclass(frozen=True, eq=False)
class Fragments:
    """Rows of a table of counts whose similarities are computed only once.

    Args:
        counts: The whole table, see `fingerprints.unfolded_counts`.
        rows: Row numbers of the selection in that table.
        memory: Similarities to other tables, shared by all selections.

    Example:
    >>> counts = sparse.csr_matrix([[2, 1], [1, 1], [0, 1]])
    >>> table = Fragments(counts, np.arange(3), {})
    >>> table[:2].similarity(table[1:]).round(2).tolist()
    [[0.67, 0.33], [1.0, 0.5]]
    """

    counts: sparse.csr_matrix
    rows: np.ndarray
    memory: dict[int, tuple[sparse.csr_matrix, np.ndarray]]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: np.ndarray | slice) -> "Fragments":
        chosen = self.rows[rows]
        if self.counts.shape[0] ** 2 > KEPT >= len(chosen) ** 2:
            # A few rows of a large table keep similarities of their own.
            return Fragments(self.counts[chosen], np.arange(len(chosen)), {})
        return Fragments(self.counts, chosen, self.memory)

    def selected(self) -> sparse.csr_matrix:
        """Returns the counts of the selected rows."""
        return self.counts[self.rows]

    def similarity(self, other: "Fragments") -> np.ndarray:
        """Returns the MinMax similarity to each row of another selection."""
        counts = other.counts
        if self.counts.shape[0] * counts.shape[0] > KEPT:
            second = None if self is other else other.selected()
            return minmax_kernel(self.selected(), second)
        if id(counts) not in self.memory:
            second = None if counts is self.counts else counts
            kernel = minmax_kernel(self.counts, second)
            self.memory[id(counts)] = counts, kernel
        return self.memory[id(counts)][1][np.ix_(self.rows, other.rows)]


# An array, a sparse matrix (which SciPy has no types for) or `Fragments`.
Rows: TypeAlias = Any
Features: TypeAlias = Mapping[str, Rows]


def remembered(features: Features) -> dict[str, Rows]:
    """Returns the same views with counts of fragments as `Fragments`."""
    return {
        name: Fragments(table, np.arange(table.shape[0]), {})
        if sparse.issparse(table)
        else table
        for name, table in features.items()
    }


class Numbers:
    """Scales numbers to mean 0, their squares to 1 a row, as in training.

    Values outside the range of the training rows are clipped to it, missing
    ones become the mean; columns that hardly vary are left out.

    Args:
        table: Numbers of the training rows `(rows, columns)`, NaN where they
            are missing.

    Example:
    >>> numbers = Numbers(np.array([[1.0, 5.0], [3.0, 5.0]]))
    >>> numbers(np.array([[1.0, 7.0], [99.0, 0.0], [np.nan, 5.0]])).tolist()
    [[-1.0], [1.0], [0.0]]
    """

    def __init__(self, table: np.ndarray):
        known = np.ma.masked_invalid(np.asarray(table, "float64"))
        self.kept = np.ma.filled(known.var(axis=0), 0) > 1e-12
        self.pipeline = make_pipeline(
            MinMaxScaler(clip=True),
            StandardScaler(),
            SimpleImputer(strategy="constant", fill_value=0.0),
        )
        if self.kept.any():
            self.pipeline.fit(known[:, self.kept].filled(np.nan))

    def __call__(self, table: np.ndarray) -> np.ndarray:
        """Returns `(rows, kept columns)`, one column of 0 if none is kept."""
        if not self.kept.any():
            return np.zeros((len(table), 1))
        rows = np.asarray(table[:, self.kept], "float64")
        rows = np.where(np.isfinite(rows), rows, np.nan)
        return self.pipeline.transform(rows) / np.sqrt(self.kept.sum())


def folded(
    counts: sparse.csr_matrix | Fragments, size: int = FOLDED
) -> np.ndarray:
    """Folds counts of fragments into few columns, as RDKit does.

    Example:
    >>> folded(sparse.csr_matrix([[1, 2, 4]]), 2).tolist()
    [[5, 2]]
    """
    if isinstance(counts, Fragments):
        counts = counts.selected()
    parts = (counts.data, counts.indices % size, counts.indptr)
    shape = (counts.shape[0], size)
    return sparse.csr_matrix(parts, shape=shape).toarray()
