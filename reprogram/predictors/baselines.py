"""Classical models on features, the baselines of a program."""

import dataclasses
import json
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from reprogram import files
from reprogram.predictors import classical
from reprogram.predictors.data import Data
from reprogram.predictors.features import Features


@dataclasses.dataclass(frozen=True)
class Baseline:
    """A named pair of features and estimator.

    Args:
        name: Name of the predictor in tables of results.
        features: Kind of the features it reads, see `features.Features`.
        estimator: Function from problem and seed to a scikit-learn estimator
            of one target.
    """

    name: str
    features: str
    estimator: Callable[[str, int], Any]


BASELINES = {
    "trivial": Baseline("mean predictor", "none", classical.trivial),
    "probe": Baseline("linear probe", "source", classical.linear_probe),
    "nearest-neighbor": Baseline(
        "nearest neighbor", "raw", classical.nearest_neighbor
    ),
    "forest": Baseline("random forest", "raw", classical.forest),
    "minirocket": Baseline("MiniRocket, ridge", "series", classical.rocket),
    "nearest-molecule": Baseline(
        "nearest neighbor, ECFP4 counts", "ecfp4", classical.nearest_molecule
    ),
    "gaussian-process": Baseline(
        "Tanimoto Gaussian process, ECFP4 counts",
        "ecfp4",
        classical.gaussian_process,
    ),
    "forest-ecfp4": Baseline(
        "random forest, ECFP4 counts", "ecfp4", classical.forest
    ),
    "forest-descriptors": Baseline(
        "random forest, RDKit descriptors", "descriptors", classical.forest
    ),
}


