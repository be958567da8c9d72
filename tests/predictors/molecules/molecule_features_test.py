"""Views of molecules: cached, of sources, on a local Dask cluster."""

import joblib
import numpy as np
import pytest

from reprogram.predictors.molecules import features
from tests import commands


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


def test_chemistry_beside_a_source_uses_the_backend_of_the_caller(monkeypatch):
    engines = {}

    def view(name, *_):
        engines[name] = type(joblib.parallel.get_active_backend()[0]).__name__
        return np.zeros((1, 1))

    monkeypatch.setattr(features, "_view", view)
    with joblib.parallel_config("threading"):
        features.compute(["C"], ["ecfp4", "source"], "none", jobs=2)
    assert engines["ecfp4"] == "ThreadingBackend"


def test_features_on_dask():
    distributed = pytest.importorskip(
        "distributed", reason="needs Dask: pip install distributed"
    )
    smiles = [row for row, _ in commands.molecules(40)] * 7
    views = ["ecfp4", "descriptors"]
    with (
        distributed.LocalCluster(
            1, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        spread = features.compute(smiles, views, jobs=-1)
    alone = features.compute(smiles, views, jobs=1)
    assert (spread["ecfp4"] != alone["ecfp4"]).nnz == 0
    np.testing.assert_array_equal(spread["descriptors"], alone["descriptors"])
