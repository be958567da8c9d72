"""Models of one column of numbers that read views of molecules.

Labels are the numbers 0 and 1.
"""

from collections.abc import Sequence
from typing import Protocol
from typing import TypeVar

import numpy as np
from sklearn import ensemble
from sklearn import linear_model
from sklearn import model_selection
from sklearn import svm
from sklearn.kernel_ridge import KernelRidge

from reprogram.predictors.classical import LogisticProbe
from reprogram.predictors.molecules.tables import Features
from reprogram.predictors.molecules.tables import Numbers
from reprogram.predictors.molecules.tables import Rows
from reprogram.predictors.molecules.tables import folded
from reprogram.predictors.molecules.tables import remembered

MANY = 256
ALPHAS = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
FORESTS = {
    (False, "regression"): ensemble.RandomForestRegressor,
    (False, "labels"): ensemble.RandomForestClassifier,
    (True, "regression"): ensemble.ExtraTreesRegressor,
    (True, "labels"): ensemble.ExtraTreesClassifier,
}
Self = TypeVar("Self", bound="Model")


class Model(Protocol):
    """What every part of a predictor does."""

    def fit(self: Self, features: Features, y: np.ndarray) -> Self:
        """Fits to training rows and their values `(rows,)`."""
        ...

    def predict(self, features: Features) -> np.ndarray:
        """Returns the value of each row, of labels that of a 1 `(rows,)`."""
        ...


class Forest:
    """Random forest, or extremely randomized trees.

    Args:
        views: The one view that it reads; counts of fragments are folded.
        problem: `"regression"` or `"labels"`.
        seed: Seed of the trees.
        trees: Number of trees; half of them for more than `MANY` rows.
        share: Share of the columns that a split chooses from, or `"sqrt"` of
            their number, for a regression and for labels.
        random: Whether thresholds are drawn at random.
    """

    def __init__(
        self,
        views: Sequence[str],
        problem: str,
        seed: int = 0,
        trees: int = 500,
        share: tuple[float | str, float | str] = (1.0, "sqrt"),
        random: bool = False,
    ):
        (self.view,), self.problem, self.trees = views, problem, trees
        self.model = FORESTS[random, problem](
            trees, max_features=share[problem == "labels"], random_state=seed
        )

    def fit(
        self, features: Features, y: np.ndarray, trees: int | None = None
    ) -> "Forest":
        """Fits to training rows.

        Args:
            features: Features of the molecules, see `features.compute`.
            y: Their values `(rows,)`.
            trees: Number of trees, if it is not the usual one.

        Returns:
            This forest.
        """
        x = _table(features[self.view])
        self.kept = np.ptp(x, axis=0) > 0
        self.kept[:1] |= not self.kept.any()
        if self.problem == "labels":
            y = (y > 0.5).astype(int)
        usual = self.trees // 2 if len(y) > MANY else self.trees
        self.model.set_params(n_estimators=trees or usual)
        self.model.fit(x[:, self.kept], y)
        return self

    def predict(self, features: Features) -> np.ndarray:
        x = _table(features[self.view])[:, self.kept]
        if self.problem == "regression":
            return self.model.predict(x)
        return self.model.predict_proba(x)[:, -1]


class Linear:
    """Ridge regression, or logistic regression, its penalty cross-validated.

    Args:
        views: The one view that it reads; counts of fragments are folded.
        problem: `"regression"` or `"labels"`.
        seed: Seed of the folds.
        logistic: Whether labels have logistic regression; else ridge, which
            is closer to the truth with few labels.
    """

    def __init__(
        self,
        views: Sequence[str],
        problem: str,
        seed: int = 0,
        logistic: bool = False,
    ):
        (self.view,) = views
        self.logistic = logistic and problem == "labels"
        self.model = (
            LogisticProbe(C=1e-2, max_iter=2000, random_state=seed)
            if self.logistic
            else linear_model.RidgeCV(np.logspace(-1, 5, 19))
        )

    def fit(self, features: Features, y: np.ndarray) -> "Linear":
        self.numbers = Numbers(_table(features[self.view]))
        y = (y > 0.5).astype(int) if self.logistic else y
        self.model.fit(self._read(features), y)
        return self

    def predict(self, features: Features) -> np.ndarray:
        x = self._read(features)
        if self.logistic:
            return self.model.predict_proba(x)[:, 1]
        return self.model.predict(x)

    def _read(self, features: Features) -> np.ndarray:
        x = self.numbers(_table(features[self.view]))
        return x * np.sqrt(x.shape[1])


class KernelMachine:
    """Kernel machine with the MinMax-Tanimoto kernel of counts.

    Ridge regression; for labels a support vector machine. The penalty is
    chosen by five-fold cross-validation.

    Args:
        views: The one view that it reads, counts of fragments.
        problem: `"regression"` or `"labels"`.
        seed: Seed of the folds.
    """

    def __init__(self, views: Sequence[str], problem: str, seed: int = 0):
        (self.view,), self.problem, self.seed = views, problem, seed

    def fit(self, features: Features, y: np.ndarray) -> "KernelMachine":
        self.train = remembered(features)[self.view]
        kernel = self.train.similarity(self.train)
        self.mean = 0.0
        options = {"shuffle": True, "random_state": self.seed}
        if self.problem == "labels":
            y = (y > 0.5).astype(int)
            model = svm.SVC(kernel="precomputed", class_weight="balanced")
            count = min(5, int(np.bincount(y).min()))
            if count < 2:
                self.model = model.fit(kernel, y)
                return self
            grid, score = {"C": [0.1, 1.0, 10.0]}, "roc_auc"
            folds = model_selection.StratifiedKFold(count, **options)
        else:
            self.mean = y.mean()
            y = y - self.mean
            model = KernelRidge(kernel="precomputed")
            grid, score = {"alpha": ALPHAS}, "neg_mean_squared_error"
            folds = model_selection.KFold(min(5, len(y)), **options)
        search = model_selection.GridSearchCV(
            model, grid, scoring=score, cv=folds
        )
        self.model = search.fit(kernel, y)
        return self

    def predict(self, features: Features) -> np.ndarray:
        kernel = remembered(features)[self.view].similarity(self.train)
        if self.problem == "labels":
            return 1 / (1 + np.exp(-self.model.decision_function(kernel)))
        return self.mean + self.model.predict(kernel)


def _table(rows: Rows) -> np.ndarray:
    return np.nan_to_num(rows) if isinstance(rows, np.ndarray) else folded(rows)
