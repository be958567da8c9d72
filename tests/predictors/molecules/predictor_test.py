"""The default predictor: problems, missing labels, intervals."""

import numpy as np
import pytest

from reprogram.predictors import molecules as fewshot
from reprogram.predictors.molecules import parts
from tests import commands

ROWS = commands.molecules(40)


SMILES = [row for row, _ in ROWS]


Y = np.array([value for _, value in ROWS])


FEW = (parts.DEFAULT[1], parts.DEFAULT[3])


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Two fast parts stand for all of them."""
    monkeypatch.setattr(parts, "DEFAULT", FEW)


def test_regression():
    model = fewshot.MoleculePredictor(source="").fit(SMILES[:32], Y[:32])
    found = model.predict(SMILES[32:])
    assert found.shape == (8,)
    assert np.abs(found - Y[32:]).mean() < 0.7 * np.abs(Y - Y.mean()).mean()
    judged = model.assess(SMILES[32:], 0.9)
    np.testing.assert_allclose(judged.prediction[:, 0], found)
    assert (judged.lower < judged.upper).all() and judged.sets is None
    assert judged.nearest == [SMILES[row] for row in judged.nearest_row]
    wide = model.assess(SMILES[32:], 0.96)
    assert ((wide.upper - wide.lower) > (judged.upper - judged.lower)).all()


def test_equal_seeds_give_equal_predictions():
    first, second = (
        fewshot.MoleculePredictor(source="").fit(SMILES[:24], Y[:24])
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.predict(SMILES), second.predict(SMILES))


def test_numbers_that_span_decades_are_learned_as_logarithms():
    plain = fewshot.MoleculePredictor(source="").fit(SMILES, Y)
    model = fewshot.MoleculePredictor(source="").fit(SMILES, np.exp(-Y))
    assert model.logs == [True] and plain.logs == [False]
    expected = np.exp(-plain.predict(SMILES))
    np.testing.assert_allclose(model.predict(SMILES), expected, rtol=0.05)
    judged = model.assess(SMILES)
    assert (judged.lower > 0).all() and (judged.lower < judged.upper).all()


def test_two_classes_by_name():
    names = np.where(np.median(Y) < Y, "long", "short")
    model = fewshot.MoleculePredictor(source="").fit(SMILES, names)
    assert model.labels.classes == ("long", "short")
    p = model.predict(SMILES)
    assert p.shape == (40,) and ((p > 0) & (p < 1)).all()
    assert ((p > 0.5) == (names == "short")).mean() > 0.8
    assert model.assess(SMILES[:3]).sets.shape == (3, 1, 2)


def test_three_classes():
    names = np.digitize(Y, np.quantile(Y, [0.33, 0.67])).astype(str)
    model = fewshot.MoleculePredictor(source="").fit(SMILES, names)
    p = model.predict(SMILES)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert model.assess(SMILES[:3]).sets.shape == (3, 3)


def test_missing_labels_are_not_zeros():
    columns = np.stack([Y > 6, Y > 8], axis=1).astype(float)
    hidden = columns.copy()
    hidden[::2, 0] = np.nan
    model = fewshot.MoleculePredictor(source="").fit(SMILES, hidden)
    assert model.problem == "multilabel"
    alone = fewshot.MoleculePredictor("multilabel", source="")
    alone.fit(SMILES[1::2], columns[1::2, :1])
    np.testing.assert_allclose(
        model.predict(SMILES)[:, 0], alone.predict(SMILES)[:, 0], rtol=1e-6
    )


def test_says_what_carried_it():
    model = fewshot.MoleculePredictor(source="").fit(SMILES, Y)
    (column,) = model.carried()
    assert set(column) == {part.name for part in FEW}
    assert sum(row["share"] for row in column.values()) == pytest.approx(1)
    shares = [row["share"] for row in column.values()]
    assert shares == sorted(shares, reverse=True)


def test_refuses():
    model = fewshot.MoleculePredictor(source="")
    with pytest.raises(ValueError, match="must be one of regression"):
        fewshot.MoleculePredictor("ranking")
    with pytest.raises(ValueError, match="Not a valid SMILES: 'C1CC'"):
        model.fit(["CCO", "C1CC"], [1.0, 2.0])
    model.fit(SMILES, Y)
    with pytest.raises(ValueError, match="Not a valid SMILES: 'xyz'"):
        model.predict(["xyz"])


def test_a_single_positive_label_in_a_fold():
    y = (np.arange(32) == 4) | (np.arange(32) == 20)
    model = fewshot.MoleculePredictor(source="").fit(SMILES[:32], y.astype(int))
    assert np.isfinite(model.predict(SMILES)).all()
