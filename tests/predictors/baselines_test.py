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
from reprogram.predictors import baselines
from reprogram.predictors.baselines import Baseline
from reprogram.predictors.baselines import fit_predict
from reprogram.predictors.classical import CountTanimoto

SMILES = ["CCO", "CCN", "c1ccccc1O", "c1ccncc1", "CC(=O)Nc1ccccc1", "CCCCCCCC"]
GP = Baseline("gp", "ecfp4", baselines.gaussian_process)
FOREST = Baseline("forest", "raw", baselines.forest)
NEAREST = Baseline("nearest", "raw", baselines.nearest_neighbor)
LEARNERS = [baselines.PROBE, GP, FOREST, NEAREST]
by_name = {"argvalues": LEARNERS, "ids": lambda baseline: baseline.name}

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
    table = baselines.features("ecfp4", np.array(SMILES, object))
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
@pytest.mark.parametrize("baseline", **by_name)
def test_every_learner_beats_the_trivial_answer(baseline, problem):
    x, y = problem_of(problem)
    train, test = (x[:40], y[:40]), x[40:]
    columns = 3 if problem == "classification" else 2
    name, sign = HEADLINE[problem]
    scores = []
    for which in (baseline, baselines.MEAN):
        found, _ = fit_predict(which, problem, train, test, 0, columns)
        assert found.shape == (20, columns)
        if problem != "regression":
            assert found.min() >= 0 and found.max() <= 1
        if problem == "classification":
            np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
        scores.append(dict(metrics.evaluate(problem, y[40:], found))[name])
    assert sign * scores[0] > sign * scores[1] + 0.05


@pytest.mark.parametrize("baseline", **by_name)
def test_a_class_that_was_not_drawn_gets_no_probability(baseline):
    x, y = problem_of("classification")
    drawn = y != 1
    found, _ = fit_predict(
        baseline, "classification", (x[drawn], y[drawn]), x, 0, 3
    )
    assert found.shape == (60, 3)
    assert (found[:, 1] == 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


def test_one_drawn_class_is_the_answer():
    x, y = problem_of("classification")
    train = x[y == 2], y[y == 2]
    found, count = fit_predict(
        baselines.PROBE, "classification", train, x, 0, 3
    )
    assert (found == [0, 0, 1]).all() and count == 0


@pytest.mark.parametrize("problem", ["regression", "multilabel"])
def test_missing_targets_are_left_out(problem):
    x, y = problem_of(problem)
    gaps = y.copy()
    gaps[::3, 0] = np.nan
    rows = np.isfinite(gaps[:, 0])
    found, _ = fit_predict(baselines.PROBE, problem, (x, gaps), x, 0, 2)
    alone, _ = fit_predict(
        baselines.PROBE, problem, (x[rows], y[rows, :1]), x, 0, 1
    )
    np.testing.assert_array_equal(found[:, :1], alone)
    full, _ = fit_predict(baselines.PROBE, problem, (x, y[:, 1:]), x, 0, 1)
    np.testing.assert_array_equal(found[:, 1:], full)


@pytest.mark.parametrize("problem", ["regression", "multilabel"])
def test_columns_without_a_difference_are_constants(problem):
    x, y = problem_of(problem)
    y = np.stack([np.full(60, np.nan), np.ones(60), y[:, 0]], axis=1)
    found, _ = fit_predict(NEAREST, problem, (x, y), x, 0, 3)
    assert (found[:, 0] == 0).all() and (found[:, 1] == 1).all()
    np.testing.assert_array_equal(found[:, 2], y[:, 2])


def test_the_probe_copes_with_a_single_sample_of_a_class():
    x, y = problem_of("multilabel")
    rare = np.zeros((60, 1))
    rare[7] = 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, _ = fit_predict(
            baselines.PROBE, "multilabel", (x, rare), x, 0, 1
        )
    assert found.argmax() == 7


@pytest.mark.parametrize("baseline", **by_name)
def test_equal_seeds_give_equal_answers(baseline):
    x, y = problem_of("regression", 30)
    pair = [
        fit_predict(baseline, "regression", (x, y), x, 3, 2)[0]
        for _ in range(2)
    ]
    np.testing.assert_allclose(*pair, rtol=1e-12)


def count(baseline, problem):
    x, y = problem_of(problem)
    columns = 3 if problem == "classification" else 2
    return fit_predict(baseline, problem, (x, y), x, 0, columns)[1]


def test_fitted_values_count_what_fitting_sets():
    assert count(baselines.MEAN, "regression") == 2 * 1
    assert count(baselines.MAJORITY, "classification") == 3
    assert count(baselines.PROBE, "regression") == 2 * (8 + 1)
    assert count(baselines.PROBE, "classification") == 3 * 8 + 3
    assert count(GP, "regression") == 2 * (60 + 2)
    assert count(GP, "classification") == 3 * (60 + 1)
    assert count(NEAREST, "regression") == 2 * 60
    assert count(FOREST, "regression") > 2 * 300 * 10


def test_features_of_each_kind():
    smiles = np.array(SMILES, object)
    assert baselines.features("none", smiles).shape == (6, 1)
    images = np.ones((4, 5, 5, 2), "uint8")
    raw = baselines.features("raw", images)
    assert raw.shape == (4, 50) and raw.dtype == np.float32
    assert baselines.features("ecfp4", smiles).shape == (6, 2048)
    table = baselines.features(
        "descriptors", np.array(["[Na+]", "CCO"], object)
    )
    assert np.isfinite(table).all() and np.abs(table).max() <= 1e30


def test_every_modality_has_its_probe_and_its_own_baselines():
    assert set(baselines.BASELINES) == {"molecule", "image", "series"}
    for modality, entries in baselines.BASELINES.items():
        assert entries[0] is baselines.PROBE
        names = [entry.name for entry in entries]
        assert len(set(names)) == len(names) >= 3
        kinds = {
            "molecule": {"source", "ecfp4", "descriptors"},
            "image": {"source", "raw"},
            "series": {"source", "raw", "series"},
        }[modality]
        fixed = [e for e in entries if isinstance(e, Baseline)]
        assert {entry.features for entry in fixed} == kinds
        tuned = [e.name for e in entries if not isinstance(e, Baseline)]
        assert tuned == (
            [] if modality == "molecule" else ["LoRA", "fine-tuning"]
        )
