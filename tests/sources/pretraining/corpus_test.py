"""What pretraining reads: files, vocabulary, descriptors and their scale."""

import gzip

import numpy as np
import pytest
from rdkit import Chem

from reprogram import molecules
from reprogram.molecules import DESCRIPTOR_NAMES
from reprogram.sources.pretraining import corpus

CHAINS = ["C" * n + end for n in range(1, 9) for end in ("O", "N", "Br")]


def write(folder, name, text):
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plain.smi", "CCO\nCN\n"),
        ("named.smi", "CCO\tethanol\nCN methylamine\n\n"),
        ("header.smi", "SMILES name\nCCO ethanol\n\nCN b\n"),
        ("quoted.csv", '"smiles","id"\n"CCO","WEHI-1"\n"CN","WEHI 2"\n'),
        ("marked.csv", "\ufeffsmiles,y\r\nCCO,1\r\nCN,2\r\n"),
        ("packed.txt.gz", "CCO\nCN"),
    ],
)
def test_files_of_molecules(tmp_path, name, text):
    path = write(tmp_path, name, text)
    assert corpus.read_smiles(path) == ["CCO", "CN"]
    assert corpus.read_smiles(str(path)) == ["CCO", "CN"]
    assert corpus.count([path, path]) == {name: 4}


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="No such file: .*gone.smi"):
        corpus.read_smiles(tmp_path / "gone.smi")


def test_the_sets_of_rdkit_are_there():
    first, second = map(corpus.read_smiles, corpus.rdkit_files())
    assert (len(first), len(second)) == (4999, 10000)
    assert Chem.MolFromSmiles(second[0]) and '"' not in "".join(second)


def test_held_out_molecules_are_held_out_however_they_are_written(tmp_path):
    given = write(
        tmp_path, "a.smi", "CCO\nOCC\nC1CC\nCCN\nCC(=O)[O-].[Na+]\nCCl"
    )
    other = write(tmp_path, "b.smi", "C(N)C\nClC\n[13CH3]C(=O)O\nnothing")
    assert corpus.corpus([given], [other]) == ["CCO"]
    assert corpus.corpus([given], []) == ["CC(=O)O", "CCN", "CCO", "CCl"]


def test_the_vocabulary_is_what_is_common():
    tokenizer = corpus.fit_tokenizer(["CCO", "CCl", "CBr"], 2, max_length=9)
    assert tokenizer.vocabulary == ["C"] and tokenizer.max_length == 9
    tokenizer = corpus.fit_tokenizer(["CCO", "CCl", "CBr"], 1)
    assert tokenizer.vocabulary == ["Br", "C", "Cl", "O"]


@pytest.mark.filterwarnings("error")
def test_the_scale_takes_descriptors_that_vary_and_are_defined():
    rng = np.random.default_rng(0)
    table = rng.normal(5.0, 2.0, (1000, len(DESCRIPTOR_NAMES)))
    table[:, 0] = 7.0
    table[:50, 1] = np.nan
    table[:5, 2] = np.nan
    table[1, 4] = 1e9
    table[:, 5] = np.nan
    scale = corpus.descriptor_scale(table)
    left_out = {0, 1, 5, DESCRIPTOR_NAMES.index("Ipc")}
    expected = sorted(set(range(len(DESCRIPTOR_NAMES))) - left_out)
    assert scale["columns"].tolist() == expected
    found = corpus.scaled(table, scale)
    assert found.dtype == np.float32 and np.isfinite(found).all()
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(found.std(axis=0), 1, atol=0.02)
    assert np.abs(found).max() < 40
    assert (found[:5, expected.index(2)] == 0).all()


def test_bits_are_those_of_the_fingerprint():
    bits = np.unpackbits(corpus.fingerprint_bits(CHAINS), axis=1)
    counts = molecules.count_fingerprints(CHAINS, size=1024)
    np.testing.assert_array_equal(bits, counts > 0)


def test_descriptors_are_computed_once(tmp_path):
    calls = []

    def function(smiles):
        calls.append(len(smiles))
        return molecules.descriptors(smiles)

    path = tmp_path / "descriptors.npy"
    first = corpus.load_or_compute(function, ["CCO", "CN"], path)
    expected = molecules.descriptors(["CCO", "CN"])
    np.testing.assert_allclose(first, expected, rtol=1e-6)
    longer = corpus.load_or_compute(function, ["C", "CO", "N"], path)
    assert len(longer) == 3 and len(list(tmp_path.iterdir())) == 1
    again = corpus.load_or_compute(function, ["C", "CO", "N"], path)
    np.testing.assert_array_equal(again, longer)
    assert calls == [2, 3]


def test_preparing_takes_what_the_folder_has(tmp_path):
    alkanes = ["C" * n for n in range(2, 8)]
    given = write(tmp_path, "a.smi", "\n".join([*CHAINS, *alkanes]))
    held_out = write(tmp_path, "b.smi", "C(C)C")
    first = corpus.prepare(tmp_path, [given], [held_out], 7)
    assert first.tokenizer.vocabulary == ["C"]
    assert first.smiles == ["CC", "CCCC", "CCCCC", "CCCCCC"]
    table = molecules.descriptors([*first.smiles, "CCCCCCC"])
    expected = corpus.scaled(table, first.scale)[:4]
    np.testing.assert_allclose(first.targets, expected, atol=1e-4)
    bits = corpus.fingerprint_bits(first.smiles)
    np.testing.assert_array_equal(first.bits, bits)
    again = corpus.prepare(tmp_path, [given], [], 7)
    assert again.smiles == first.smiles
    np.testing.assert_array_equal(again.targets, first.targets)


def test_nothing_to_train_on_is_an_error(tmp_path):
    given = write(tmp_path, "a.smi", "CCO\nCN\n")
    with pytest.raises(ValueError, match="2 rows.* held out, 2, none .* 20"):
        corpus.prepare(tmp_path, [given], [], 96)


def test_a_corpus_of_other_files_is_an_error(tmp_path):
    given = write(tmp_path, "a.smi", "CCO\n")
    write(tmp_path, "corpus.smi", "CCO\nCN")
    with pytest.raises(ValueError, match="2 molecules and the files .* only 1"):
        corpus.prepare(tmp_path, [given], [], 96)
