"""The exact Gaussian process of molecules."""

import numpy as np
from sklearn import gaussian_process
from sklearn.gaussian_process.kernels import RBF
from sklearn.gaussian_process.kernels import ConstantKernel
from sklearn.gaussian_process.kernels import DotProduct
from sklearn.gaussian_process.kernels import WhiteKernel

from reprogram.predictors.molecules.process import Process
from reprogram.predictors.molecules.tables import Numbers


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


def test_process_with_few_rows_and_many(monkeypatch):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60, 2))
    y = x[:, 0]
    limited = Process(["x"], tuned=20, largest=40).fit({"x": x}, y)
    assert len(limited.posterior.weights) == 40
    assert np.corrcoef(limited.predict({"x": x}), y)[0, 1] > 0.95
    two = Process(["x"]).fit({"x": x[:2]}, y[:2])
    assert np.isfinite(two.predict({"x": x})).all()
