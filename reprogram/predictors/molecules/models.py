"""Models of one column of numbers that read views of molecules.

Labels are the numbers 0 and 1. Each has `fit(features, y)` and
`predict(features)`.
"""

from collections.abc import Mapping

import numpy as np
from sklearn import ensemble
from sklearn import linear_model
from sklearn import model_selection
from sklearn import svm

from reprogram.predictors.molecules.features import Fragments
from reprogram.predictors.molecules.features import Rows
from reprogram.predictors.molecules.features import folded
from reprogram.predictors.molecules.features import remembered
from reprogram.predictors.molecules.scaling import Numbers

MANY = 256
ROUGH = 50
ALPHAS = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)


class Forest:
    """Random forest, or extremely randomized trees.

    Args:
        view: What it reads; counts of fragments are folded.
        problem: `"regression"` or `"labels"`.
        seed: Seed of the trees.
        random: Whether thresholds are drawn at random.
        trees: How many; half of them for more than `MANY` rows.
        share: Share of the columns that a split chooses from; None for all,
            for labels for their square root.
    """

    def __init__(
        self,
        view: str,
        problem: str,
        seed: int = 0,
        random: bool = False,
        trees: int = 300,
        share: float | None = None,
    ):
        kinds = {
            (False, "regression"): ensemble.RandomForestRegressor,
            (False, "labels"): ensemble.RandomForestClassifier,
            (True, "regression"): ensemble.ExtraTreesRegressor,
            (True, "labels"): ensemble.ExtraTreesClassifier,
        }
        usual = 1.0 if problem == "regression" else "sqrt"
        self.view, self.problem, self.trees = view, problem, trees
        self.rough = False
        self.model = kinds[random, problem](
            trees, max_features=share or usual, random_state=seed
        )

    def fit(self, features: Mapping[str, Rows], y: np.ndarray) -> "Forest":
        x = _table(features[self.view])
        self.kept = np.ptp(x, axis=0) > 0
        self.kept[:1] |= not self.kept.any()
        if self.problem == "labels":
            y = (y > 0.5).astype(int)
        trees = self.trees // 2 if len(y) > MANY else self.trees
        self.model.set_params(n_estimators=trees if not self.rough else ROUGH)
        self.model.fit(x[:, self.kept], y)
        return self

    def predict(self, features: Mapping[str, Rows]) -> np.ndarray:
        x = _table(features[self.view])[:, self.kept]
        if self.problem == "regression":
            return self.model.predict(x)
        return self.model.predict_proba(x)[:, -1]


class Linear:
    """Ridge regression, or logistic regression, its penalty cross-validated.

    Args:
        view: What it reads; counts of fragments are folded.
        problem: `"regression"` or `"labels"`.
        seed: Seed of the folds.
        logistic: Whether labels have logistic regression; else ridge, which
            is closer to the truth with few labels.
    """

    def __init__(
        self, view: str, problem: str, seed: int = 0, logistic: bool = False
    ):
        self.view, self.seed = view, seed
        self.logistic = logistic and problem == "labels"

    def fit(self, features: Mapping[str, Rows], y: np.ndarray) -> "Linear":
        table = _table(features[self.view])
        self.numbers = Numbers(table)
        x = self.numbers(table) * np.sqrt(self.numbers.kept.sum())
        if not x.shape[1]:
            x = np.zeros((len(y), 1))
        if self.logistic:
            from reprogram.predictors.classical import LogisticProbe

            model = LogisticProbe(C=1e-2, max_iter=2000, random_state=self.seed)
            self.model = model.fit(x, (y > 0.5).astype(int))
        else:
            model = linear_model.RidgeCV(np.logspace(-1, 5, 19))
            self.model = model.fit(x, y)
        return self

    def predict(self, features: Mapping[str, Rows]) -> np.ndarray:
        x = self.numbers(_table(features[self.view]))
        x = x * np.sqrt(self.numbers.kept.sum())
        if not x.shape[1]:
            x = np.zeros((len(x), 1))
        if self.logistic:
            return self.model.predict_proba(x)[:, 1]
        return self.model.predict(x)


class KernelRidge:
    """Kernel ridge regression with the MinMax-Tanimoto kernel of counts.

    Labels have a support vector machine. The penalty is chosen by five-fold
    cross-validation.

    Args:
        view: Which counts of fragments.
        problem: `"regression"` or `"labels"`.
        seed: Seed of the folds.
    """

    def __init__(self, view: str, problem: str, seed: int = 0):
        self.view, self.problem, self.seed = view, problem, seed

    def fit(self, features: Mapping[str, Rows], y: np.ndarray) -> "KernelRidge":
        self.train = remembered(features)[self.view]
        kernel = self.train.similarity(self.train)
        if self.problem == "labels":
            return self._fit_labels(kernel, (y > 0.5).astype(int))
        folds = model_selection.KFold(
            min(5, len(y)), shuffle=True, random_state=self.seed
        )
        errors = dict.fromkeys(ALPHAS, 0.0)
        for fit, held in folds.split(kernel):
            for alpha in ALPHAS:
                solved = self._solve(kernel[np.ix_(fit, fit)], y[fit], alpha)
                found = y[fit].mean() + kernel[np.ix_(held, fit)] @ solved
                errors[alpha] += np.sum((found - y[held]) ** 2)
        self.mean = y.mean()
        best = min(errors, key=errors.get)
        self.weights = self._solve(kernel, y, best)
        return self

    def _solve(
        self, kernel: np.ndarray, y: np.ndarray, alpha: float
    ) -> np.ndarray:
        from scipy import linalg

        penalized = kernel + alpha * np.eye(len(y))
        return linalg.solve(penalized, y - y.mean(), assume_a="pos")

    def _fit_labels(self, kernel: np.ndarray, y: np.ndarray) -> "KernelRidge":
        folds = min(5, int(np.bincount(y).min()))
        best = 1.0
        if folds > 1:
            search = model_selection.GridSearchCV(
                svm.SVC(kernel="precomputed", class_weight="balanced"),
                {"C": [0.1, 1.0, 10.0]},
                scoring="roc_auc",
                cv=model_selection.StratifiedKFold(
                    folds, shuffle=True, random_state=self.seed
                ),
                refit=False,
            )
            best = search.fit(kernel, y).best_params_["C"]
        self.model = svm.SVC(
            kernel="precomputed", class_weight="balanced", C=best
        ).fit(kernel, y)
        return self

    def predict(self, features: Mapping[str, Rows]) -> np.ndarray:
        kernel = remembered(features)[self.view].similarity(self.train)
        if self.problem == "labels":
            return 1 / (1 + np.exp(-self.model.decision_function(kernel)))
        return self.mean + kernel @ self.weights


def _table(rows: Rows) -> np.ndarray:
    if isinstance(rows, np.ndarray):
        return np.nan_to_num(rows)
    if isinstance(rows, Fragments):
        rows = rows.counts[rows.rows]
    return folded(rows)
