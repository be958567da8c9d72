"""Models of one column of numbers that read views of molecules.

Labels are the numbers 0 and 1.
"""

from collections.abc import Sequence
from typing import Any
from typing import Protocol
from typing import Self

import numpy as np
from scipy import special
from sklearn import ensemble
from sklearn import linear_model
from sklearn import model_selection
from sklearn import svm
from sklearn.kernel_ridge import KernelRidge

from reprogram.predictors.classical import LogisticProbe
from reprogram.predictors.molecules.tables import Features
from reprogram.predictors.molecules.tables import Numbers
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


class Model(Protocol):
    """Protocol of the parts of a predictor."""

    def fit(self, features: Features, y: np.ndarray) -> Self:
        """Fits to training molecules and their values `(rows,)`."""

    def predict(self, features: Features) -> np.ndarray:
        """Returns the value of each molecule, or of its label `(rows,)`."""


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
    ) -> Self:
        """Fits to training molecules, with another number of trees if given."""
        x = _table(features, self.view)
        self.kept = np.ptp(x, axis=0) > 0
        self.kept[:1] |= not self.kept.any()
        usual = self.trees // 2 if len(y) > MANY else self.trees
        self.model.set_params(n_estimators=trees or usual)
        self.model.fit(
            x[:, self.kept], y if self.problem == "regression" else y > 0.5
        )
        return self

    def predict(self, features: Features) -> np.ndarray:
        x = _table(features, self.view)[:, self.kept]
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

    def fit(self, features: Features, y: np.ndarray) -> Self:
        self.numbers = Numbers(_table(features, self.view))
        self.model.fit(self._read(features), y > 0.5 if self.logistic else y)
        return self

    def predict(self, features: Features) -> np.ndarray:
        x = self._read(features)
        if self.logistic:
            return self.model.predict_proba(x)[:, 1]
        return self.model.predict(x)

    def _read(self, features: Features) -> np.ndarray:
        x = self.numbers(_table(features, self.view))
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

    def fit(self, features: Features, y: np.ndarray) -> Self:
        self.train = remembered(features)[self.view]
        kernel = self.train.similarity(self.train)
        deal: dict[str, Any] = {"shuffle": True, "random_state": self.seed}
        if self.problem == "regression":
            self.mean = y.mean()
            self.model = model_selection.GridSearchCV(
                KernelRidge(kernel="precomputed"),
                {"alpha": list(ALPHAS)},
                scoring="neg_mean_squared_error",
                cv=model_selection.KFold(min(5, len(y)), **deal),
            ).fit(kernel, y - self.mean)
            return self
        labels = y > 0.5
        self.model = svm.SVC(kernel="precomputed", class_weight="balanced")
        count = min(5, labels.sum(), (~labels).sum())
        if count > 1:
            self.model = model_selection.GridSearchCV(
                self.model,
                {"C": [0.1, 1.0, 10.0]},
                scoring="roc_auc",
                cv=model_selection.StratifiedKFold(count, **deal),
            )
        self.model.fit(kernel, labels)
        return self

    def predict(self, features: Features) -> np.ndarray:
        kernel = remembered(features)[self.view].similarity(self.train)
        if self.problem == "regression":
            return self.mean + self.model.predict(kernel)
        return special.expit(self.model.decision_function(kernel))


def _table(features: Features, view: str) -> np.ndarray:
    rows = features[view]
    return np.nan_to_num(rows) if isinstance(rows, np.ndarray) else folded(rows)
