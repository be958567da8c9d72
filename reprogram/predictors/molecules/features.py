"""What the parts of a predictor read of molecules, computed once a set."""

import dataclasses
import os
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from reprogram.molecules import featurizers
from reprogram.molecules import fingerprints
from reprogram.molecules.similarity import minmax_kernel
from reprogram.predictors.molecules import reading

FOLDED = 2048
KEPT = 2**24  # entries of a matrix of similarities that is worth its memory
SOURCE = ("source", "answers")


@dataclasses.dataclass(frozen=True, eq=False)
class Fragments:
    """Rows of a table of counts whose similarities are computed only once.

    Args:
        counts: The whole table, see `fingerprints.unfolded_counts`.
        rows: The row numbers in it.
        memory: Similarities to other tables, shared by all selections.

    Example:
    >>> counts = fingerprints.unfolded_counts(["CCO", "CO", "C"])
    >>> table = Fragments(counts, np.arange(3), {})
    >>> table[:2].similarity(table[1:]).round(2).tolist()
    [[0.29, 0.0], [1.0, 0.0]]
    """

    counts: sparse.csr_matrix
    rows: np.ndarray
    memory: dict[int, tuple[sparse.csr_matrix, np.ndarray]]

    def __getitem__(self, rows: np.ndarray | slice) -> "Fragments":
        return Fragments(self.counts, self.rows[rows], self.memory)

    def similarity(self, other: "Fragments") -> np.ndarray:
        """Returns the MinMax similarity to each row of another selection."""
        counts = other.counts
        if self.counts.shape[0] * counts.shape[0] > KEPT:
            second = None if self is other else counts[other.rows]
            return minmax_kernel(self.counts[self.rows], second)
        if id(counts) not in self.memory:
            second = None if counts is self.counts else counts
            kernel = minmax_kernel(self.counts, second)
            self.memory[id(counts)] = counts, kernel
        return self.memory[id(counts)][1][np.ix_(self.rows, other.rows)]


Rows = np.ndarray | sparse.csr_matrix | Fragments


def compute(
    smiles: Sequence[str],
    views: Sequence[str],
    source: str = "",
    cache: str | os.PathLike | None = None,
    jobs: int = 1,
    random: int = 0,
) -> dict[str, Rows]:
    """Computes the views of some molecules.

    Args:
        smiles: Valid SMILES strings; a source reads their standard form.
        views: `"descriptors"`; `"source"` and `"answers"` of a source; keys
            of `fingerprints.GENERATORS`.
        source: What `sources.load` takes, for the views of a source.
        cache: A folder that keeps the results from call to call.
        jobs: Processes to use; -1 for all cores.
        random: How many random SMILES of each molecule a source reads; the
            mean of what it says is taken. 0 for the canonical one alone.

    Returns:
        For each view a row a molecule: sparse counts of fragments, or float32
        numbers, NaN where they are not defined.

    Raises:
        ValueError: If a string is not a molecule or a view is unknown.

    Example:
    >>> found = compute(["CCO", "CO"], ["ecfp4", "descriptors"])
    >>> found["ecfp4"].shape[0], found["descriptors"].shape[0]
    (2, 2)
    """
    view = _view
    if cache:
        import joblib

        view = joblib.Memory(cache, verbose=0).cache(_view, ignore=["jobs"])
    return {
        name: (
            view(name, tuple(smiles), source, jobs, random)
            if name in SOURCE
            else view(name, tuple(smiles), "", jobs, 0)
        )
        for name in views
    }


def _view(
    name: str, smiles: tuple, source: str, jobs: int, random: int
) -> Rows:
    if name == "descriptors":
        table = featurizers.descriptors(smiles, jobs=jobs)
        return np.clip(table, -1e6, 1e6).astype("float32")
    if name in SOURCE:
        layer = SOURCE.index(name)
        return reading.read_layers(smiles, source, jobs, random)[layer]
    return fingerprints.unfolded_counts(smiles, name, jobs)


def take(features: Mapping[str, Rows], rows: np.ndarray) -> dict[str, Rows]:
    """Takes some molecules of all views.

    Args:
        features: What `compute` returns.
        rows: Row numbers, or true and false for each.

    Returns:
        The same views of these molecules.
    """
    return {name: table[rows] for name, table in features.items()}


def remembered(features: Mapping[str, Rows]) -> dict[str, Rows]:
    """Makes tables of counts remember the similarities of their rows.

    Args:
        features: What `compute` returns.

    Returns:
        The same views, counts of fragments as `Fragments`.
    """
    return {
        name: Fragments(table, np.arange(table.shape[0]), {})
        if isinstance(table, sparse.csr_matrix)
        else table
        for name, table in features.items()
    }


def folded(counts: sparse.csr_matrix, size: int = FOLDED) -> np.ndarray:
    """Folds counts of fragments into few columns, as RDKit does.

    Args:
        counts: What `fingerprints.unfolded_counts` returns.
        size: Number of columns.

    Returns:
        A float32 array of counts `(molecules, size)`.

    Example:
    >>> folded(fingerprints.unfolded_counts(["CCO"])).sum()
    np.float32(6.0)
    """
    parts = (counts.data, counts.indices % size, counts.indptr)
    shape = (counts.shape[0], size)
    return sparse.csr_matrix(parts, shape=shape).toarray()