class BaselinePredictor:
    """Fits one estimator a target column to features of the inputs.

    Args:
        key: Key of `BASELINES`.
        seed: Seed of the estimators.

    Example:
    >>> data = Data(np.array(["CO", "CCO", "CCCO"]), np.ones((3, 1)),
    ...             "regression", "molecule", ("y",))
    >>> model = BaselinePredictor("gaussian-process")
    >>> model.fit(data, np.arange(3), np.arange(0)).predict(["CCO"])
    array([[1.]])
    """

    def __init__(self, key: str, seed: int = 0):
        self.baseline, self.key, self.seed = BASELINES[key], key, seed
        self.parameters = 0

    @property
    def name(self) -> str:
        """Name in the table of results; for `trivial` by the problem."""
        problem = getattr(self, "problem", "regression")
        if self.key == "trivial" and problem != "regression":
            return "majority class"
        return self.baseline.name

    def fit(
        self, data: Data, rows: np.ndarray, validation: np.ndarray
    ) -> "BaselinePredictor":
        """Fits to all given rows; nothing is left for validation.

        Args:
            data: Inputs and targets.
            rows: Rows to fit on.
            validation: Further rows to fit on.

        Returns:
            The predictor itself.
        """
        rows = np.concatenate([rows, validation])
        self.features = data.features
        self.inputs, self.targets = data.inputs[rows], data.targets[rows]
        table, count = self._table(self.inputs), len(data.names)
        return self.fit_table(data.problem, count, table, self.targets)

    def fit_table(
        self, problem: str, count: int, table: np.ndarray, targets: np.ndarray
    ) -> "BaselinePredictor":
        """Fits to features that were computed before.

        Args:
            problem: `"classification"`, `"multilabel"` or `"regression"`.
            count: Number of classes or of target columns.
            table: Features `(samples, columns)`.
            targets: Class ids `(samples,)` or values `(samples, columns)`.

        Returns:
            The predictor itself.
        """
        self.problem, self.classes = problem, count
        columns = [targets] if problem == "classification" else list(targets.T)
        self.models = [self._fit_column(table, column) for column in columns]
        self.parameters = sum(map(fitted_values, self.models))
        return self

    def _table(self, inputs: np.ndarray) -> np.ndarray:
        table = self.features(self.baseline.features, inputs)
        if self.baseline.features == "descriptors":
            return np.nan_to_num(np.clip(table, -1e30, 1e30))
        return table

    def _fit_column(self, table: np.ndarray, column: np.ndarray) -> Any:
        """Returns an estimator, or the value where there is but one."""
        if self.problem != "classification":
            known = np.isfinite(column)
            table, column = table[known], column[known]
        if self.problem == "multilabel":
            column = (column > 0.5).astype(int)
        if len(np.unique(column)) < 2:
            return column[0] if len(column) else 0.0
        return self.baseline.estimator(self.problem, self.seed).fit(
            table, column
        )

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts values or probabilities.

        Args:
            inputs: Raw inputs `(samples, ...)`.

        Returns:
            Class probabilities `(samples, classes)`, or probabilities or
            values `(samples, columns)`.
        """
        return self.predict_table(self._table(np.asarray(inputs)))

    def predict_table(self, table: np.ndarray) -> np.ndarray:
        """Predicts from features that were computed before, see `predict`."""
        if self.problem == "classification":
            result = np.zeros((table.shape[0], self.classes))
            model = self.models[0]
            if not hasattr(model, "fit"):
                result[:, int(model)] = 1.0
                return result
            result[:, model.classes_] = model.predict_proba(table)
            return result
        columns = [self._predict_column(m, table) for m in self.models]
        return np.stack(columns, axis=1)

    def _predict_column(self, model: Any, table: np.ndarray) -> np.ndarray:
        if not hasattr(model, "fit"):
            return np.full(table.shape[0], float(model))
        if self.problem == "regression":
            return model.predict(table)
        return model.predict_proba(table)[:, 1]

    def save(self, folder: pathlib.Path) -> None:
        """Writes the training rows; loading fits to them again.

        Nothing is pickled, and seeds make the second fit equal the first.

        Args:
            folder: Folder of the run.
        """
        text = self.inputs.dtype == object
        inputs = self.inputs.astype(str) if text else self.inputs
        np.savez_compressed(
            folder / "training.npz", inputs=inputs, targets=self.targets
        )
        about = {"key": self.key, "seed": self.seed, "problem": self.problem}
        about |= {"classes": self.classes, "text": text}
        files.write_text(folder / "baseline.json", json.dumps(about))

    @classmethod
    def load(
        cls, folder: pathlib.Path, features: Features
    ) -> "BaselinePredictor":
        """Reads what `save` wrote and fits it again.

        Args:
            folder: Folder of the run.
            features: Features of inputs, with the source of the run.

        Returns:
            The predictor.
        """
        about = json.loads((folder / "baseline.json").read_text("utf-8"))
        with np.load(folder / "training.npz", allow_pickle=False) as arrays:
            inputs, targets = arrays["inputs"], arrays["targets"]
        if about["text"]:
            inputs = inputs.astype(object)
        names = tuple(map(str, range(about["classes"])))
        data = Data(
            inputs, targets, about["problem"], "", names, source=features.source
        )
        rows = np.arange(len(inputs))
        return cls(about["key"], about["seed"]).fit(data, rows, rows[:0])


def fitted_values(model: Any) -> int:
    """Counts the values that fitting an estimator has learned.

    Means and scales of inputs and chosen penalties are not counted.
    """
    if hasattr(model, "steps"):
        return fitted_values(model.steps[-1][1])
    if hasattr(model, "tree_"):
        return model.tree_.node_count
    if hasattr(model, "estimators_"):
        return sum(map(fitted_values, model.estimators_))
    if hasattr(model, "base_estimator_"):
        return fitted_values(model.base_estimator_)
    names = ("coef_", "intercept_", "pi_", "constant_", "class_prior_")
    found = [getattr(model, name, None) for name in names]
    count = sum(np.size(value) for value in found if value is not None)
    if np.ndim(getattr(model, "alpha_", 0.0)):
        count += len(model.alpha_)
    if hasattr(model, "kernel_"):
        count += len(model.kernel_.theta)
    return count or int(getattr(model, "n_samples_fit_", 0))
