"""What a reprogrammed model must be compared with.

A baseline is a name, the features it reads and the scikit-learn estimator it
fits, or one of the ways to train the source itself. `BASELINES` has a table
for each modality.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from reprogram import series as lengths
from reprogram.predictors.classical import forest
from reprogram.predictors.classical import gaussian_process
from reprogram.predictors.classical import linear_probe
from reprogram.predictors.classical import nearest_molecule
from reprogram.predictors.classical import nearest_neighbor
from reprogram.predictors.classical import rocket
from reprogram.predictors.classical import trivial


@dataclasses.dataclass(frozen=True)
class Baseline:
    """A named pair of features and estimator.

    Args:
        name: Row of the table.
        features: Key of the features it reads, see `features`.
        estimator: Takes the problem and a seed, gives a scikit-learn
            estimator of one target.
        requires: A module that is not installed with the project, see
            `EXTRAS`.
    """

    name: str
    features: str
    estimator: Callable
    requires: str = ""


@dataclasses.dataclass(frozen=True)
class Tuned:
    """A way to train the source.

    Args:
        name: Row of the table.
        rank: Of the additions to the weights of dense, convolution and
            embedding layers (LoRA); 0 trains all weights.
        learning_rate: Of Adam.
    """

    name: str
    rank: int = 0
    learning_rate: float = 1e-4


SHORTEST = 9  # MiniRocket's kernels are so long.
MEAN = Baseline("mean predictor", "none", trivial)
MAJORITY = Baseline("majority class", "none", trivial)
PROBE = Baseline("linear probe", "source", linear_probe)
RAW = [
    Baseline("nearest neighbor", "raw", nearest_neighbor),
    Baseline("random forest", "raw", forest),
]
TUNED = [Tuned("LoRA", rank=4, learning_rate=1e-3), Tuned("fine-tuning")]
EXTRAS = {"aeon": "series"}
BASELINES = {
    "molecule": [
        PROBE,
        Baseline("nearest neighbor, ECFP4 counts", "ecfp4", nearest_molecule),
        Baseline(
            "Tanimoto Gaussian process, ECFP4 counts", "ecfp4", gaussian_process
        ),
        Baseline("random forest, ECFP4 counts", "ecfp4", forest),
        Baseline("random forest, RDKit descriptors", "descriptors", forest),
    ],
    "image": [PROBE, *TUNED, *RAW],
    "series": [
        PROBE,
        *TUNED,
        *RAW,
        Baseline("MiniRocket, ridge", "series", rocket, "aeon"),
    ],
}


def features(key: str, inputs: np.ndarray) -> np.ndarray:
    """Computes what baselines read, except the source's own features.

    Args:
        key: `"none"`, `"raw"`, `"series"`, `"ecfp4"` or `"descriptors"`.
        inputs: SMILES `(samples,)` or arrays `(samples, ...)`.

    Returns:
        A float array `(samples, columns)`, or `(samples, channels, length)`
        for `"series"`, zeros in front of series shorter than 9. Where a series
        has ended stands its mean. Descriptors that are not defined are 0, and
        large ones are clipped to the range of float32.
    """
    if key == "none":
        return np.zeros((len(inputs), 1), "float32")
    if key == "raw":
        x = lengths.filled(np.asarray(inputs, "float32"))
        return x.reshape(len(inputs), -1)
    if key == "series":
        series = lengths.filled(np.asarray(inputs, "float32"))
        series = np.swapaxes(series, 1, 2)
        missing = max(0, SHORTEST - series.shape[-1])
        return np.pad(series, ((0, 0), (0, 0), (missing, 0)))
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
