"""Saved predictors of molecules: those of now and those of earlier versions."""

import json
import pathlib

import numpy as np
import pytest

from reprogram.predictors import molecules as fewshot
from reprogram.predictors.molecules import parts
from tests import commands

ROWS = commands.molecules(40)
SMILES = [row for row, _ in ROWS]
Y = np.array([value for _, value in ROWS])
SAVED = pathlib.Path(__file__).with_name("saved")  # by version 0.1.0


@pytest.fixture
def small(monkeypatch):
    """Two fast parts stand for all of them."""
    few = parts.DEFAULT[1], parts.DEFAULT[3]
    monkeypatch.setattr(parts, "DEFAULT", few)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("problem", ["regression", "classification"])
def test_what_an_earlier_version_saved_predicts_the_same(problem):
    model = fewshot.load(SAVED / problem)
    content = json.loads((SAVED / problem / "predictor.json").read_text())
    np.testing.assert_allclose(
        model.predict(content["smiles"]), content["predictions"], rtol=1e-4
    )
    assert model.problem == problem


def test_saves_and_loads(tmp_path, recwarn, small):
    names = np.where(np.median(Y) < Y, "long", "short")
    several = np.stack([Y > 6, Y > 8], axis=1).astype(float)
    for labels in (Y, names, several):
        model = fewshot.MoleculePredictor(source="")
        fewshot.save(model.fit(SMILES[:25], labels[:25]), tmp_path)
        again = fewshot.load(tmp_path)
        np.testing.assert_allclose(
            again.predict(SMILES), model.predict(SMILES), rtol=1e-9
        )
        assert again.carried() == model.carried()
    assert [p.name for p in tmp_path.iterdir()] == ["predictor.json"]
    assert not [w for w in recwarn if "answers up to" in str(w.message)]


def test_says_if_it_answers_otherwise_than_when_saved(tmp_path, small):
    model = fewshot.MoleculePredictor(source="").fit(SMILES, Y)
    fewshot.save(model, tmp_path)
    path = tmp_path / "predictor.json"
    content = json.loads(path.read_text())
    content["predictions"][0] += 5
    path.write_text(json.dumps(content))
    with pytest.warns(UserWarning, match="differently than when it was saved"):
        fewshot.load(tmp_path)
    path.write_text("{}")
    with pytest.raises(ValueError, match="is damaged.*Train again"):
        fewshot.load(tmp_path)
    with pytest.raises(ValueError, match="There is no"):
        fewshot.load(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="is not fitted"):
        fewshot.save(fewshot.MoleculePredictor(source=""), tmp_path)
