"""Forms of molecules that must not change an answer, and pairs that must."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from reprogram.metrics import share_interval
from reprogram.molecules.smiles import parse
from reprogram.molecules.smiles import standardize
from reprogram.robustness.shifts import cliffs
from reprogram.robustness.shifts import molecules
from reprogram.robustness.shifts import rewriting

DRUGS = (
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "NCCc1ccc(O)c(O)c1",
    "CN(C)CCOC(c1ccccc1)c1ccccc1",
    "O=C(O)c1ccccn1",
)


@pytest.mark.parametrize("smiles", DRUGS)
def test_other_forms_are_the_same_molecule(smiles):
    own = standardize(smiles)
    for edit in ("randomized", "kekule", "charges"):
        forms = rewriting.UNCHANGED[edit](smiles)
        assert smiles not in forms and len(forms) == len(set(forms))
        assert {standardize(form) for form in forms} <= {own}
    parents = {
        Chem.MolToSmiles(rdMolStandardize.TautomerParent(parse(form)))
        for form in (smiles, *rewriting.tautomers(smiles))
    }
    assert len(parents) == 1


def test_amides_and_anilines_keep_their_charge():
    assert rewriting.charges("CC(=O)NC") == []
    assert rewriting.charges("Nc1ccccc1") == []
    assert rewriting.charges("CCN(C)C") == ["CC[NH+](C)C"]
    assert rewriting.charges("CC(=O)[O-]") == ["CC(=O)O"]


def test_a_model_of_molecules_never_flips_and_one_of_letters_does():
    def chemist(smiles):
        mass = [parse(standardize(s)).GetNumAtoms() for s in smiles]
        return np.stack([np.array(mass), np.full(len(mass), 12.5)], axis=1)

    def reader(smiles):
        return np.array([[s.count("="), s.count("c")] for s in smiles])

    edits = ("randomized", "kekule", "charges")
    for result in molecules.stability(chemist, DRUGS, edits=edits).values():
        assert result.flip_rate == result.worst_change == 0
        assert result.worst_interval[1] < 1
    names = ["CO", "c1ccccc1", "Cc1ccncc1", "CC=O"]
    found = molecules.stability(
        reader, names, np.array([0, 1, 1, 0]), edits=["kekule"]
    )["kekule"]
    assert found.molecules == found.skipped == 2
    assert found.flip_rate == found.worst_flip_rate == 1.0
    assert found.score == 1.0 and found.worst_score == 0.5
    assert found.worst_score_interval == share_interval(2, 4)


def test_worst_of_k_of_a_regression_by_hand():
    def predict(smiles):
        return np.array([float(len(s)) for s in smiles])

    labels = np.array([1.0, 2.0])
    found = molecules.stability(
        predict, ["CCN", "NCC(=O)O"], labels, edits=["charges"]
    )["charges"]
    forms = ["CC[NH3+]", "NCC(=O)[O-]", "[NH3+]CC(=O)O", "[NH3+]CC(=O)[O-]"]
    lengths = np.array([len(form) for form in forms])
    moves = lengths - [3, 8, 8, 8]
    assert found.flip_rate is None and found.forms == 4
    assert found.change == moves.mean()
    assert found.worst_change == (moves[0] + moves[3]) / 2
    assert found.score == (2 + 6) / 2
    worst = np.array([lengths[0] - 1, lengths[3] - 2])
    assert found.worst_score == worst.mean()
    # Two values: Student's t with one degree of freedom.
    half = 12.7062 * np.abs(np.diff(worst))[0] / 2
    np.testing.assert_allclose(
        found.worst_score_interval, worst.mean() + np.array([-half, half]), 1e-4
    )


def test_cliffs_and_what_a_model_makes_of_them():
    smiles = ["Cc1ccccc1", "Clc1ccccc1", "Fc1ccccc1", "CCCCCCCC", "Clc1ccccc1C"]
    labels = np.array([5.0, 7.0, 5.5, 1.0, 9.0])
    pairs = cliffs.matched_pairs(smiles)
    assert {(0, 1), (0, 2), (1, 2)} <= set(pairs)
    assert not any(3 in pair for pair in pairs)
    found = cliffs.cliffs(smiles, labels)
    assert (0, 2) not in found and (0, 1) in found
    perfect = cliffs.sensitivity(lambda s: labels, smiles, labels)
    assert perfect.right_order == 1 and perfect.change == 1
    assert perfect.error == perfect.other_error == 0
    blind = cliffs.sensitivity(lambda s: np.full(5, 6.0), smiles, labels)
    assert blind.right_order == 0 and blind.change == 0
    assert blind.interval[0] == 0 and blind.interval[1] > 0.2
    classes = (labels > 6).astype(int)
    both = cliffs.sensitivity(lambda s: np.eye(2)[classes], smiles, classes)
    assert both.right_order == 1 and both.error is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: molecules.stability(len, ["C"], edits=["isotopes"]), "kekule"),
        (lambda: molecules.stability(len, ["C"], np.ones(3)), r"\(1,\)"),
        (
            lambda: molecules.stability(lambda s: np.ones(9), ["C"]),
            r"Received \(9, 1\) for 1",
        ),
        (
            lambda: molecules.stability(lambda s: [np.nan], ["CO"]),
            "NaN, such as for 'CO'",
        ),
        (
            lambda: cliffs.sensitivity(len, ["C", "CC"], np.ones(2)),
            "No matched pair",
        ),
        (lambda: cliffs.cliffs(["C"], np.array([np.nan])), "1 missing"),
    ],
)
def test_molecules_that_do_not_fit_are_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
