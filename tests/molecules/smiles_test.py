"""SMILES in and out: parsing, the standard form, tokens."""

import functools
import math
import pathlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit import RDConfig

from reprogram import molecules
from reprogram.molecules import Tokenizer
from reprogram.molecules.tokenizer import TOKEN

NCI = pathlib.Path(RDConfig.RDDataDir, "NCI", "first_5K.smi")

fast = settings(deadline=None, derandomize=True, max_examples=40)


@functools.cache
def nci():
    rows = [line.split()[0] for line in NCI.read_text().splitlines()]
    return [row for row in rows[::7] if Chem.MolFromSmiles(row)]


from_nci = st.integers(0, 500).map(lambda i: nci()[i])


@functools.cache
def tokenizer():
    tokens = {t for row in nci() for t in TOKEN.findall(row)}
    return Tokenizer(sorted(tokens), max_length=400)


def inchi(smiles):
    """Names a molecule in another way than the library does."""
    return Chem.MolToInchi(Chem.MolFromSmiles(smiles))


@pytest.mark.parametrize(
    ("smiles", "standard"),
    [
        ("OCC", "CCO"),
        ("  C1=CC=CC=C1\n", "c1ccccc1"),
        ("[Na+].C[C@H](N)C(=O)[O-]", "CC(N)C(=O)O"),
        ("CC[NH3+].[Cl-]", "CCN"),
        ("C[N+](C)(C)C", "C[N+](C)(C)C"),
        ("C[N+](=O)[O-]", "C[N+](=O)[O-]"),
        ("[13CH4]", "C"),
        ("[2H]OC([2H])[2H]", "CO"),
        ("[CH3:7][OH:2]", "CO"),
        ("F/C=C/F", "FC=CF"),
        ("O.O.CCO.O", "CCO"),
        ("CCO[Na]", "CCO"),
        ("[H][H]", "[H][H]"),
        ("CCO |$;;foo$|", "CCO"),
        ("C%12CC%12", "C1CC1"),
    ],
)
def test_standard_forms(smiles, standard):
    assert molecules.standardize(smiles) == standard


@pytest.mark.parametrize(
    ("smiles", "standard"),
    [
        ("C[C@H](N)C(=O)[O-]", "C[C@H](N)C(=O)O"),
        ("F/C=C/F", "F/C=C/F"),
        ("C[C@](C)(N)O", "CC(C)(N)O"),
    ],
)
def test_stereo_is_kept_on_request(smiles, standard):
    assert molecules.standardize(smiles, stereo=True) == standard


@fast
@given(from_nci, st.integers(0, 2**30), st.booleans())
def test_the_standard_form_is_one(smiles, seed, stereo):
    standard = molecules.standardize(smiles, stereo)
    assert molecules.standardize(standard, stereo) == standard
    other = molecules.randomize(smiles, seed)
    assert molecules.standardize(other, stereo) == standard
    assert "." not in standard


@fast
@given(from_nci, st.integers(0, 2**30))
def test_randomize_writes_the_same_molecule(smiles, seed):
    written = molecules.randomize(smiles, seed)
    assert written == molecules.randomize(smiles, seed)
    assert inchi(written) == inchi(smiles)


def test_randomize_writes_many_strings():
    written = {molecules.randomize("CC(N)C(=O)O", seed) for seed in range(50)}
    assert len(written) > 10


@pytest.mark.parametrize(
    ("smiles", "message"),
    [
        ("", r"Empty SMILES. Received: ''. Expected a string"),
        (" \n", "Empty SMILES"),
        (None, "Empty SMILES. Received: None"),
        (math.nan, "Empty SMILES. Received: nan"),
        (7, "Empty SMILES. Received: 7"),
        ("C1CC", r"'C1CC' \(syntax error.*Correct the string"),
        ("not a molecule", "syntax error, or text behind"),
        ("CCO ethanol", "text behind the string"),
        ("CC O", "text behind the string"),
        ("C(C)(C)(C)(C)C", "valence for atom # 0 C, 5"),
        ("c1cccc1", "kekulize"),
        ("C>>C", "syntax error"),
        ("C\0C", "printable ASCII"),
        ("C\nC", "printable ASCII"),
        ("Cé", "printable ASCII"),
        ("\ud800", "printable ASCII"),
    ],
)
def test_what_is_no_molecule_is_refused(smiles, message):
    for function in (molecules.parse, molecules.standardize):
        with pytest.raises(ValueError, match=message):
            function(smiles)
    if isinstance(smiles, str):
        with pytest.raises(ValueError, match=message):
            molecules.randomize(smiles)


