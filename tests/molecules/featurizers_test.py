"""Descriptors, fingerprints and scaffolds against RDKit."""

import functools
import pathlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit import RDConfig
from rdkit.Chem import Descriptors

from reprogram import molecules
from reprogram.molecules import DESCRIPTOR_NAMES

NCI = pathlib.Path(RDConfig.RDDataDir, "NCI", "first_5K.smi")

fast = settings(deadline=None, derandomize=True, max_examples=30)


@functools.cache
def nci():
    rows = [line.split()[0] for line in NCI.read_text().splitlines()]
    return [row for row in rows[::7] if Chem.MolFromSmiles(row)]


from_nci = st.integers(0, 500).map(lambda i: nci()[i])


def test_descriptors_of_ethanol():
    table = molecules.descriptors(["CCO", "OCC", "c1ccccc1"])
    assert table.shape == (3, len(DESCRIPTOR_NAMES))
    assert table.dtype == np.float64
    np.testing.assert_allclose(table[0], table[1], rtol=1e-9)
    found = dict(zip(DESCRIPTOR_NAMES, table[0]))
    assert found["MolWt"] == pytest.approx(46.069)
    assert found["TPSA"] == pytest.approx(20.23)
    assert found["MolLogP"] == pytest.approx(-0.0014)
    assert found["NumHDonors"] == 1 and found["RingCount"] == 0


def test_descriptors_agree_with_rdkit_on_each_molecule():
    smiles = nci()[:8]
    table = molecules.descriptors(smiles)
    for name in ("MolWt", "qed", "BalabanJ", "fr_benzene", "BCUT2D_MWHI"):
        values = [
            getattr(Descriptors, name)(Chem.MolFromSmiles(s)) for s in smiles
        ]
        np.testing.assert_allclose(
            table[:, DESCRIPTOR_NAMES.index(name)], values
        )


def test_descriptors_without_a_value_are_nan():
    table = molecules.descriptors(["[Na+]", "CCO"])
    column = DESCRIPTOR_NAMES.index("BCUT2D_MWHI")
    assert np.isnan(table[0, column]) and np.isfinite(table[1]).all()
    assert not np.isinf(table).any()
    assert molecules.descriptors([]).shape == (0, len(DESCRIPTOR_NAMES))


@pytest.mark.parametrize(
    "function",
    [
        lambda smiles: molecules.descriptors([smiles]),
        lambda smiles: molecules.count_fingerprints([smiles]),
        molecules.scaffold,
    ],
)
def test_features_refuse_what_is_no_molecule(function):
    with pytest.raises(ValueError, match="Not a valid SMILES: 'C1CC'"):
        function("C1CC")


def test_fingerprints_count_the_environments():
    counts = molecules.count_fingerprints(["CCO", "OCC", "CCCCCC", "C"])
    assert counts.shape == (4, 2048) and counts.dtype == np.float32
    np.testing.assert_array_equal(counts[0], counts[1])
    assert counts[2].max() == 4.0
    assert counts[3].sum() == 1.0
    small = molecules.count_fingerprints(["CCO"], radius=0, size=64)
    assert small.shape == (1, 64) and small.sum() == 3.0
    assert molecules.count_fingerprints([]).shape == (0, 2048)


@fast
@given(from_nci, st.integers(0, 99))
def test_features_do_not_depend_on_how_a_molecule_is_written(smiles, seed):
    pair = [smiles, molecules.randomize(smiles, seed)]
    counts = molecules.count_fingerprints(pair)
    np.testing.assert_array_equal(*counts)
    assert molecules.scaffold(pair[0]) == molecules.scaffold(pair[1])


@pytest.mark.parametrize(
    ("smiles", "scaffold"),
    [
        ("CCc1ccccc1", "c1ccccc1"),
        ("CCO", ""),
        ("O=C(Nc1ccccc1)C1CC1", "O=C(Nc1ccccc1)C1CC1"),
        ("C[C@H]1CC[C@@H](CCO)CC1", "C1CCCCC1"),
    ],
)
def test_scaffolds(smiles, scaffold):
    assert molecules.scaffold(smiles) == scaffold
