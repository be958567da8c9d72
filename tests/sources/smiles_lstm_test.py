"""The language model of ChEMBL molecules, from a file of weights."""

import keras
import numpy as np
import pytest

from reprogram import sources
from reprogram.sources import smiles_lstm

SHAPES = {
    "lstm/0": (47, 12),
    "lstm/1": (3, 12),
    "lstm/2": (12,),
    "lstm_1/0": (3, 8),
    "lstm_1/1": (2, 8),
    "lstm_1/2": (8,),
    "dense/0": (2, 47),
    "dense/1": (47,),
}


@pytest.fixture
def write(tmp_path):
    """Writes small weights, with some changed, and returns the path."""

    def file(**changes):
        rng = np.random.default_rng(0)
        arrays = {
            key: rng.normal(size=shape).astype("float32")
            for key, shape in {**SHAPES, **changes}.items()
            if shape is not None
        }
        path = tmp_path / "chembl.npz"
        np.savez(path, **arrays)
        return path

    return file


def numpy_lstm(x, kernel, recurrent, bias):
    """All states of one LSTM, gate by gate."""

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    h = c = np.zeros(len(recurrent))
    states = []
    for row in x:
        gates = np.split(row @ kernel + h @ recurrent + bias, 4)
        i, f, o = (sigmoid(gates[k]) for k in (0, 1, 3))
        c = f * c + i * np.tanh(gates[2])
        h = o * np.tanh(c)
        states.append(h)
    return np.array(states)


def test_answers_are_those_of_the_equations(write):
    path = write()
    source = sources.load(path)
    assert source.modality == "molecule" and source.feature_layer == "summary"
    assert not source.model.trainable_weights
    smiles = ["CCO", "c1ccc(Cl)cc1[Se]C"]
    ids = source.preprocess(smiles)
    summary = source.model.get_layer("summary").output
    both = keras.Model(source.model.input, [summary, source.model.output])
    features, logits = (np.asarray(part) for part in both(ids))
    w = np.load(path)
    for row, feature, logit in zip(ids, features, logits):
        one_hot = np.eye(47)[row[row > 0] - 1]
        lower = numpy_lstm(one_hot, *(w[f"lstm/{i}"] for i in range(3)))
        upper = numpy_lstm(lower, *(w[f"lstm_1/{i}"] for i in range(3)))
        expected = [lower.mean(0), lower[-1], upper.mean(0), upper[-1]]
        np.testing.assert_allclose(feature, np.concatenate(expected), atol=1e-5)
        answer = upper[-1] @ w["dense/0"] + w["dense/1"]
        np.testing.assert_allclose(logit, answer, atol=1e-5)


def test_ids_do_not_depend_on_the_batch(write):
    source = sources.load(write())
    alone = source.model(source.preprocess(["CCO"]))
    padded = source.preprocess(["CCO", "C" * 40])
    np.testing.assert_allclose(source.model(padded)[:1], alone, atol=1e-6)


def test_tokens_are_the_longest_that_fit():
    ids = smiles_lstm.token_ids(["BrCl[Se]senSi"])[0]
    found = [smiles_lstm.NAMES[i - 1] for i in ids if i]
    assert found == ["start", "Br", "Cl", "[", "Se", "]", "se", "n", "Si"]
    assert len(smiles_lstm.NAMES) == len(set(smiles_lstm.NAMES)) == 47


def test_what_cannot_be_read_says_why(write):
    source = sources.load(write())
    assert "outside the vocabulary of the source: @ U" in source.explain("@CU")
    assert "200" in source.explain("C" * 201)
    assert "0 tokens" in source.explain("")
    with pytest.raises(ValueError, match="outside the vocabulary"):
        source.preprocess(["C@"])
    mixed = source.augment(np.array(["CCO", "c1ccccc1O"], object), 1)
    assert not any(map(source.explain, mixed))


def test_files_of_other_models_are_refused(write):
    with pytest.raises(ValueError, match="dense/1"):
        sources.load(write(**{"dense/1": None}))
    with pytest.raises(ValueError, match="reads 9 and writes 47 tokens"):
        sources.load(write(**{"lstm/0": (9, 12)}))
    with pytest.raises(ValueError, match="do not fit together: 'lstm_1'"):
        sources.load(write(**{"lstm_1/0": (5, 8)}))


def test_predictor_reads_molecules_with_it(write):
    from reprogram.predictors.molecules import MoleculePredictor

    smiles = ["C" * n + "O" for n in range(1, 13)] + ["C[U]"]
    model = MoleculePredictor(source=str(write()))
    table = model.features_of(smiles)
    assert table["source"].shape == (13, 10)
    assert np.isnan(table["source"][-1]).all()
    assert np.isfinite(table["source"][:-1]).all()


def test_real_weights_know_the_next_token(shared):
    path = shared / "sources/molecules/smiles_lstm_chembl.npz"
    if not path.is_file():
        pytest.skip(f"needs {path}, not there")
    from rdkit import Chem

    from reprogram.molecules import smiles as smiles_form
    from reprogram.tasks import molecules

    task = molecules.nav17()
    rows, _ = smiles_form.read(list(task.inputs[:60]))
    source = sources.load(path)
    rows = [row for row in rows if row and not source.explain(row)]
    assert len(rows) > 50 and all(map(Chem.MolFromSmiles, rows))
    ids = source.preprocess(rows)
    states = source.model.get_layer("lstm_1").output
    scores = source.model.get_layer("dense")(states)
    found = keras.Model(source.model.input, scores).predict_on_batch(ids)
    right = found[:, :-1].argmax(axis=2) + 1 == ids[:, 1:]
    assert right[ids[:, 1:] > 0].mean() > 0.7
    length = (ids > 0).sum(axis=1)
    ends = found[np.arange(len(ids)), length - 1].argmax(axis=1)
    assert (ends == smiles_lstm.NAMES.index("end")).mean() > 0.7