@fast
@given(st.text(max_size=12) | st.text("CNOcn1()=#[]+-@H .|", max_size=12))
def test_any_text_is_a_molecule_or_an_error_that_quotes_it(text):
    message = repr(text)
    try:
        assert molecules.parse(text).GetNumAtoms()
    except ValueError as error:
        message = str(error)
    assert repr(text) in message


def test_read_keeps_every_row():
    rows = ["OCC", "C1CC", None, "[K+].CC(=O)[O-]"]
    standard, reasons = molecules.read(rows)
    assert standard == ["CCO", None, None, "CC(=O)O"]
    assert [bool(reason) for reason in reasons] == [False, True, True, False]
    assert "'C1CC'" in reasons[1] and "None" in reasons[2]
    assert molecules.read([]) == ([], [])


def test_tokens_of_all_kinds():
    smiles = "ClC[C@@H](Br)c1cc%12[nH]c1[N+]%12=O"
    tokens = TOKEN.findall(smiles)
    assert tokens[:3] == ["Cl", "C", "[C@@H]"]
    assert {"Br", "%12", "[nH]", "[N+]"} < set(tokens)
    ids = Tokenizer(sorted(set(tokens)))([smiles, "Cl"])
    assert ids.dtype == np.int32 and ids.shape == (2, len(tokens))
    assert ids.min() == 0 and 1 not in ids
    assert (ids[1, 1:] == 0).all()


@fast
@given(st.lists(from_nci, min_size=1, max_size=5), st.integers(0, 9))
def test_detokenize_undoes_the_tokenizer(smiles, more):
    ids = tokenizer()(smiles)
    assert tokenizer().detokenize(ids) == smiles
    longer = tokenizer()(smiles, ids.shape[1] + more)
    assert tokenizer().detokenize(longer) == smiles
    assert longer.shape[1] == ids.shape[1] + more


def test_a_tokenizer_is_made_again_from_its_config():
    made = Tokenizer(**tokenizer().get_config())
    assert made.size == tokenizer().size == len(made.vocabulary) + 2
    assert (made(nci()[:9]) == tokenizer()(nci()[:9])).all()


def test_detokenize_shows_masks():
    assert Tokenizer(["C", "O"]).detokenize([[2, 1, 3, 0]]) == ["C?O"]


@pytest.mark.parametrize(
    ("smiles", "message"),
    [
        ("C[Si]Cl", r"'C\[Si\]Cl' has tokens .*source: Cl, \[Si\]\. .*element"),
        ("C\n", "outside the vocabulary"),
        ("CCCCC", "5 tokens; the source reads 1 to 4"),
        ("", "0 tokens"),
    ],
)
def test_the_tokenizer_explains_what_it_cannot_read(smiles, message):
    small = Tokenizer(["C", "O"], max_length=4)
    assert small.explain("CCO") == ""
    with pytest.raises(ValueError, match=message) as caught:
        small(["CCO", smiles])
    assert str(caught.value) == small.explain(smiles)


def test_tokenizer_errors():
    with pytest.raises(ValueError, match="`length` must .* 3 tokens.*length=2"):
        Tokenizer(["C"])(["CCC"], length=2)
    with pytest.raises(ValueError, match="more than once: C. Remove"):
        Tokenizer(["C", "O", "C"])
    assert Tokenizer(["C"])([]).shape == (0, 0)
