"""Linear models in closed form, which linear mappings start from."""

import numpy as np

from reprogram.mappings.frequency import class_ids

# Inputs from which on logistic regressions are too slow to cross-validate.
WIDE = 2000
PENALTIES = np.logspace(-1, 5, 19)


def _regression(
    x: np.ndarray, y: np.ndarray, targets: int, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.linear_model import Ridge
    from threadpoolctl import threadpool_limits

    kernel, bias = np.zeros((x.shape[1], targets)), np.zeros(targets)
    for k, column in enumerate(columns(y, targets)):
        known = ~np.isnan(column)
        bias[k] = column[known].sum()  # Right for at most one value.
        if known.sum() > 1:
            inside, values = x[known], column[known]
            # So small a problem is faster without threads.
            with threadpool_limits(1):
                probe = Ridge(_penalty(inside, values, groups[known]))
                probe.fit(inside, values)
            kernel[:, k], bias[k] = probe.coef_, probe.intercept_
    return kernel, bias


def _penalty(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> float:
    """Chooses the ridge penalty by cross-validation over groups.

    One decomposition a fold serves all penalties; a new fit for each of them,
    as a search over estimators does, takes fifty times as long.
    """
    from sklearn.linear_model import RidgeCV

    inside = _folds(groups)
    if inside is None:
        return float(RidgeCV(PENALTIES).fit(x, y).alpha_)
    errors = np.zeros(len(PENALTIES))
    for rest, held in inside:
        center, mean = x[rest].mean(axis=0), y[rest].mean()
        new, known = x[held] - center, x[rest] - center
        wide = known.shape[1] > len(known)
        values, vectors = np.linalg.eigh(
            known @ known.T if wide else known.T @ known
        )
        values = np.maximum(values, 0.0)
        right = y[rest] - mean if wide else known.T @ (y[rest] - mean)
        left = new @ known.T @ vectors if wide else new @ vectors
        shrunk = (vectors.T @ right)[:, None] / (values[:, None] + PENALTIES)
        errors += ((left @ shrunk + mean - y[held][:, None]) ** 2).mean(axis=0)
    return float(PENALTIES[errors.argmin()])


def _folds(groups: np.ndarray) -> list | None:
    """Folds that keep groups together; `None`, each sample its own fold."""
    from sklearn.model_selection import GroupKFold

    objects = len(np.unique(groups))
    if objects in (1, len(groups)):
        return None
    folds = GroupKFold(min(5, objects))
    return list(folds.split(groups, groups=groups))


def _classification(
    x: np.ndarray, y: np.ndarray, targets: int, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    kernel, bias = np.zeros((x.shape[1], targets)), np.full(targets, -10.0)
    labels = class_ids(y, targets)
    present = np.unique(labels)
    if len(present) == 1:
        bias[present] = 0.0
        return kernel, bias
    if x.shape[1] > WIDE and len(np.unique(groups)) == len(groups):
        coefficients, offsets = _ridge(x, labels)
        kernel[:, present], bias[present] = coefficients.T, offsets
        return kernel, bias
    coefficients, offsets = _logistic(x, labels, groups)
    if len(present) == 2:
        coefficients = np.stack([-coefficients[0], coefficients[0]]) / 2
        offsets = np.array([-offsets[0], offsets[0]]) / 2
    kernel[:, present], bias[present] = coefficients.T, offsets
    return kernel, bias


def _ridge(x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression of the classes, as of ROCKET, scaled to probabilities.

    What each sample would get without itself chooses penalty and scale.
    """
    from scipy.special import log_softmax
    from sklearn.linear_model import RidgeCV

    own = labels[:, None] == np.unique(labels)
    penalties = x.shape[1] * np.logspace(-1, 3, 13)
    scoring = "neg_mean_squared_error"  # Or RidgeCV keeps errors, no answers.
    probe = RidgeCV(penalties, scoring=scoring, store_cv_results=True)
    probe.fit(x, 2.0 * own - 1.0)
    answers = probe.cv_results_[..., penalties == probe.alpha_][..., 0]
    scales = np.logspace(-1, 1.5, 26)
    chances = [log_softmax(s * answers, axis=1)[own].mean() for s in scales]
    scale = scales[np.argmax(chances)]
    return scale * probe.coef_, scale * probe.intercept_


def _multilabel(
    x: np.ndarray, y: np.ndarray, targets: int, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    kernel, bias = np.zeros((x.shape[1], targets)), np.zeros(targets)
    for k, column in enumerate(columns(y, targets)):
        known = ~np.isnan(column)
        values = np.unique(column[known])
        if not np.isin(values, (0.0, 1.0)).all():
            raise ValueError(
                "Multilabel targets must be 0, 1 or NaN where unknown."
                f" Received {values[:5].tolist()} in column {k}. Encode them."
            )
        if len(values) == 2:
            coefficients, offsets = _logistic(
                x[known], column[known] > 0.5, groups[known]
            )
            kernel[:, k], bias[k] = coefficients[0], offsets[0]
        elif len(values) == 1:
            bias[k] = 5.0 if values[0] > 0.5 else -5.0
    return kernel, bias


def _logistic(
    x: np.ndarray, labels: np.ndarray, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.model_selection import StratifiedGroupKFold
    from threadpoolctl import threadpool_limits

    objects, first = np.unique(groups, return_index=True)
    counts = np.unique(labels[first], return_counts=True)[1]
    folds = min(5, int(counts.min()))
    probe = LogisticRegression(C=1e-2, max_iter=2000)
    if folds > 1:
        split = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
        probe = GridSearchCV(
            probe,
            {"C": np.logspace(-4, 1, 6)},
            scoring="neg_log_loss",
            cv=list(split.split(x, labels, groups)),
        )
    # So small a problem is faster without threads, much so on a busy machine.
    with threadpool_limits(1):
        probe = probe.fit(x, labels)
    best = getattr(probe, "best_estimator_", probe)
    return best.coef_, best.intercept_


def columns(y: np.ndarray, targets: int) -> np.ndarray:
    """Returns targets as columns `(targets, samples)`."""
    y = np.asarray(y, "float64").reshape(len(y), -1)
    if y.shape[1] != targets:
        raise ValueError(
            f"The mapping has {targets} targets. Received targets of shape"
            f" {y.shape}. Set `targets` to the number of columns."
        )
    return y.T


PROBES = {
    "classification": _classification,
    "multilabel": _multilabel,
    "regression": _regression,
}
