"""Weights of all source classes, estimated by counting."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.mappings.assignment import AGGREGATIONS
from reprogram.mappings.frequency import class_ids


@keras.saving.register_keras_serializable("reprogram")
class BayesianMapping(keras.layers.Layer):
    """Weighs every source class for every target class, without gradients.

    Where `D[s, t]` counts the samples of target class `t` that the source
    takes for `s`, the weights are `D[s, t] / (sum of D[s] + smoothing)`, each
    column then brought to the sum 1. A class without samples weighs all
    source classes alike, and so does a mapping that was not adapted. Source
    classes are shared, so there may be fewer of them than target classes.

    Give `fit` the callback `Readapt`, which counts anew before every epoch; a
    `Recipe` does so by itself.

    Args:
        classes: Number of target classes.
        smoothing: Of the counts of a source class; 0 for none.
        aggregation: What is weighed: `"logit"` as in the reference,
            `"log_probability"`, or `"probability"` (the logarithm is
            returned).
        from_logits: Whether the source gives logits; otherwise it gives
            probabilities.

    Raises:
        ValueError: If an argument is out of range.

    Example:
    >>> mapping = BayesianMapping(2, smoothing=0.0)
    >>> mapping.adapt(np.eye(3)[[2, 2, 0, 2]], np.array([0, 0, 1, 1]))
    >>> keras.ops.convert_to_numpy(mapping.shares).round(2).tolist()
    [[0.0, 0.75], [0.0, 0.0], [1.0, 0.25]]

    Reference: Cai et al., Bayesian-guided Label Mapping for Visual
    Reprogramming, 2024.
    """

    each_epoch = True

    def __init__(
        self,
        classes: int,
        smoothing: float = 1.0,
        aggregation: str = "logit",
        from_logits: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        if classes < 2 or smoothing < 0 or aggregation not in AGGREGATIONS:
            raise ValueError(
                "Expected at least 2 classes, a smoothing of at least 0 and an"
                f" aggregation of {', '.join(AGGREGATIONS)}. Received:"
                f" classes={classes}, smoothing={smoothing},"
                f" aggregation={aggregation!r}."
            )
        self.classes = classes
        self.smoothing = smoothing
        self.aggregation = aggregation
        self.from_logits = from_logits

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) != 2 or not input_shape[-1]:
            raise ValueError(
                "The mapping reads answers of shape (batch, source classes)."
                f" Received {input_shape}. Read the source's scores."
            )
        width = input_shape[-1]
        self.input_spec = keras.layers.InputSpec(ndim=2, axes={-1: width})
        self.shares = self.add_weight(
            shape=(width, self.classes),
            initializer=keras.initializers.Constant(1 / width),
            trainable=False,
            name="shares",
        )

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        if not self.from_logits:
            x = ops.log(ops.maximum(x, 1e-12))
        elif self.aggregation != "logit":
            x = ops.log_softmax(x)
        if self.aggregation != "probability":
            return ops.matmul(x, self.shares)
        # Relative to the largest, so that small numbers are not lost.
        top = ops.max(x, axis=-1, keepdims=True)
        mixed = ops.matmul(ops.exp(x - top), self.shares)
        return ops.log(mixed + 1e-12) + top

    def adapt(self, scores: np.ndarray, labels: np.ndarray) -> None:
        """Counts, and sets the weights.

        Args:
            scores: The source's answers `(samples, source classes)`.
            labels: Target class ids `(samples,)`.

        Raises:
            ValueError: If a label is not a target class.
        """
        labels = class_ids(labels, self.classes)
        scores = np.asarray(scores, "float64")
        if not self.built:
            self.build(scores.shape)
        counts = self.taken(scores).T @ np.eye(self.classes)[labels]
        total = counts.sum(axis=1, keepdims=True) + self.smoothing
        given = counts / np.where(total > 0, total, 1.0)
        column = given.sum(axis=0)
        alike = np.full_like(given, 1 / len(given))
        shares = given / np.where(column > 0, column, 1.0)
        self.shares.assign(np.where(column > 0, shares, alike))

    def taken(self, scores: np.ndarray) -> np.ndarray:
        """Says how far each sample counts for each source class.

        Args:
            scores: The source's answers `(samples, source classes)`.

        Returns:
            An array of the same shape: 1 for the largest score, else 0.
        """
        return np.eye(scores.shape[1])[scores.argmax(axis=1)]

    def matrix(self) -> np.ndarray:
        """Returns the weights `(source classes, classes)`."""
        return ops.convert_to_numpy(self.shares)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.classes)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "classes": self.classes,
            "smoothing": self.smoothing,
            "aggregation": self.aggregation,
            "from_logits": self.from_logits,
        }


@keras.saving.register_keras_serializable("reprogram")
class BayesianPlusMapping(BayesianMapping):
    """A `BayesianMapping` that counts probabilities, not winners alone.

    A sample counts for its most probable source classes, each with its
    probability.

    Args:
        classes: Number of target classes.
        ratio: The most probable `ratio * classes` source classes count,
            rounded up: at least one.
        **kwargs: See `BayesianMapping`.

    Raises:
        ValueError: If an argument is out of range.

    Example:
    >>> BayesianPlusMapping(2).top(10), BayesianPlusMapping(20).top(10)
    (1, 3)

    Reference: Cai et al., Bayesian-guided Label Mapping for Visual
    Reprogramming, 2024.
    """

    def __init__(self, classes: int, ratio: float = 0.15, **kwargs: Any):
        super().__init__(classes, **kwargs)
        if not 0 <= ratio <= 1:
            raise ValueError(
                f"`ratio` must be between 0 and 1. Received: ratio={ratio}."
            )
        self.ratio = ratio

    def top(self, source_classes: int) -> int:
        """Returns how many source classes of a sample count."""
        # A little less, because 0.15 * 20 may be above 3.
        wanted = math.ceil(self.ratio * self.classes - 1e-9)
        return min(max(1, wanted), source_classes)

    def taken(self, scores: np.ndarray) -> np.ndarray:
        from scipy.special import softmax

        shares = softmax(scores, axis=1) if self.from_logits else scores
        order = np.argsort(-shares, axis=1, kind="stable")
        kept = order[:, : self.top(scores.shape[1])]
        found = np.zeros_like(shares)
        values = np.take_along_axis(shares, kept, axis=1)
        np.put_along_axis(found, kept, values, axis=1)
        return found

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "ratio": self.ratio}
