"""What a reprogrammed model must be compared with.

A baseline is a name, the features it reads and the scikit-learn estimator it
fits. `BASELINES` has a table for each modality.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from sklearn import model_selection
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from reprogram.molecules.similarity import CountTanimoto


class LogisticProbe(LogisticRegression):
    """Logistic regression that chooses `C` by cross-validation.

    Keeps the `C` that it was made with where a class has a single sample.
    """

    def fit(self, X: np.ndarray, y: np.ndarray) -> "LogisticProbe":
        folds = min(5, int(np.unique(y, return_counts=True)[1].min()))
        if folds > 1:
            search = model_selection.GridSearchCV(
                LogisticRegression(max_iter=self.max_iter),
                {"C": np.logspace(-4, 1, 6)},
                scoring="neg_log_loss",
                cv=model_selection.StratifiedKFold(
                    folds, shuffle=True, random_state=self.random_state
                ),
                refit=False,
            )
            # So small a problem is faster without threads.
            with threadpool_limits(1):
                self.C = float(search.fit(X, y).best_params_["C"])
        return super().fit(X, y)


@dataclasses.dataclass(frozen=True)
class Baseline:
    """A named pair of features and estimator.

    Args:
        name: Row of the table.
        features: Key of the features it reads, see `features`.
        estimator: Takes the problem and a seed, gives a scikit-learn
            estimator of one target.
    """

    name: str
    features: str
    estimator: Callable


def trivial(problem: str, seed: int) -> object:
    """Predicts the mean, or the shares of the classes."""
    from sklearn import dummy

    if problem == "regression":
        return dummy.DummyRegressor()
    return dummy.DummyClassifier(strategy="prior")


def linear_probe(problem: str, seed: int) -> object:
    """Ridge or logistic regression, its penalty chosen inside the labels."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if problem == "regression":
        head = RidgeCV(np.logspace(-1, 5, 19))
    else:
        head = LogisticProbe(C=1e-2, max_iter=2000, random_state=seed)
    return make_pipeline(StandardScaler(), head)


def gaussian_process(problem: str, seed: int) -> object:
    """Gaussian process with the count Tanimoto kernel, fitted by evidence."""
    from sklearn import gaussian_process
    from sklearn.gaussian_process.kernels import ConstantKernel
    from sklearn.gaussian_process.kernels import WhiteKernel

    kernel = ConstantKernel(1.0, (1e-3, 1e4)) * CountTanimoto()
    if problem == "regression":
        return gaussian_process.GaussianProcessRegressor(
            kernel + WhiteKernel(0.1, (1e-6, 1e2)),
            normalize_y=True,
            random_state=seed,
        )
    return gaussian_process.GaussianProcessClassifier(kernel, random_state=seed)


def forest(problem: str, seed: int) -> object:
    """Random forest of 300 trees."""
    from sklearn import ensemble

    kind = (
        ensemble.RandomForestRegressor
        if problem == "regression"
        else ensemble.RandomForestClassifier
    )
    return kind(300, n_jobs=-1, random_state=seed)


def nearest_neighbor(problem: str, seed: int) -> object:
    """The target of the nearest training sample."""
    from sklearn import neighbors

    if problem == "regression":
        return neighbors.KNeighborsRegressor(1)
    return neighbors.KNeighborsClassifier(1)


MEAN = Baseline("mean predictor", "none", trivial)
MAJORITY = Baseline("majority class", "none", trivial)
PROBE = Baseline("linear probe", "source", linear_probe)
RAW = [
    Baseline("nearest neighbor", "raw", nearest_neighbor),
    Baseline("random forest", "raw", forest),
]
BASELINES = {
    "molecule": [
        PROBE,
        Baseline(
            "Tanimoto Gaussian process, ECFP4 counts", "ecfp4", gaussian_process
        ),
        Baseline("random forest, ECFP4 counts", "ecfp4", forest),
        Baseline("random forest, RDKit descriptors", "descriptors", forest),
    ],
    "image": [PROBE, *RAW],
    "series": [PROBE, *RAW],
}


def features(key: str, inputs: np.ndarray) -> np.ndarray:
    """Computes what baselines read, except the source's own features.

    Args:
        key: `"none"`, `"raw"`, `"ecfp4"` or `"descriptors"`.
        inputs: SMILES `(samples,)` or arrays `(samples, ...)`.

    Returns:
        A float array `(samples, columns)`; descriptors that are not defined
        are 0, and large ones are clipped to the range of float32.
    """
    if key == "none":
        return np.zeros((len(inputs), 1), "float32")
    if key == "raw":
        return np.asarray(inputs, "float32").reshape(len(inputs), -1)
    from reprogram import molecules

    if key == "ecfp4":
        return molecules.count_fingerprints(list(inputs))
    table = molecules.descriptors(list(inputs), jobs=-1)
    return np.nan_to_num(np.clip(table, -1e30, 1e30))


def fit_predict(
    baseline: Baseline,
    problem: str,
    train: tuple[np.ndarray, np.ndarray],
    test: np.ndarray,
    seed: int,
    classes: int,
) -> tuple[np.ndarray, int]:
    """Fits a baseline and predicts.

    Args:
        baseline: Which.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        train: Features `(samples, columns)` and targets as in `Task`.
        test: Features of the test samples.
        seed: Of the estimator.
        classes: Number of classes, or of target columns.

    Returns:
        Predictions as `metrics.evaluate` reads them, and the number of values
        that were fitted.
    """
    x, y = train
    if problem == "classification":
        if len(np.unique(y)) < 2:
            return np.tile(np.eye(classes)[y[0]], (len(test), 1)), 0
        model = baseline.estimator(problem, seed).fit(x, y)
        result = np.zeros((len(test), classes))
        result[:, model.classes_] = model.predict_proba(test)
        return result, fitted_values(model)
    columns, count = [], 0
    for k in range(classes):
        known = np.isfinite(y[:, k])
        target = y[known, k]
        if problem == "multilabel":
            target = (target > 0.5).astype(int)
        if len(np.unique(target)) < 2:
            constant = target[0] if len(target) else 0.0
            columns.append(np.full(len(test), float(constant)))
            continue
        model = baseline.estimator(problem, seed).fit(x[known], target)
        count += fitted_values(model)
        columns.append(
            model.predict(test)
            if problem == "regression"
            else model.predict_proba(test)[:, 1]
        )
    return np.stack(columns, axis=1), count


def fitted_values(model: object) -> int:
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
