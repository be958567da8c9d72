"""A Gaussian process on a sum of kernels of molecules."""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Self

import numpy as np

from reprogram.predictors.gaussian_process import JITTER
from reprogram.predictors.gaussian_process import KernelSum
from reprogram.predictors.gaussian_process import Posterior
from reprogram.predictors.molecules.tables import Features
from reprogram.predictors.molecules.tables import Numbers
from reprogram.predictors.molecules.tables import Rows
from reprogram.predictors.molecules.tables import remembered


class Process:
    """Gaussian process regression with a sum of kernels.

    Counts of fragments have the MinMax-Tanimoto kernel. Numbers have a linear
    and a Gaussian kernel, and are clipped to the range that they have in the
    training rows. The amplitudes, the widths and the noise have the largest
    evidence times prior, on at most `tuned` random rows.

    Args:
        views: Names of the features that it reads.
        problem: `"regression"` or `"labels"`, which are regressed on as well.
        seed: Seed of the random choices of rows.
        tuned: Number of rows that the hyperparameters are chosen on.
        largest: Number of rows that are fitted, a random choice of more.

    Example:
    >>> features = {"x": np.arange(6.0)[:, None]}
    >>> model = Process(["x"]).fit(features, np.arange(6.0))
    >>> abs(model.predict(features) - np.arange(6.0)).max() < 0.5
    np.True_
    """

    def __init__(
        self,
        views: Sequence[str],
        problem: str = "regression",
        seed: int = 0,
        tuned: int = 800,
        largest: int = 6000,
    ):
        self.views, self.seed = tuple(views), seed
        self.tuned, self.largest = tuned, largest

    def fit(
        self,
        features: Features,
        y: np.ndarray,
        theta: np.ndarray | None = None,
        start: np.ndarray | None = None,
    ) -> Self:
        """Fits to training rows.

        Args:
            features: Features of the training molecules, see
                `features.compute`.
            y: Target values of the molecules `(rows,)`.
            theta: Hyperparameters of `KernelSum`; chosen if not given.
            start: Hyperparameters that the choice starts from.

        Returns:
            This process.
        """
        draw = np.random.default_rng(self.seed).permutation(len(y))
        rows = np.sort(draw[: self.largest])
        self.numbers = {
            name: Numbers(features[name][rows])
            for name in self.views
            if isinstance(features[name], np.ndarray)
        }
        gaussian: list[bool] = []
        for name in self.views:
            gaussian += [False, True] if name in self.numbers else [False]
        self.kernels = KernelSum(tuple(gaussian))
        self.train = self._read(features, rows)
        self.mean, self.scale = y[rows].mean(), y[rows].std() or 1.0
        z = (y[rows] - self.mean) / self.scale
        if theta is None:
            few = np.sort(draw[: min(self.tuned, self.largest)])
            few = np.searchsorted(rows, few)
            part = {name: table[few] for name, table in self.train.items()}
            matrices = list(self._matrices(part, part))
            theta = self.kernels.choose(matrices, z[few], start)
        self.theta = np.asarray(theta, float)
        self.noise = np.exp(self.theta[-1]) + JITTER
        covariance = self._covariance(self.train)
        covariance.flat[:: len(rows) + 1] += self.noise
        self.posterior = Posterior(covariance, z)
        return self

    def predict(self, features: Features) -> np.ndarray:
        """Returns the mean of each row `(rows,)`."""
        cross = self._covariance(self._read(features))
        return self.mean + self.scale * self.posterior.mean(cross)

    def deviation(self, features: Features) -> np.ndarray:
        """Returns the standard deviation of the value of each row `(rows,)`."""
        rows = self._read(features)
        prior = self.kernels.covariance(self._diagonals(rows), self.theta)
        variance = self.posterior.variance(self._covariance(rows), prior)
        return self.scale * np.sqrt(variance + self.noise)

    def _read(
        self, features: Features, rows: np.ndarray | None = None
    ) -> dict[str, Rows]:
        tables = remembered({name: features[name] for name in self.views})
        if rows is not None:
            tables = {name: table[rows] for name, table in tables.items()}
        for name, scaled in self.numbers.items():
            tables[name] = scaled(tables[name])
        return tables

    def _covariance(self, rows: Features) -> np.ndarray:
        matrices = self._matrices(rows, self.train)
        return self.kernels.covariance(matrices, self.theta)

    def _matrices(
        self, first: Features, second: Features
    ) -> Iterator[np.ndarray]:
        """Yields similarities; of numbers products and squared distances."""
        for name in self.views:
            a, b = first[name], second[name]
            if name not in self.numbers:
                yield a.similarity(b)
                continue
            product = a @ b.T
            square = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * product
            yield product
            yield np.maximum(square, 0)

    def _diagonals(self, rows: Features) -> Iterator[np.ndarray]:
        """Yields what `_matrices` says of each row and itself."""
        for name in self.views:
            if name not in self.numbers:
                yield np.ones(len(rows[name]))
                continue
            yield (rows[name] ** 2).sum(axis=1)
            yield np.zeros(len(rows[name]))
