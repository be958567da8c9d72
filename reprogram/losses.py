"""Losses for targets with missing values."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("reprogram")
class Masked(keras.losses.Loss):
    """Averages a loss over the targets that are known.

    Args:
        kind: `"squared"` for regression, or `"binary"` for multi-label
            targets of 0 and 1 against logits.

    Raises:
        ValueError: If `kind` is neither.

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
        if kind not in ("squared", "binary"):
            raise ValueError(
                f"`kind` must be squared or binary. Received: {kind!r}."
            )
        self.kind = kind

    def call(self, y_true, y_pred):
        y_pred = ops.convert_to_tensor(y_pred)
        y_true = ops.cast(y_true, y_pred.dtype)
        known = ops.logical_not(ops.isnan(y_true))
        y_true = ops.where(known, y_true, ops.zeros_like(y_true))
        if self.kind == "squared":
            loss = ops.square(y_true - y_pred)
        else:
            loss = ops.binary_crossentropy(y_true, y_pred, from_logits=True)
        known = ops.cast(known, y_pred.dtype)
        share = ops.maximum(ops.mean(known), 1e-6)
        return ops.mean(loss * known, axis=-1) / share

    def get_config(self):
        return {**super().get_config(), "kind": self.kind}


LOSSES = {
    "classification": lambda: keras.losses.SparseCategoricalCrossentropy(True),
    "multilabel": lambda: Masked("binary"),
    "regression": lambda: Masked("squared"),
}
