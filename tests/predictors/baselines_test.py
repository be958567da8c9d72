"""Baselines: the kernel, what each learns, and gaps in the targets."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from rdkit import Chem
from rdkit import DataStructs
from rdkit.Chem import rdFingerprintGenerator

from reprogram import metrics
from reprogram import predictors
from reprogram.predictors import baselines
from reprogram.predictors import features
from reprogram.predictors.baselines import BaselinePredictor
from reprogram.predictors.classical import CountTanimoto
from reprogram.predictors.data import Data

SMILES = ["CCO", "CCN", "c1ccccc1O", "c1ccncc1", "CC(=O)Nc1ccccc1", "CCCCCCCC"]
LEARNERS = ["probe", "gaussian-process", "forest", "nearest-neighbor"]
by_name = pytest.mark.parametrize("key", LEARNERS)


def fit_predict(key, problem, train, test, seed, count):
    model = BaselinePredictor(key, seed)
    model.fit_table(problem, count, *train)
    return model.predict_table(test), model.parameters


counts = arrays.arrays(
    np.float32, (4, 5), elements=st.integers(0, 4).map(float)
)


def tanimoto(a, b):
    total = float(np.maximum(a, b).sum())
    return float(np.minimum(a, b).sum()) / total if total else 1.0


@settings(deadline=None, derandomize=True, max_examples=30)
@given(counts, counts)
def test_the_kernel_is_the_tanimoto_of_each_pair(left, right):
    expected = [[tanimoto(a, b) for b in right] for a in left]
    kernel = CountTanimoto()
    np.testing.assert_allclose(kernel(left, right), expected, rtol=1e-12)
    square, slope = kernel(left, eval_gradient=True)
    np.testing.assert_array_equal(square, kernel(left, left))
    np.testing.assert_array_equal(np.diag(square), kernel.diag(left))
    np.testing.assert_array_equal(square, square.T)
    assert slope.shape == (4, 4, 0)
    assert np.linalg.eigvalsh(square).min() > -1e-9


def test_the_kernel_agrees_with_rdkit():
    table = features.compute("ecfp4", np.array(SMILES, object))
    generator = rdFingerprintGenerator.GetMorganGenerator(2, fpSize=2048)
    prints = [
        generator.GetCountFingerprint(Chem.MolFromSmiles(s)) for s in SMILES
    ]
    expected = [DataStructs.BulkTanimotoSimilarity(p, prints) for p in prints]
    np.testing.assert_allclose(CountTanimoto()(table), expected, rtol=1e-12)


def problem_of(kind, samples=60, seed=0):
    """Count vectors whose first columns decide."""
    rng = np.random.default_rng(seed)
    x = rng.poisson(2.0, (samples, 8)).astype("float32")
    score = x[:, 0] - x[:, 1] + 0.1 * rng.normal(size=samples)
    if kind == "regression":
        return x, np.stack([score, -2 * score], axis=1)
    if kind == "multilabel":
        return x, np.stack([score > 0, score < -1], axis=1).astype("float32")
    return x, np.digitize(score, [-1.0, 1.0])


HEADLINE = {
    "regression": ("rmse", -1),
    "multilabel": ("roc_auc", 1),
    "classification": ("roc_auc", 1),
}


@pytest.mark.parametrize("problem", HEADLINE)
@by_name
def test_every_learner_beats_the_trivial_answer(key, problem):
    x, y = problem_of(problem)
    train, test = (x[:40], y[:40]), x[40:]
    columns = 3 if problem == "classification" else 2
    name, sign = HEADLINE[problem]
    scores = []
    for which in (key, "trivial"):
        found, _ = fit_predict(which, problem, train, test, 0, columns)
        assert found.shape == (20, columns)
        if problem != "regression":
            assert found.min() >= 0 and found.max() <= 1
        if problem == "classification":
            np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
        scores.append(dict(metrics.evaluate(problem, y[40:], found))[name])
    assert sign * scores[0] > sign * scores[1] + 0.05


@by_name
def test_a_class_that_was_not_drawn_gets_no_probability(key):
    x, y = problem_of("classification")
    drawn = y != 1
    found, _ = fit_predict(key, "classification", (x[drawn], y[drawn]), x, 0, 3)
    assert found.shape == (60, 3)
    assert (found[:, 1] == 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


def test_one_drawn_class_is_the_answer():
    x, y = problem_of("classification")
    train = x[y == 2], y[y == 2]
    found, count = fit_predict("probe", "classification", train, x, 0, 3)
    assert (found == [0, 0, 1]).all() and count == 0


@pytest.mark.parametrize("problem", ["regression", "multilabel"])
def test_missing_targets_are_left_out(problem):
    x, y = problem_of(problem)
    gaps = y.copy()
    gaps[::3, 0] = np.nan
    rows = np.isfinite(gaps[:, 0])
    found, _ = fit_predict("probe", problem, (x, gaps), x, 0, 2)
    alone, _ = fit_predict("probe", problem, (x[rows], y[rows, :1]), x, 0, 1)
    np.testing.assert_array_equal(found[:, :1], alone)
    full, _ = fit_predict("probe", problem, (x, y[:, 1:]), x, 0, 1)
    np.testing.assert_array_equal(found[:, 1:], full)


@pytest.mark.parametrize("problem", ["regression", "multilabel"])
def test_columns_without_a_difference_are_constants(problem):
    x, y = problem_of(problem)
    y = np.stack([np.full(60, np.nan), np.ones(60), y[:, 0]], axis=1)
    found, _ = fit_predict("nearest-neighbor", problem, (x, y), x, 0, 3)
    assert (found[:, 0] == 0).all() and (found[:, 1] == 1).all()
    np.testing.assert_array_equal(found[:, 2], y[:, 2])


def test_the_probe_copes_with_a_single_sample_of_a_class():
    x, y = problem_of("multilabel")
    rare = np.zeros((60, 1))
    rare[7] = 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, _ = fit_predict("probe", "multilabel", (x, rare), x, 0, 1)
    assert found.argmax() == 7


@by_name
def test_equal_seeds_give_equal_answers(key):
    x, y = problem_of("regression", 30)
    pair = [
        fit_predict(key, "regression", (x, y), x, 3, 2)[0] for _ in range(2)
    ]
    np.testing.assert_allclose(*pair, rtol=1e-12)


def count(key, problem):
    x, y = problem_of(problem)
    columns = 3 if problem == "classification" else 2
    return fit_predict(key, problem, (x, y), x, 0, columns)[1]


def test_fitted_values_count_what_fitting_sets():
    assert count("trivial", "regression") == 2 * 1
    assert count("trivial", "classification") == 3
    assert count("probe", "regression") == 2 * (8 + 1)
    assert count("probe", "classification") == 3 * 8 + 3
    assert count("gaussian-process", "regression") == 2 * (60 + 2)
    assert count("gaussian-process", "classification") == 3 * (60 + 1)
    assert count("nearest-neighbor", "regression") == 2 * 60
    assert count("forest", "regression") > 2 * 300 * 10


def test_features_of_each_kind():
    smiles = np.array(SMILES, object)
    assert features.compute("none", smiles).shape == (6, 1)
    images = np.ones((4, 5, 5, 2), "uint8")
    raw = features.compute("raw", images)
    assert raw.shape == (4, 50) and raw.dtype == np.float32
    assert features.compute("ecfp4", smiles).shape == (6, 2048)
    table = features.compute("descriptors", np.array(["[Na+]", "CCO"], object))
    assert table.shape[0] == 2


@pytest.mark.parametrize("key", ["gaussian-process", "forest-descriptors"])
def test_a_saved_baseline_predicts_the_same(key, tmp_path):
    smiles = np.array(SMILES, object)
    targets = np.arange(6.0)[:, None]
    data = Data(smiles, targets, "regression", "molecule", ("y",))
    model = BaselinePredictor(key, 3).fit(data, np.arange(4), np.arange(4, 6))
    model.save(tmp_path)
    again = BaselinePredictor.load(tmp_path, features.Features(None, smiles))
    np.testing.assert_allclose(
        again.predict(smiles), model.predict(smiles), rtol=1e-9
    )
    assert again.name == model.name


def test_the_trivial_model_is_named_after_the_problem():
    x, y = problem_of("classification")
    model = BaselinePredictor("trivial")
    assert model.name == "mean predictor"
    assert model.fit_table("classification", 3, x, y).name == "majority class"


def test_every_baseline_is_a_predictor_of_its_own_name():
    assert set(baselines.BASELINES) < set(predictors.PREDICTORS)
    names = [entry.name for entry in baselines.BASELINES.values()]
    assert len(set(names)) == len(names)
