"""The scikit-learn estimators of the baselines, made by problem and seed."""

import numpy as np
from sklearn import model_selection
from sklearn.gaussian_process.kernels import Kernel
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import RidgeClassifierCV
from threadpoolctl import threadpool_limits

from reprogram.molecules.similarity import minmax_kernel


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


class RidgeShares(RidgeClassifierCV):
    """Ridge classifier, as of ROCKET, with shares in place of decisions."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        from scipy.special import softmax

        margin = self.decision_function(X)
        if margin.ndim == 1:
            margin = np.stack([-margin, margin], axis=1)
        return softmax(margin, axis=1)


class CountTanimoto(Kernel):
    """The MinMax-Tanimoto kernel of count vectors, for scikit-learn.

    Example:
    >>> kernel = CountTanimoto()
    >>> kernel(np.array([[1.0, 2.0]]), np.array([[1.0, 1.0]])).tolist()
    [[0.6666666666666666]]
    """

    def __init__(self) -> None:
        pass  # scikit-learn reads the parameters of a kernel from here

    def __call__(
        self,
        X: np.ndarray,
        Y: np.ndarray | None = None,
        eval_gradient: bool = False,
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        value = minmax_kernel(X, Y)
        return (value, np.empty((*value.shape, 0))) if eval_gradient else value

    def diag(self, X: np.ndarray) -> np.ndarray:
        return np.ones(len(X))

    def is_stationary(self) -> bool:
        return False


def trivial(problem: str, seed: int) -> object:
    """Predicts the mean, or the shares of the classes."""
    from sklearn import dummy

    if problem == "regression":
        return dummy.DummyRegressor()
    return dummy.DummyClassifier(strategy="prior")


def linear_probe(problem: str, seed: int) -> object:
    """Ridge or logistic regression, its penalty chosen inside the labels.

    Features are clipped to the range that they have in the labels: one that
    hardly varied there must not decide far outside.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler
    from sklearn.preprocessing import StandardScaler

    if problem == "regression":
        head = RidgeCV(np.logspace(-1, 5, 19))
    else:
        head = LogisticProbe(C=1e-2, max_iter=2000, random_state=seed)
    return make_pipeline(MinMaxScaler(clip=True), StandardScaler(), head)


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


def nearest_molecule(problem: str, seed: int) -> object:
    """The target of the training molecule of the largest count Tanimoto."""
    from sklearn import neighbors

    # The Tanimoto T of counts orders as their Bray-Curtis distance D does:
    # T = (1 - D) / (1 + D).
    if problem == "regression":
        return neighbors.KNeighborsRegressor(1, metric="braycurtis")
    return neighbors.KNeighborsClassifier(1, metric="braycurtis")


def rocket(problem: str, seed: int) -> object:
    """Ridge regression on MiniRocket's features, fitted to training series."""
    from aeon.transformations.collection.convolution_based import MiniRocket
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    penalties = np.logspace(-3, 3, 10)
    head = RidgeCV if problem == "regression" else RidgeShares
    return make_pipeline(
        MiniRocket(random_state=seed),
        StandardScaler(with_mean=False),
        head(penalties),
    )
