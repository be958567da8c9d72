"""Losses of target scores: for missing values and for scarce classes."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("reprogram")
class Masked(keras.losses.Loss):
    """Averages a loss over the targets that are known.

    Args:
        kind: `"squared"` for regression. For multi-label targets of 0 and 1
            against logits: `"binary"`, or `"focal"`, in which targets that
            are predicted well count less.

    Raises:
        ValueError: If `kind` is none of these.

    Example:
    >>> loss = Masked("squared")
    >>> float(loss([[1.0, float("nan")]], [[3.0, 7.0]]))
    4.0
    """

    def __init__(
        self,
        kind: str = "squared",
        name: str | None = None,
        reduction: str = "sum_over_batch_size",
        **kwargs: object,
    ):
        super().__init__(name or f"masked_{kind}", reduction, **kwargs)
        if kind not in ("squared", "binary", "focal"):
            raise ValueError(
                "`kind` must be 'squared', 'binary' or 'focal'. Received:"
                f" {kind!r}."
            )
        self.kind = kind

    def call(self, y_true: Any, y_pred: Any) -> Any:
        y_pred = ops.convert_to_tensor(y_pred)
        y_true = ops.cast(y_true, y_pred.dtype)
        known = ops.logical_not(ops.isnan(y_true))
        y_true = ops.where(known, y_true, ops.zeros_like(y_true))
        if self.kind == "squared":
            loss = ops.square(y_true - y_pred)
        elif self.kind == "binary":
            loss = ops.binary_crossentropy(y_true, y_pred, from_logits=True)
        else:
            loss = keras.losses.binary_focal_crossentropy(
                y_true[..., None], y_pred[..., None], from_logits=True
            )
        known = ops.cast(known, y_pred.dtype)
        share = ops.maximum(ops.mean(known), 1e-6)
        return ops.mean(loss * known, axis=-1) / share

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kind": self.kind}


@keras.saving.register_keras_serializable("reprogram")
class OneHot(keras.losses.Loss):
    """Gives class ids to a loss that reads one-hot rows.

    Args:
        loss: A Keras loss of one-hot rows and scores.

    Example:
    >>> loss = OneHot(keras.losses.CategoricalCrossentropy(from_logits=True))
    >>> round(float(loss([1], [[0.0, 0.0]])), 4)
    0.6931
    """

    def __init__(
        self,
        loss: keras.losses.Loss,
        name: str = "one_hot",
        reduction: str = "sum_over_batch_size",
        **kwargs: object,
    ):
        super().__init__(name, reduction, **kwargs)
        self.loss = loss

    def call(self, y_true: Any, y_pred: Any) -> Any:
        y_pred = ops.convert_to_tensor(y_pred)
        ids = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        rows = ops.one_hot(ids, y_pred.shape[-1], dtype=y_pred.dtype)
        return self.loss.call(rows, y_pred)

    def get_config(self) -> dict[str, Any]:
        loss = keras.saving.serialize_keras_object(self.loss)
        return {**super().get_config(), "loss": loss}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "OneHot":
        loss = keras.saving.deserialize_keras_object(config["loss"])
        return cls(**{**config, "loss": loss})


@keras.saving.register_keras_serializable("reprogram")
class LogitAdjusted(keras.losses.Loss):
    """Cross-entropy of class ids that does not favor the large classes.

    Adds `strength * log(share of the class)` to the scores while training, so
    that the scores without it are best for balanced accuracy.

    Args:
        counts: Number of training samples of each class. A class without
            samples is treated as if it had one.
        strength: Factor of the added term; 0 is the plain cross-entropy.

    Raises:
        ValueError: If `counts` are not those of at least two classes.

    Example:
    >>> loss = LogitAdjusted([90, 10])
    >>> round(float(loss([1], [[0.0, 0.0]])), 4)
    2.3026

    Reference: Menon et al., Long-tail learning via logit adjustment, 2021.
    """

    def __init__(
        self,
        counts: Sequence[int],
        strength: float = 1.0,
        name: str = "logit_adjusted",
        reduction: str = "sum_over_batch_size",
        **kwargs: object,
    ):
        super().__init__(name, reduction, **kwargs)
        self.counts = [float(count) for count in counts]
        self.strength = strength
        share = _shares(self.counts)
        self.offset = (strength * np.log(share)).astype("float32")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        y_pred = ops.convert_to_tensor(y_pred)
        ids = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        scores = y_pred + ops.cast(self.offset, y_pred.dtype)
        return ops.sparse_categorical_crossentropy(ids, scores, True)

    def get_config(self) -> dict[str, Any]:
        config = {"counts": self.counts, "strength": self.strength}
        return {**super().get_config(), **config}


LOSSES = {
    "classification": lambda: keras.losses.SparseCategoricalCrossentropy(True),
    "multilabel": lambda: Masked("binary"),
    "regression": lambda: Masked("squared"),
}


def _shares(counts: Sequence[float]) -> np.ndarray:
    samples = np.asarray(counts, "float64")
    if samples.ndim != 1 or len(samples) < 2 or not (samples >= 0).all():
        raise ValueError(
            "`counts` must be the samples of each of at least two classes."
            f" Received: {samples.tolist()}."
        )
    samples = np.maximum(samples, 1.0)
    return samples / samples.sum()


def _focal(counts: Sequence[int] | None) -> keras.losses.Loss:
    weights: float | list[float] = 1.0
    if counts is not None:
        share = _shares(counts)
        weights = [float(weight) for weight in 1 / (len(share) * share)]
    return OneHot(
        keras.losses.CategoricalFocalCrossentropy(weights, from_logits=True)
    )


def _smooth(counts: Sequence[int] | None) -> keras.losses.Loss:
    return OneHot(
        keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=0.1
        )
    )


NAMED: dict[str, Callable[..., keras.losses.Loss]] = {
    "focal": _focal,
    "logit_adjusted": LogitAdjusted,
    "label_smoothing": _smooth,
}


def get(
    name: str,
    problem: str = "classification",
    counts: Sequence[int] | None = None,
) -> keras.losses.Loss:
    """Returns the loss that a name stands for.

    Args:
        name: A key of `NAMED`, or empty for the default of the problem:
            `"focal"` (each class weighed by the inverse of its share),
            `"logit_adjusted"` or `"label_smoothing"`.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        counts: Number of training samples of each class; `None` for equal
            classes.

    Returns:
        The loss.

    Raises:
        ValueError: If there is no such loss for the problem.

    Example:
    >>> get("logit_adjusted", counts=[30, 10]).counts
    [30.0, 10.0]
    """
    if not name:
        return LOSSES[problem]()
    if name == "focal" and problem == "multilabel":
        return Masked("focal")
    if name not in NAMED or problem != "classification":
        raise ValueError(
            f"There is no loss {name!r} for {problem}. Expected, for"
            f" classification, one of {', '.join(NAMED)}; for multilabel,"
            " 'focal'; or an empty name for the default."
        )
    if counts is None and name == "logit_adjusted":
        return LOSSES[problem]()
    return NAMED[name](counts)
