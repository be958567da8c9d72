"""A small trainable correction of another mapping's answers."""

from typing import Any
from typing import Self

import keras
import numpy as np
from keras import ops

from reprogram.mappings.description import matrix
from reprogram.mappings.frequency import FrequencyMapping


@keras.saving.register_keras_serializable("reprogram")
class CorrectionMapping(keras.layers.Layer):
    """Multiplies the answers of a base mapping by identity plus low rank.

    Trains `answers @ (I + left @ right) + bias`. `right` and `bias` start at
    zero, so training starts at the base mapping.

    Args:
        classes: Number of target classes.
        rank: Of the correction; at most the number of classes.
        base: The mapping to correct; `None` for a `FrequencyMapping`.
        regularizer: Of both factors, such as `"l2"`.

    Raises:
        ValueError: If an argument is out of range, or the base gives another
            number of answers.

    Example:
    >>> CorrectionMapping(3, rank=1)(keras.ops.ones((2, 10))).shape[1:] == (3,)
    True
    """

    def __init__(
        self,
        classes: int,
        rank: int = 1,
        base: keras.layers.Layer | None = None,
        regularizer: str | keras.Regularizer | None = None,
        **kwargs: Any,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        if not 1 <= rank <= classes:
            raise ValueError(
                "`rank` must be between 1 and the number of classes. Received:"
                f" rank={rank}, classes={classes}."
            )
        self.classes = classes
        self.rank = rank
        self.base = FrequencyMapping(classes) if base is None else base
        self.regularizer = keras.regularizers.get(regularizer)

    def build(self, input_shape: tuple) -> None:
        if not self.base.built:
            self.base.build(input_shape)
        shape = self.base.compute_output_shape(input_shape)
        if shape[-1] != self.classes:
            raise ValueError(
                f"The base {type(self.base).__name__} gives {shape[-1]}"
                f" answers and there are {self.classes} classes. Set both to"
                " the same number."
            )
        self.left = self._factor((self.classes, self.rank), "glorot_uniform")
        self.right = self._factor((self.rank, self.classes), "zeros")
        self.bias = self.add_weight(
            shape=(self.classes,), initializer="zeros", name="bias"
        )

    def _factor(self, shape: tuple[int, int], initializer: str) -> object:
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            regularizer=self.regularizer,
            name="right" if initializer == "zeros" else "left",
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = ops.cast(self.base(inputs), self.compute_dtype)
        change = ops.matmul(ops.matmul(x, self.left), self.right)
        return x + change + self.bias

    def adapt(self, scores: np.ndarray, labels: np.ndarray) -> None:
        """Adapts the base; the correction stays as it is.

        Args:
            scores: The source's answers `(samples, source classes)`.
            labels: Target class ids `(samples,)`.

        Raises:
            ValueError: If the base has nothing to adapt.
        """
        if not self.built:
            self.build(np.shape(scores))
        if not hasattr(self.base, "adapt"):
            raise ValueError(
                f"The base {type(self.base).__name__} has nothing to adapt."
                " Leave `adapt` out."
            )
        self.base.adapt(scores, labels)

    def matrix(self) -> np.ndarray | None:
        """Returns weights `(source classes, classes)`, correction included.

        `None` if the base has none.
        """
        same = np.eye(self.classes)
        identity = isinstance(self.base, keras.layers.Identity)
        base = same if identity else matrix(self.base)
        if base is None:
            return None
        change = ops.convert_to_numpy(ops.matmul(self.left, self.right))
        return base @ (same + change)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.classes)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "classes": self.classes,
            "rank": self.rank,
            "base": keras.saving.serialize_keras_object(self.base),
            "regularizer": keras.regularizers.serialize(self.regularizer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        base = keras.saving.deserialize_keras_object(config["base"])
        return cls(**{**config, "base": base})
