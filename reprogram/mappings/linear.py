"""A trainable linear layer on the source's answers or features."""

import keras
import numpy as np
from keras import ops

from reprogram.mappings.frequency import class_ids


@keras.saving.register_keras_serializable("reprogram")
class LinearMapping(keras.layers.Layer):
    """Maps standardized answers or features of the source linearly.

    Starts at zero. `Reprogrammer.adapt` warms it up: it sets the mean and the
    scale of the inputs, the spread of the targets of a regression, and the
    weights of a ridge or logistic regression fitted on the training data with
    the penalty chosen by cross-validation inside them.

    Args:
        targets: Number of target classes or values.
        problem: What `adapt` fits: `"classification"`, `"multilabel"` or
            `"regression"`.
        regularizer: Of the weights, such as `"l2"`.

    Raises:
        ValueError: If an argument is out of range.

    Example:

    >>> LinearMapping(2)(keras.ops.ones((3, 10))).shape[1:] == (2,)
    True

    Reference: Alain and Bengio, Understanding intermediate layers using
    linear classifier probes, 2017.
    """

    def __init__(
        self,
        targets: int,
        problem: str = "classification",
        regularizer: str | keras.Regularizer | None = None,
        **kwargs: object,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        if targets < 1 or problem not in PROBES:
            raise ValueError(
                f"Expected at least 1 target and a problem of"
                f" {', '.join(PROBES)}. Received: targets={targets},"
                f" problem={problem!r}."
            )
        self.targets = targets
        self.problem = problem
        self.regularizer = keras.regularizers.get(regularizer)

    def build(self, input_shape):
        width = input_shape[-1]
        self.input_spec = keras.layers.InputSpec(axes={-1: width})
        self.mean = self.add_weight(
            shape=(width,), initializer="zeros", trainable=False, name="mean"
        )
        self.scale = self.add_weight(
            shape=(width,), initializer="ones", trainable=False, name="scale"
        )
        self.spread = self.add_weight(
            shape=(self.targets,),
            initializer="ones",
            trainable=False,
            name="spread",
        )
        self.kernel = self.add_weight(
            shape=(width, self.targets),
            initializer="zeros",
            regularizer=self.regularizer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.targets,), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        x = ops.cast(inputs, self.compute_dtype)
        x = (x - self.mean) / self.scale
        return self.spread * (ops.matmul(x, self.kernel) + self.bias)

    def adapt(
        self,
        features: np.ndarray,
        targets: np.ndarray,
        groups: np.ndarray | None = None,
    ) -> None:
        """Standardizes the inputs and fits the weights in closed form.

        Args:
            features: The source's answers `(samples, width)`.
            targets: Class ids `(samples,)`, or values `(samples, targets)`
                with NaN where a value is missing.
            groups: Which samples `(samples,)` are views of one object; they
                stay together where the penalty is cross-validated.

        Raises:
            ValueError: If the targets do not fit this layer.
        """
        features = np.asarray(features, "float64")
        if not self.built:
            self.build(features.shape)
        scale = features.std(axis=0)
        scale = np.where(scale > 1e-6, scale, 1.0)
        x = (features - features.mean(axis=0)) / scale
        groups = np.arange(len(x)) if groups is None else np.asarray(groups)
        probe = PROBES[self.problem]
        kernel, bias = probe(x, targets, self.targets, groups)
        spread = np.ones(self.targets)
        if self.problem == "regression":
            known = np.ma.masked_invalid(_columns(targets, self.targets))
            spread = known.std(axis=1).filled(1.0)
            spread = np.where(spread > 0, spread, 1.0)
        self.mean.assign(features.mean(axis=0))
        self.scale.assign(scale)
        self.spread.assign(spread)
        self.kernel.assign(kernel / spread)
        self.bias.assign(bias / spread)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.targets)

    def get_config(self):
        return {
            **super().get_config(),
            "targets": self.targets,
            "problem": self.problem,
            "regularizer": keras.regularizers.serialize(self.regularizer),
        }


def _regression(
    x: np.ndarray, y: np.ndarray, targets: int, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.linear_model import RidgeCV

    kernel, bias = np.zeros((x.shape[1], targets)), np.zeros(targets)
    for k, column in enumerate(_columns(y, targets)):
        known = ~np.isnan(column)
        bias[k] = column[known].sum()  # Right for at most one value.
        if known.sum() > 1:
            inside = _folds(groups[known])
            probe = RidgeCV(np.logspace(-1, 5, 19), cv=inside)
            probe.fit(x[known], column[known])
            kernel[:, k], bias[k] = probe.coef_, probe.intercept_
    return kernel, bias


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
    coefficients, offsets = _logistic(x, labels, groups)
    if len(present) == 2:
        coefficients = np.stack([-coefficients[0], coefficients[0]]) / 2
        offsets = np.array([-offsets[0], offsets[0]]) / 2
    kernel[:, present], bias[present] = coefficients.T, offsets
    return kernel, bias


def _multilabel(
    x: np.ndarray, y: np.ndarray, targets: int, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    kernel, bias = np.zeros((x.shape[1], targets)), np.zeros(targets)
    for k, column in enumerate(_columns(y, targets)):
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


def _columns(y: np.ndarray, targets: int) -> np.ndarray:
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
