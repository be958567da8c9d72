"""Votes over writings: exact counts, bounds, and what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from rdkit import Chem
from scipy import stats

from reprogram.molecules.smiles import parse
from reprogram.molecules.smiles import randomize
from reprogram.robustness.certification import votes

DRUGS = (
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "C[C@H](N)C(=O)O",
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "F/C=C/Cl",
)


def by_first_letter(smiles):
    first = np.array([text[0] for text in smiles])
    return np.stack([first == "C", first == "O", first == "N"], 1)


@pytest.mark.parametrize("smiles", DRUGS)
def test_the_set_depends_on_the_molecule_only(smiles):
    own = votes.writings(smiles)
    assert 1 < len(own) <= parse(smiles).GetNumAtoms()
    canonical = {Chem.MolToSmiles(parse(text)) for text in own}
    assert canonical == {Chem.MolToSmiles(parse(smiles))}
    for seed in range(12):
        assert votes.writings(randomize(smiles, seed)) == own


@given(st.sampled_from(DRUGS), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_no_writing_changes_a_vote(smiles, seed):
    other = randomize(smiles, seed)
    both = votes.vote(by_first_letter, [smiles, other])
    np.testing.assert_array_equal(both.counts[0], both.counts[1])
    assert both.classes[0] == both.classes[1] and both.alpha == 0
    both = votes.sampled_vote(by_first_letter, [smiles, other], 60, 20)
    np.testing.assert_array_equal(both.counts[0], both.counts[1])


def test_the_exact_certificate_is_tight():
    forms = votes.writings(DRUGS[0])
    for ahead in range(len(forms) // 2 + 1, len(forms) + 1):
        answers = {f: int(i >= ahead) for i, f in enumerate(forms)}

        def predict(smiles, answers=answers):
            return np.eye(2)[[answers[text] for text in smiles]]

        found = votes.vote(predict, [DRUGS[0]])
        changes = round(found.tolerated[0] * len(forms))
        assert found.classes[0] == 0 and found.queries[0] == len(forms)
        wins = ahead - changes > len(forms) - ahead + changes
        loses = ahead - changes - 1 <= len(forms) - ahead + changes + 1
        assert wins and loses
        assert found.certified_accuracy([0], found.tolerated[0]) == 1
        assert found.certified_accuracy([1]) == 0


def test_ties_abstain():
    found = votes.vote(by_first_letter, ["CO"])
    assert found.counts.tolist() == [[1, 1, 0]] and found.classes[0] == -1
    assert found.tolerated[0] == 0 and found.certified_accuracy([0]) == 0


def test_a_sampled_vote_is_bounded_by_clopper_and_pearson():
    found = votes.sampled_vote(
        by_first_letter, DRUGS, votes=400, first_votes=50, alpha=0.01
    )
    assert (found.counts.sum(axis=1) == 400).all()
    for row, name in enumerate(found.classes):
        guess = found.counts[row].argmax() if name < 0 else name
        expected = stats.binomtest(
            int(found.counts[row, guess]), 400, alternative="greater"
        ).proportion_ci(0.99, method="exact")
        np.testing.assert_allclose(found.shares[row], expected.low, atol=1e-9)
        assert (name >= 0) == (expected.low > 0.5)
    assert (found.queries <= 450).all() and (found.queries > 5).all()


def test_sampled_certificates_hold():
    """The share of a class over many writings lies above its bound."""
    smiles = DRUGS[3]
    many = votes.sampled_vote(by_first_letter, [smiles], votes=20_000)
    truth = many.counts[0].max() / 20_000
    low = [
        votes.sampled_vote(
            by_first_letter, [smiles], 50, 20, alpha=0.1, seed=seed
        ).shares[0]
        for seed in range(60)
    ]
    # 10 % of the bounds may be wrong; 14 of 60 would be one in a thousand.
    assert np.sum(np.array(low) > truth + 0.01) < 14


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: votes.vote(by_first_letter, []), "0 molecules"),
        (lambda: votes.vote(by_first_letter, ["C1"]), "Not a valid SMILES"),
        (lambda: votes.vote(lambda s: np.ones(3), ["CO"]), r"\(3,\) for 2"),
        (
            lambda: votes.vote(lambda s: [[np.nan, 1]] * len(s), ["CO"]),
            "NaN, such as for 'CO'",
        ),
        (
            lambda: votes.sampled_vote(by_first_letter, ["CO"], alpha=2),
            "alpha=2",
        ),
    ],
)
def test_what_does_not_fit_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
