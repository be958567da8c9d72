"""Features on a local Dask cluster are those of one process."""

import joblib
import numpy as np
import pytest

from reprogram.predictors.molecules import features
from tests import commands

distributed = pytest.importorskip(
    "distributed", reason="needs Dask: pip install distributed"
)


def test_features_on_dask():
    smiles = [row for row, _ in commands.molecules(40)] * 30
    views = ["ecfp4", "descriptors"]
    with (
        distributed.LocalCluster(
            2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        spread = features.compute(smiles, views, jobs=-1)
    alone = features.compute(smiles, views, jobs=1)
    assert (spread["ecfp4"] != alone["ecfp4"]).nnz == 0
    np.testing.assert_array_equal(spread["descriptors"], alone["descriptors"])
