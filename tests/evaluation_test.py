"""The numbers of a card, from models that know nothing or everything."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from reprogram import molecules
from reprogram.molecules import DESCRIPTOR_NAMES
from reprogram.molecules import Tokenizer
from reprogram.sources import corpus
from reprogram.sources import evaluation
from reprogram.sources import pretraining
from reprogram.sources.smiles_encoder import smiles_encoder

CHAINS = ["C" * n + end for n in range(1, 9) for end in ("O", "N", "Br")]
SIZES = {"width": 8, "depth": 1, "heads": 2}


def scaled_encoder():
    """An encoder of three descriptors, its scale and what it was fitted on."""
    table = molecules.descriptors(CHAINS)
    columns = np.array([DESCRIPTOR_NAMES.index(n) for n in ("MolWt", "TPSA")])
    scale = corpus.descriptor_scale(table)
    kept = np.isin(scale["columns"], columns)
    scale = {key: value[kept] for key, value in scale.items()}
    tokenizer = Tokenizer(["Br", "C", "N", "O"], 32)
    encoder = smiles_encoder(tokenizer.size, len(scale["columns"]), **SIZES)
    return encoder, tokenizer, scale


def test_evaluation_of_an_encoder():
    encoder, tokenizer, scale = scaled_encoder()
    smiles = ["OCC", "CCCN", "CBr", "CCCCO", "C1CC", "CCF"]
    found = evaluation.evaluate(encoder, tokenizer, scale, smiles, 2)
    assert (found["molecules"], found["unread"]) == (4, 2)
    standard = ["CCO", "CCCN", "CBr", "CCCCO"]
    expected = corpus.scaled(molecules.descriptors(standard), scale)
    answers = np.array(encoder(tokenizer(standard)))
    scores = r2_score(expected, answers, multioutput="raw_values")
    assert list(found["r2"]) == ["MolWt", "TPSA"]
    np.testing.assert_allclose(list(found["r2"].values()), scores, rtol=1e-3)
    assert found["median_r2"] == pytest.approx(np.median(scores), rel=1e-3)
    assert set(found) == {"molecules", "unread", "r2", "median_r2"}


def test_evaluation_says_where_nothing_varies():
    encoder, tokenizer, scale = scaled_encoder()
    found = evaluation.evaluate(encoder, tokenizer, scale, ["CCO", "OCC"])
    assert found["r2"] == {"MolWt": None, "TPSA": None}
    assert found["median_r2"] is None


def test_evaluation_of_nothing_is_an_error():
    encoder, tokenizer, scale = scaled_encoder()
    with pytest.raises(ValueError, match="none of the 2 .*Br C N O"):
        evaluation.evaluate(encoder, tokenizer, scale, ["CCF", "C1CC"])


def test_evaluation_of_all_heads_knows_good_from_bad():
    encoder, tokenizer, scale = scaled_encoder()
    model = pretraining.pretraining_model(encoder, tokenizer.size)

    class Perfect:
        """Answers as a model that knows everything would."""

        def predict(self, ids, **options):
            names = tokenizer.detokenize(self.ids)
            bits = np.unpackbits(corpus.fingerprint_bits(names), axis=1)
            table = molecules.descriptors(names)
            return {
                "descriptors": corpus.scaled(table, scale),
                "fingerprints": bits * 1.0,
                "tokens": np.eye(tokenizer.size)[self.ids],
            }

    perfect = Perfect()
    perfect.ids = tokenizer(CHAINS)
    best = evaluation.evaluate(perfect, tokenizer, scale, CHAINS)
    assert best["median_r2"] == best["masked_tokens"] == 1.0
    assert best["fingerprint_bits"] == 1.0
    found = evaluation.evaluate(model, tokenizer, scale, CHAINS)
    for name in ("masked_tokens", "fingerprint_bits", "median_r2"):
        assert found[name] < 0.9
    for name in ("commonest_token", "frequency_of_bits"):
        assert 0 < found[name] == best[name] < 1
