"""Folded counts and scaled numbers."""

import numpy as np
import pytest

from reprogram.molecules import fingerprints
from reprogram.molecules.featurizers import count_fingerprints
from reprogram.molecules.similarity import minmax_kernel
from reprogram.predictors.molecules import tables
from reprogram.predictors.molecules.tables import Numbers

SMILES = ["CCO", "c1ccccc1O", "C" * 40 + "C(=O)O", "[Na+].[Cl-]", "CC(N)C(=O)O"]


def test_folding_gives_the_folded_fingerprint():
    counts = fingerprints.unfolded_counts(SMILES)
    np.testing.assert_array_equal(
        tables.folded(counts), count_fingerprints(SMILES)
    )
    assert tables.folded(counts, 64).sum() == counts.sum()


@pytest.mark.parametrize("kept", [2**24, 9, 4, 0])
def test_similarities_are_the_same_however_much_is_kept(kept, monkeypatch):
    monkeypatch.setattr(tables, "KEPT", kept)
    counts = fingerprints.unfolded_counts(SMILES)
    whole = minmax_kernel(counts)
    table = tables.remembered({"ecfp4": counts})["ecfp4"]
    first, second = np.array([3, 0]), np.array([False, True, True, False, True])
    for _ in range(2):
        found = table[first].similarity(table[second])
        np.testing.assert_array_equal(found, whole[first][:, second])
    few = table[first]
    np.testing.assert_array_equal(few.similarity(few[:1]), whole[first, 3:4])
    assert bool(few.memory) == (kept >= 4)


def test_numbers_ignore_what_is_missing_or_constant():
    table = np.array([[1.0, 5.0, np.nan], [3.0, 5.0, 2.0], [5.0, 5.0, 4.0]])
    numbers = Numbers(table)
    found = numbers(np.array([[99.0, 7.0, np.nan]]))
    assert found.shape == (1, 2) and found[0, 1] == 0
    assert found[0, 0] == numbers(table)[2, 0]  # clipped to the training range
