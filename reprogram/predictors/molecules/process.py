"""An exact Gaussian process on a sum of kernels of molecules."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
from scipy import linalg
from scipy import optimize

from reprogram.predictors.molecules.features import Rows
from reprogram.predictors.molecules.features import remembered
from reprogram.predictors.molecules.scaling import Numbers

# Natural logarithms: what the hyperparameters are likely to be, and how sure
# that is. Few labels do not determine them.
_SCALE, _SCALE_WIDTH = 0.0, 1.0
_NOISE, _NOISE_WIDTH = np.log(0.2), 1.5
_AMPLITUDE_WIDTH = 2.0
_JITTER = 1e-6


class Process:
    """Gaussian process regression with a sum of kernels.

    Counts of fragments have the MinMax-Tanimoto kernel. Numbers have a
    Gaussian and a linear kernel, and are clipped to the range that they have
    in the training rows. The amplitudes, the widths and the noise have the
    largest evidence times prior, on at most `tuned` random rows.

    Args:
        views: Names of the features that it reads.
        linear: Whether numbers have the linear kernel as well.
        tuned: Rows to choose the hyperparameters on.
        largest: Rows to fit to; if there are more, a random choice of them.
        seed: Seed of both choices.

    Example:
    >>> features = {"x": np.arange(6.0)[:, None]}
    >>> model = Process(["x"]).fit(features, np.arange(6.0))
    >>> abs(model.predict(features) - np.arange(6.0)).max() < 0.5
    np.True_

    Reference: Rasmussen and Williams, Gaussian Processes for Machine
    Learning, 2006.
    """

    def __init__(
        self,
        views: Sequence[str],
        linear: bool = True,
        tuned: int = 800,
        largest: int = 6000,
        seed: int = 0,
    ):
        self.views, self.linear = tuple(views), linear
        self.tuned, self.largest, self.seed = tuned, largest, seed

    def fit(
        self,
        features: Mapping[str, Rows],
        y: np.ndarray,
        theta: np.ndarray | None = None,
        start: np.ndarray | None = None,
    ) -> "Process":
        """Fits to training rows.

        Args:
            features: Of the training molecules, see `features.compute`.
            y: Their values `(rows,)`.
            theta: Logarithms of the hyperparameters, to choose none.
            start: Logarithms that the choice starts from.

        Returns:
            Itself.
        """
        draw = np.random.default_rng(self.seed).permutation(len(y))
        rows = np.sort(draw[: self.largest])
        self.numbers = {
            name: Numbers(features[name][rows])
            for name in self.views
            if isinstance(features[name], np.ndarray)
        }
        self.train = self._read(features, rows)
        self.mean, self.scale = y[rows].mean(), y[rows].std() or 1.0
        z = (y[rows] - self.mean) / self.scale
        if theta is None:
            few = np.sort(draw[: min(self.tuned, self.largest)])
            theta = self._choose(np.searchsorted(rows, few), z, start)
        self.theta = np.asarray(theta, float)
        covariance = self._sum(self.train, self.train)
        covariance.flat[:: len(rows) + 1] += self._noise()
        self.factor = linalg.cho_factor(covariance, True, True, False)
        self.weights = linalg.cho_solve(self.factor, z)
        return self

    def predict(self, features: Mapping[str, Rows]) -> np.ndarray:
        """Returns the mean of each row `(rows,)`."""
        cross = self._sum(self._read(features), self.train)
        return self.mean + self.scale * cross @ self.weights

    def deviation(self, features: Mapping[str, Rows]) -> np.ndarray:
        """Returns the standard deviation of the value of each row `(rows,)`."""
        rows = self._read(features)
        cross = self._sum(rows, self.train)
        half = linalg.solve_triangular(self.factor[0], cross.T, lower=True)
        prior = self._diagonal(rows)
        variance = np.maximum(prior - (half**2).sum(axis=0), 0)
        return self.scale * np.sqrt(variance + self._noise())

    def _read(
        self, features: Mapping[str, Rows], rows: np.ndarray | None = None
    ) -> dict[str, Rows]:
        found = {}
        own = remembered({name: features[name] for name in self.views})
        for name, table in own.items():
            table = table if rows is None else table[rows]
            known = self.numbers.get(name)
            found[name] = table if known is None else known(table)
        return found

    def _kernels(
        self, first: Mapping[str, Rows], second: Mapping[str, Rows]
    ) -> Iterator[np.ndarray]:
        """Yields similarities; of numbers products and squared distances."""
        for name in self.views:
            a, b = first[name], second[name]
            if name not in self.numbers:
                yield a.similarity(b)
                continue
            product = a @ b.T
            square = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * product
            if self.linear:
                yield product
            yield np.maximum(square, 0)

    def _kinds(self) -> list[str]:
        kinds = []
        for name in self.views:
            if name not in self.numbers:
                kinds.append("similarity")
                continue
            kinds += ["linear"] * self.linear + ["gaussian"]
        return kinds

    def _terms(self, kernels: list, theta: np.ndarray) -> list[np.ndarray]:
        place, terms = 0, []
        for kind, kernel in zip(self._kinds(), kernels, strict=True):
            amplitude, place = np.exp(theta[place]), place + 1
            if kind == "gaussian":
                square = kernel * np.exp(-2 * theta[place])
                terms.append(amplitude * np.exp(-0.5 * square))
                terms.append(terms[-1] * square)
                place += 1
            else:
                terms.append(amplitude * kernel)
        return terms

    def _sum(self, first: Mapping, second: Mapping) -> np.ndarray:
        place, total = 0, 0.0
        for kind, kernel in zip(self._kinds(), self._kernels(first, second)):
            amplitude, place = np.exp(self.theta[place]), place + 1
            if kind == "gaussian":
                kernel = np.exp(-0.5 * kernel * np.exp(-2 * self.theta[place]))
                place += 1
            total += amplitude * kernel
        return total

    def _diagonal(self, rows: Mapping[str, Rows]) -> np.ndarray:
        place, total = 0, 0.0
        for name in self.views:
            if name in self.numbers and self.linear:
                norm = (rows[name] ** 2).sum(axis=1)
                total, place = (
                    total + np.exp(self.theta[place]) * norm,
                    place + 1,
                )
            total = total + np.exp(self.theta[place])
            place += 1 + (name in self.numbers)
        return total

    def _noise(self) -> float:
        return np.exp(self.theta[-1]) + _JITTER

    def _choose(
        self, rows: np.ndarray, z: np.ndarray, start: np.ndarray | None
    ) -> np.ndarray:
        part = {name: table[rows] for name, table in self.train.items()}
        kernels, z = list(self._kernels(part, part)), z[rows]
        kinds = self._kinds()
        guess = []
        for kind in kinds:
            guess.append((-np.log(len(kinds)), _AMPLITUDE_WIDTH))
            if kind == "gaussian":
                guess.append((_SCALE, _SCALE_WIDTH))
        guess.append((_NOISE, _NOISE_WIDTH))
        middle, width = np.array(guess).T

        def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = self._evidence(kernels, theta, z)
            off = (theta - middle) / width
            return value + 0.5 * off @ off, slope + off / width

        bounds = [(-9.0, 6.0)] * len(middle)
        first = middle if start is None else np.asarray(start, float)
        options = {"maxiter": 60}
        return optimize.minimize(
            loss, first, jac=True, bounds=bounds, options=options
        ).x

    def _evidence(
        self, kernels: list, theta: np.ndarray, z: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Negative logarithm of the evidence and its gradient."""
        terms = self._terms(kernels, theta)
        own, place = [], 0
        for kind in self._kinds():
            own.append(terms[place])
            place += 1 + (kind == "gaussian")
        noise = np.exp(theta[-1])
        covariance = np.sum(own, axis=0)
        covariance.flat[:: len(z) + 1] += noise + _JITTER
        factor = linalg.cho_factor(covariance, lower=True, check_finite=False)
        inverse, _ = linalg.lapack.dpotri(factor[0], lower=True)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        solved = inverse @ z
        value = 0.5 * z @ solved + np.log(np.diag(factor[0])).sum()
        slope = inverse - np.outer(solved, solved)
        found = [0.5 * np.vdot(slope, term) for term in terms]
        return value, np.array([*found, 0.5 * np.trace(slope) * noise])
