"""Folded counts and scaled numbers."""

import numpy as np

from reprogram.molecules import fingerprints
from reprogram.molecules.featurizers import count_fingerprints
from reprogram.predictors.molecules import tables
from reprogram.predictors.molecules.tables import Numbers

SMILES = ["CCO", "c1ccccc1O", "C" * 40 + "C(=O)O", "[Na+].[Cl-]", "CC(N)C(=O)O"]


def test_folding_gives_the_folded_fingerprint():
    counts = fingerprints.unfolded_counts(SMILES)
    np.testing.assert_array_equal(
        tables.folded(counts), count_fingerprints(SMILES)
    )
    assert tables.folded(counts, 64).sum() == counts.sum()


def test_numbers_ignore_what_is_missing_or_constant():
    table = np.array([[1.0, 5.0, np.nan], [3.0, 5.0, 2.0], [5.0, 5.0, 4.0]])
    numbers = Numbers(table)
    found = numbers(np.array([[99.0, 7.0, np.nan]]))
    assert found.shape == (1, 2) and found[0, 1] == 0
    assert found[0, 0] == numbers(table)[2, 0]  # clipped to the training range
