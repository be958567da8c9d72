"""The numbers of a card, from sources that know nothing or everything."""

import keras
import numpy as np
import pytest
from sklearn.metrics import r2_score

from reprogram import molecules
from reprogram.molecules import DESCRIPTOR_NAMES
from reprogram.molecules import Tokenizer
from reprogram.optimization import oracles
from reprogram.sources.molecular import files
from reprogram.sources.molecular import networks
from reprogram.sources.pretraining import corpus
from reprogram.sources.pretraining import evaluation

CHAINS = ["C" * n + end for n in range(1, 9) for end in ("O", "N", "Br")]
SIZES = {"width": 8, "depth": 1, "slots": 4, "code": 2, "units": 8}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A source of two descriptors that was never trained."""
    keras.utils.set_random_seed(1)
    table = molecules.descriptors(CHAINS)
    columns = np.array([DESCRIPTOR_NAMES.index(n) for n in ("MolWt", "TPSA")])
    scale = corpus.descriptor_scale(table)
    kept = np.isin(scale["columns"], columns)
    scale = {key: value[kept] for key, value in scale.items()}
    tokenizer = Tokenizer(["Br", "C", "N", "O"], 32)
    sizes = {"vocabulary_size": tokenizer.size, "outputs": 2, **SIZES}
    folder = tmp_path_factory.mktemp("source")
    files.save(folder, networks.parts(**sizes), sizes, tokenizer, scale)
    return files.load(folder, "untrained")


def knowing(source, **answers):
    """A stand-in that gives the answers it is told."""

    class Known:
        tokenizer, scale, longest = source.tokenizer, source.scale, 15

        def __getattr__(self, name):
            return answers[name]

    return Known()


def test_description_of_an_untrained_source(source):
    smiles = ["CCO", "CCCN", "CBr", "CCCCO"]
    found = evaluation.description(source, smiles)
    table = molecules.descriptors(smiles)
    expected = corpus.scaled(table, source.scale)
    answers = np.array(source.model(source.tokenizer(smiles)))
    scores = r2_score(expected, answers, multioutput="raw_values")
    assert list(found["r2"]) == ["MolWt", "TPSA"]
    np.testing.assert_allclose(list(found["r2"].values()), scores, rtol=1e-3)
    assert found["median_r2"] == pytest.approx(np.median(scores), rel=1e-3)


def test_description_of_one_that_knows():
    names = ("MolWt", "TPSA")
    columns = np.array([DESCRIPTOR_NAMES.index(n) for n in names])
    ones = {"low": -1e9, "high": 1e9, "mean": 0.0, "std": 1.0}
    scale = {key: np.full(2, value) for key, value in ones.items()}

    class Perfect:
        def describe(self, smiles):
            return molecules.descriptors(smiles)[:, columns]

    perfect = Perfect()
    perfect.scale = {"columns": columns, **scale}
    found = evaluation.description(perfect, CHAINS)
    assert found["r2"] == {"MolWt": 1.0, "TPSA": 1.0}
    found = evaluation.description(perfect, ["CCO", "OCC"])
    assert found == {"median_r2": None, "r2": {"MolWt": None, "TPSA": None}}


def test_reconstruction_counts_by_hand(source):
    smiles = ["CCO", "CCN", "CCBr", "CCCO"]
    known = knowing(
        source,
        encode=lambda rows: np.zeros((len(rows), 8)),
        write=lambda latents: ["CCO", "CNC", "C)", "CC"],
        decode=lambda latents: ["CCO", "CNC", None, "CC"],
        divergence=lambda rows: np.array([1.0, 2.0, 3.0, 4.0]),
    )
    found = evaluation.reconstruction(known, smiles, unread=1)
    assert found["exact"] == pytest.approx(1 / 5)
    same = 1 + 1 / 3 + 1 / 4 + 2 / 4
    assert found["characters"] == pytest.approx(same / 5, abs=1e-4)
    alike = molecules.paired_tanimoto(["CCN", "CCCO"], ["CNC", "CC"])
    assert found["tanimoto"] == pytest.approx((1 + alike.sum()) / 5, abs=1e-4)
    assert found["kl"] == 2.5


def test_prior_counts_by_hand(source):
    drawn = iter([["CCO", None, "CC", "CC"], ["CCO", "CCN", "CC", "CC"]])
    known = knowing(
        source,
        generate=lambda *args: ["C", None, None, None],
        sample_latents=lambda count, seed: np.zeros((count, 8)),
        decode=lambda *args, **options: next(drawn),
    )
    found = evaluation.prior(known, ["CCO", "CCCC"], count=4)
    assert found["validity"] == 0.75 and found["validity_redrawn"] == 1.0
    assert found["uniqueness"] == 0.75
    assert found["novelty"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["language_validity"] == 0.25
    weights = oracles.score(["CCO", "CCN", "CC", "CC"], ["weight"])
    other = oracles.score(["CCO", "CCCC"], ["weight"])
    far = abs(weights.mean() - other.mean())
    assert found["wasserstein_weight"] >= far - 1e-3


def test_neighborhoods_of_a_decoder_that_ignores_its_input(source):
    known = knowing(
        source,
        encode=lambda rows: np.zeros((len(rows), 8)),
        decode=lambda latents, **options: ["CCO", "CCCO", None, "Br"],
    )
    rows = evaluation.neighborhoods(known, ["CCO", "CCO", "CCO", "CCO"], (0.5,))
    alike = molecules.paired_tanimoto(["CCO"] * 2, ["CCCO", "Br"])
    assert rows[0]["scale"] == 0.5 and rows[0]["validity_redrawn"] == 0.75
    mean = (1 + alike.sum()) / 3
    assert rows[0]["tanimoto"] == pytest.approx(mean, abs=1e-4)
    new = (alike >= 0.4).sum() / 4
    assert rows[0]["new_and_similar"] == new


def test_a_measurement_counts_what_cannot_be_read(source):
    smiles = ["OCC", "CCCN", "CBr", "CCCCO", "C1CC", "CCF", "C" * 16]
    found = evaluation.evaluate(source, smiles)
    assert (found["molecules"], found["unread"]) == (4, 3)
    assert {"median_r2", "r2", "exact", "characters", "kl"} < set(found)


def test_evaluation_of_nothing_is_an_error(source):
    with pytest.raises(ValueError, match="none of the 2 .*Br C N O"):
        evaluation.evaluate(source, ["CCF", "C1CC"])


def test_measure_samples_the_first_hundred(source, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "load", lambda folder, name: source)
    found = evaluation.measure(tmp_path, CHAINS * 5)
    assert found["sample"]["smiles"] == (CHAINS * 5)[:100]
    assert found["test"]["molecules"] == 120
