"""What the parts of a predictor read of molecules, computed once a set."""

import os
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from reprogram.molecules import featurizers
from reprogram.molecules import fingerprints
from reprogram.predictors.molecules import reading

Rows = np.ndarray | sparse.csr_matrix
FOLDED = 2048
SOURCE = ("source", "answers")


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
