"""Unfolded counts, the MinMax kernel, and the exact Gaussian process."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse
from sklearn import gaussian_process
from sklearn.gaussian_process.kernels import RBF
from sklearn.gaussian_process.kernels import ConstantKernel
from sklearn.gaussian_process.kernels import DotProduct
from sklearn.gaussian_process.kernels import WhiteKernel

from reprogram.molecules import fingerprints
from reprogram.molecules import similarity
from reprogram.molecules.featurizers import count_fingerprints
from reprogram.predictors.molecules import features
from reprogram.predictors.molecules import tables
from reprogram.predictors.molecules.process import Process
from reprogram.predictors.molecules.tables import Numbers

SMILES = ["CCO", "c1ccccc1O", "C" * 40 + "C(=O)O", "[Na+].[Cl-]", "CC(N)C(=O)O"]
COUNTS = arrays.arrays("float32", (4, 6), elements=st.integers(0, 9).map(float))


@settings(deadline=None, max_examples=30)
@given(COUNTS, COUNTS)
def test_kernel_is_minima_over_maxima(first, second):
    found = similarity.minmax_kernel(
        sparse.csr_matrix(first), sparse.csr_matrix(second)
    )
    low = np.minimum(first[:, None], second[None]).sum(axis=2)
    high = np.maximum(first[:, None], second[None]).sum(axis=2)
    expected = np.where(high > 0, low / np.where(high > 0, high, 1), 1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@settings(deadline=None, max_examples=20)
@given(COUNTS)
def test_kernel_is_a_kernel(counts):
    found = similarity.minmax_kernel(sparse.csr_matrix(counts))
    np.testing.assert_allclose(found, found.T)
    np.testing.assert_allclose(np.diag(found), 1)
    assert np.linalg.eigvalsh(found).min() > -1e-9


def test_kernel_in_chunks(monkeypatch):
    counts = fingerprints.unfolded_counts(SMILES)
    whole = similarity.minmax_kernel(counts)
    monkeypatch.setattr(similarity, "CHUNK", 2)
    np.testing.assert_array_equal(similarity.minmax_kernel(counts), whole)


def test_folding_gives_the_folded_fingerprint():
    counts = fingerprints.unfolded_counts(SMILES)
    np.testing.assert_array_equal(
        tables.folded(counts), count_fingerprints(SMILES)
    )
    assert tables.folded(counts, 64).sum() == counts.sum()


@pytest.mark.parametrize("kind", fingerprints.GENERATORS)
def test_counts_of_each_kind(kind):
    found = fingerprints.unfolded_counts([*SMILES, "OCC"], kind)
    assert found.shape == (6, fingerprints.COLUMNS)
    assert (found[0] != found[5]).nnz == 0
    assert fingerprints.unfolded_counts([], kind).shape[0] == 0


def test_counts_refuse():
    with pytest.raises(ValueError, match="must be one of ecfp4"):
        fingerprints.unfolded_counts(["C"], "maccs")
    with pytest.raises(ValueError, match="Not a valid SMILES: 'C1CC'"):
        fingerprints.unfolded_counts(["C1CC"])


def test_process_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 3)).astype("float32")
    y = np.sin(x[:, 0]) + x[:, 1]
    new = rng.uniform(x.min(axis=0), x.max(axis=0), (9, 3)).astype("float32")
    model = Process(["x"])
    model.fit({"x": x}, y, np.log([0.4, 0.7, 1.3, 0.05]))
    # Width 1.3 in the mean over three scaled columns.
    kernel = ConstantKernel(0.7) * RBF(1.3) + WhiteKernel(0.05 + 1e-6)
    kernel += ConstantKernel(0.4) * DotProduct(1e-6)
    peer = gaussian_process.GaussianProcessRegressor(
        kernel, optimizer=None, normalize_y=True
    )
    scaled = [Numbers(x)(rows) for rows in (x, new)]
    peer.fit(scaled[0], y)
    mean, deviation = peer.predict(scaled[1], return_std=True)
    np.testing.assert_allclose(model.predict({"x": new}), mean, rtol=1e-4)
    np.testing.assert_allclose(
        model.deviation({"x": new}), deviation, rtol=1e-4
    )


def test_gradient_of_the_evidence():
    rng = np.random.default_rng(1)
    table = {"x": rng.normal(size=(12, 4)), "ecfp4": _counts(rng, 12)}
    y = rng.normal(size=12)
    model = Process(["ecfp4", "x"]).fit(table, y)
    matrices = list(model._matrices(model.train, model.train))
    theta = rng.normal(size=len(model.theta)) * 0.3
    _, slope = model.kernels.loss(matrices, theta, y)
    for k, step in enumerate(np.eye(len(theta)) * 1e-5):
        ends = [
            model.kernels.loss(matrices, theta + s * step, y)[0]
            for s in (1, -1)
        ]
        assert slope[k] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-3)


def _counts(rng: np.random.Generator, rows: int) -> sparse.csr_matrix:
    return sparse.csr_matrix(rng.integers(0, 4, (rows, 9)).astype("float32"))


def test_process_with_few_rows_and_many(monkeypatch):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60, 2))
    y = x[:, 0]
    limited = Process(["x"], tuned=20, largest=40).fit({"x": x}, y)
    assert len(limited.posterior.weights) == 40
    assert np.corrcoef(limited.predict({"x": x}), y)[0, 1] > 0.95
    two = Process(["x"]).fit({"x": x[:2]}, y[:2])
    assert np.isfinite(two.predict({"x": x})).all()


def test_numbers_ignore_what_is_missing_or_constant():
    table = np.array([[1.0, 5.0, np.nan], [3.0, 5.0, 2.0], [5.0, 5.0, 4.0]])
    numbers = Numbers(table)
    found = numbers(np.array([[99.0, 7.0, np.nan]]))
    assert found.shape == (1, 2) and found[0, 1] == 0
    assert found[0, 0] == numbers(table)[2, 0]  # clipped to the training range


def test_source_features(tmp_path):
    rows = ["CCO", "CC(N)C(=O)[O-].[Na+]", "C" * 300]
    found = features.compute(rows, ["source", "answers"], "zinc-autoencoder")
    assert np.isfinite(found["source"][:2]).all()
    assert np.isnan(found["source"][2]).all()
    assert found["answers"].shape == (3, 199)
    random = features.compute(
        rows[:1], ["source"], "zinc-autoencoder", random=3
    )
    assert 0 < np.abs(random["source"][0] - found["source"][0]).max() < 5


def test_features_are_kept(tmp_path, monkeypatch):
    first = features.compute(["CCO"], ["descriptors"], cache=tmp_path)
    monkeypatch.setattr(features.featurizers, "descriptors", None)
    again = features.compute(["CCO"], ["descriptors"], cache=tmp_path)
    np.testing.assert_array_equal(first["descriptors"], again["descriptors"])


def test_pictures_for_image_sources():
    found = features.compute(["CCO", "c1ccccc1"], ["source"], "shapes")
    assert found["source"].shape[0] == 2
    assert np.isfinite(found["source"]).all()
    with pytest.raises(ValueError, match="reads series inputs"):
        features.compute(["CCO"], ["source"], "waves")
