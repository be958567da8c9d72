"""Exact Gaussian processes on matrices: evidence, gradient, prediction."""

import numpy as np
import pytest
from scipy import stats

from reprogram.predictors.gaussian_process import KernelSum
from reprogram.predictors.gaussian_process import Posterior

KINDS = [(False,), (True,), (False, True, False)]


def problem_of(gaussian, seed=1):
    """Matrices, hyperparameters and values of twelve rows."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(len(gaussian), 12, 4))
    squares = ((points[:, :, None] - points[:, None]) ** 2).sum(axis=3)
    matrices = np.where(np.array(gaussian)[:, None, None], squares, 0)
    matrices += ~np.array(gaussian)[:, None, None] * np.exp(-squares)
    theta = rng.normal(size=len(gaussian) + sum(gaussian) + 1) * 0.3
    return list(matrices), theta, rng.normal(size=12)


@pytest.mark.parametrize("gaussian", KINDS)
def test_the_loss_is_the_evidence_and_the_gradient_is_its_own(gaussian):
    matrices, theta, y = problem_of(gaussian)
    kernels = KernelSum(gaussian)
    value, slope = kernels.loss(matrices, theta, y)
    covariance = kernels.covariance(matrices, theta)
    covariance += (np.exp(theta[-1]) + 1e-6) * np.eye(12)
    density = stats.multivariate_normal(np.zeros(12), covariance).logpdf(y)
    assert value == pytest.approx(-density - 6 * np.log(2 * np.pi))
    for k, step in enumerate(np.eye(len(theta)) * 1e-5):
        ends = [kernels.loss(matrices, theta + s * step, y)[0] for s in (1, -1)]
        assert slope[k] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-3)


def test_a_start_near_the_end_leads_to_the_same_choice():
    matrices, _, y = problem_of((False, True))
    kernels = KernelSum((False, True))
    chosen = kernels.choose(matrices, y)
    again = kernels.choose(matrices, y, chosen + 0.1)
    np.testing.assert_allclose(again, chosen, atol=0.02)


def test_observations_leave_less_variance():
    matrices, theta, y = problem_of((False,))
    covariance = KernelSum((False,)).covariance(matrices, theta)
    posterior = Posterior(covariance + 1e-6 * np.eye(12), y)
    np.testing.assert_allclose(posterior.mean(covariance), y, atol=1e-3)
    variance = posterior.variance(covariance, np.diag(covariance))
    assert variance.max() < 1e-5
