"""Exact Gaussian processes on kernels that are given as matrices."""

import dataclasses
import functools
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
from scipy import linalg
from scipy import optimize

# Natural logarithms of hyperparameters: what they are likely to be, and how
# sure that is. Few labels do not determine them.
WIDTH, NOISE, AMPLITUDE_SPREAD = (0.0, 1.0), (np.log(0.2), 1.5), 2.0
JITTER = 1e-6


class Posterior:
    """The posterior of a Gaussian process.

    Args:
        covariance: Covariance of the observations, their noise included,
            `(rows, rows)`.
        target: The observed values `(rows,)`, whose prior mean is 0.

    Example:
    >>> posterior = Posterior(2 * np.eye(2), np.array([1.0, -1.0]))
    >>> posterior.mean(np.eye(2)).round(2).tolist()
    [0.5, -0.5]
    >>> posterior.variance(np.eye(2), np.ones(2)).round(2).tolist()
    [0.5, 0.5]

    Reference: Rasmussen and Williams, Gaussian Processes for Machine
    Learning, 2006.
    """

    def __init__(self, covariance: np.ndarray, target: np.ndarray):
        self.target = target
        self.factor = linalg.cholesky(
            covariance, lower=True, check_finite=False
        )
        self.weights = linalg.cho_solve(
            (self.factor, True), target, check_finite=False
        )

    def mean(self, cross: np.ndarray) -> np.ndarray:
        """Returns the means of rows with these covariances `(new, rows)`."""
        return cross @ self.weights

    def variance(self, cross: np.ndarray, prior: np.ndarray) -> np.ndarray:
        """Returns the variances of rows, given those without observations."""
        half = linalg.solve_triangular(
            self.factor, cross.T, lower=True, check_finite=False
        )
        return np.maximum(prior - (half**2).sum(axis=0), 0)

    def evidence(self) -> tuple[float, float]:
        """Returns `target' C^-1 target` and `log |C|` of the covariance."""
        determinant = 2 * np.log(np.diag(self.factor)).sum()
        return self.target @ self.weights, determinant


@dataclasses.dataclass(frozen=True)
class KernelSum:
    """A weighted sum of kernels, and the choice of its hyperparameters.

    The hyperparameters `theta` are natural logarithms: for each kernel its
    amplitude, and behind it the width of a Gaussian one; at last the noise.

    Args:
        gaussian: For each kernel, whether its matrices hold squared
            distances that a Gaussian kernel is made of; the others are
            kernels as they are.

    Example:
    >>> sums = KernelSum((False, True))
    >>> theta = np.log([2.0, 1.0, 0.5, 0.1])
    >>> sums.covariance([np.eye(2), 1 - np.eye(2)], theta).round(2).tolist()
    [[3.0, 0.14], [0.14, 3.0]]
    """

    gaussian: tuple[bool, ...]

    def covariance(
        self, matrices: Iterable[np.ndarray], theta: np.ndarray
    ) -> np.ndarray:
        """Returns the sum without noise, in the shape of the matrices."""
        return _sum(term for term, _ in self._terms(matrices, theta))

    def _terms(
        self, matrices: Iterable[np.ndarray], theta: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """Yields each term, and the squares over its width if it has one."""
        place = 0
        for gaussian, matrix in zip(self.gaussian, matrices, strict=True):
            amplitude, place = np.exp(theta[place]), place + 1
            if not gaussian:
                yield amplitude * matrix, None
                continue
            squares = matrix * np.exp(-2 * theta[place])
            place += 1
            yield amplitude * np.exp(-0.5 * squares), squares

    def choose(
        self,
        matrices: Sequence[np.ndarray],
        target: np.ndarray,
        start: np.ndarray | None = None,
    ) -> np.ndarray:
        """Finds hyperparameters of the largest evidence times prior.

        Args:
            matrices: One for each kernel `(rows, rows)`.
            target: Values of mean 0 and variance 1 `(rows,)`.
            start: Hyperparameters that the search starts from; those that
                are likeliest without labels by default.

        Returns:
            The hyperparameters `(number,)`.
        """
        amplitude = -np.log(len(self.gaussian)), AMPLITUDE_SPREAD
        prior = []
        for gaussian in self.gaussian:
            prior += [amplitude, WIDTH] if gaussian else [amplitude]
        middle, spread = np.array([*prior, NOISE]).T

        def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = self.loss(matrices, theta, target)
            off = (theta - middle) / spread
            return value + 0.5 * off @ off, slope + off / spread

        return optimize.minimize(
            loss,
            middle if start is None else start,
            jac=True,
            bounds=[(-9.0, 6.0)] * len(middle),
            options={"maxiter": 60},
        ).x

    def loss(
        self,
        matrices: Sequence[np.ndarray],
        theta: np.ndarray,
        target: np.ndarray,
    ) -> tuple[float, np.ndarray]:
        """Returns the negative logarithm of the evidence and its gradient."""
        terms = list(self._terms(matrices, theta))
        noise = np.exp(theta[-1])
        covariance = _sum(term for term, _ in terms)
        covariance.flat[:: len(target) + 1] += noise + JITTER
        posterior = Posterior(covariance, target)
        inverse, _ = linalg.lapack.dpotri(posterior.factor, lower=True)
        slope = np.tril(inverse) + np.tril(inverse, -1).T
        slope -= np.outer(posterior.weights, posterior.weights)
        gradient = []
        for term, squares in terms:
            gradient.append(0.5 * np.vdot(slope, term))
            if squares is not None:
                gradient.append(0.5 * np.vdot(slope, term * squares))
        gradient.append(0.5 * np.trace(slope) * noise)
        return 0.5 * sum(posterior.evidence()), np.array(gradient)


def _sum(terms: Iterable[np.ndarray]) -> np.ndarray:
    return functools.reduce(np.add, terms, np.zeros(()))
