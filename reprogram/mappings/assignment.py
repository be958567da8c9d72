"""What mappings share that give each target class some source classes."""

from typing import Any

import keras
import numpy as np
from keras import ops

AGGREGATIONS = ("probability", "log_probability", "logit")
IMPOSSIBLE = -1e9


class AssignmentMapping(keras.layers.Layer):
    """Averages the source's answers over the classes of each target class.

    The output are logits of the target classes: `softmax` of it gives their
    probabilities, renormalized over the source classes in use.

    Args:
        classes: Number of target classes.
        labels_per_class: Source classes that each target class receives.
        aggregation: What is averaged: `"probability"` (its logarithm is
            returned), `"log_probability"` or `"logit"`.
        from_logits: Whether the source gives logits; otherwise it gives
            probabilities.

    Raises:
        ValueError: If an argument is out of range, or if the source has
            fewer classes than are asked for.
    """

    def __init__(
        self,
        classes: int,
        labels_per_class: int = 1,
        aggregation: str = "probability",
        from_logits: bool = True,
        **kwargs: Any,
    ):
        # Sums of logarithms need float32, whatever the global policy says.
        super().__init__(**{"dtype": "float32", **kwargs})
        if classes < 2 or labels_per_class < 1:
            raise ValueError(
                "Expected at least 2 target classes and 1 source class for"
                f" each. Received: classes={classes},"
                f" labels_per_class={labels_per_class}."
            )
        if aggregation not in AGGREGATIONS:
            raise ValueError(
                f"`aggregation` must be one of {', '.join(AGGREGATIONS)}."
                f" Received: aggregation={aggregation!r}."
            )
        self.classes = classes
        self.labels_per_class = labels_per_class
        self.aggregation = aggregation
        self.from_logits = from_logits

    def build(self, input_shape: tuple) -> None:
        self.check_source(input_shape)
        axes = {-1: input_shape[-1]}
        self.input_spec = keras.layers.InputSpec(ndim=2, axes=axes)
        table = self.initial_table(input_shape[-1])
        # An assignment would be lost when `fit` builds the model.
        self.table = self.add_weight(
            shape=table.shape,
            dtype="int32",
            initializer=lambda shape, dtype: ops.convert_to_tensor(
                table, dtype
            ),
            trainable=False,
            name="table",
        )

    def check_source(self, shape: tuple) -> None:
        """Checks that a source of answers `shape` has classes enough.

        Raises:
            ValueError: If it has not.
        """
        needed = self.classes * self.labels_per_class
        if len(shape) != 2 or (shape[-1] or 0) < needed:
            raise ValueError(
                f"{self.classes} target classes with {self.labels_per_class}"
                f" source classes each need a source of at least {needed}"
                f" classes, shape (batch, classes). Received {shape}."
                " Lower `labels_per_class`, or use LinearMapping or"
                " BayesianMapping, which share source classes."
            )

    def initial_table(self, source_classes: int) -> np.ndarray:
        """Returns source class ids `(classes, labels_per_class)`.

        A row with fewer classes ends in -1.
        """
        needed = self.classes * self.labels_per_class
        return np.arange(needed).reshape(self.classes, self.labels_per_class)

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        if self.aggregation != "logit":
            x = ops.log_softmax(x) if self.from_logits else _log(x)
        elif not self.from_logits:
            x = _log(x)
        used = self.table >= 0
        count = ops.sum(ops.cast(used, x.dtype), axis=-1)
        rows = ops.reshape(ops.maximum(self.table, 0), (-1,))
        x = ops.reshape(
            ops.take(x, rows, axis=-1),
            (-1, self.classes, self.labels_per_class),
        )
        if self.aggregation != "probability":
            return ops.sum(ops.where(used, x, 0.0), axis=-1) / count
        x = ops.where(used, x, IMPOSSIBLE)
        return ops.logsumexp(x, axis=-1) - ops.log(count)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.classes)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "classes": self.classes,
            "labels_per_class": self.labels_per_class,
            "aggregation": self.aggregation,
            "from_logits": self.from_logits,
        }


def _log(probabilities: object) -> object:
    return ops.log(ops.maximum(probabilities, 1e-12))
