"""Unfolded counts of fragments."""

import pytest

from reprogram.molecules import fingerprints

SMILES = ["CCO", "c1ccccc1O", "C" * 40 + "C(=O)O", "[Na+].[Cl-]", "CC(N)C(=O)O"]


@pytest.mark.parametrize("kind", fingerprints.GENERATORS)
def test_counts_of_each_kind(kind):
    found = fingerprints.unfolded_counts([*SMILES, "OCC"], kind)
    assert found.shape == (6, fingerprints.COLUMNS)
    assert (found[0] != found[5]).nnz == 0
    assert fingerprints.unfolded_counts([], kind).shape[0] == 0


def test_counts_refuse():
    with pytest.raises(ValueError, match="must be one of ecfp4"):
        fingerprints.unfolded_counts(["C"], "maccs")
    with pytest.raises(ValueError, match="Not a valid SMILES: 'C1CC'"):
        fingerprints.unfolded_counts(["C1CC"])
