"""A trainable linear layer on the source's answers or features."""

from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.mappings.probes import PROBES
from reprogram.mappings.probes import columns

# Deviations, once they are known: an input that hardly varied among the labels
# must not decide where it is far outside.
LIMIT = 5.0


@keras.saving.register_keras_serializable("reprogram")
class LinearMapping(keras.layers.Layer):
    """Maps standardized answers or features of the source linearly.

    Starts at zero. `Reprogrammer.adapt` warms it up: it sets the mean and the
    scale of the inputs, the spread of the targets of a regression, and the
    weights of a ridge or logistic regression fitted on the training data with
    the penalty chosen by cross-validation inside them.

    With the `feature_layer` of a Reprogrammer it is a head on the source's
    features, which keep more than its answers do; without it the mapping
    reads the answers.

    Args:
        targets: Number of target classes or values.
        problem: What `adapt` fits: `"classification"`, `"multilabel"` or
            `"regression"`.
        regularizer: Of the weights, such as `"l2"`; of both factors where the
            rank is given.
        rank: Largest rank of the weights, `None` for any. Fewer values to
            train where inputs and targets are many.

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
        rank: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        if rank is not None and not 1 <= rank <= targets:
            raise ValueError(
                "`rank` must be None or between 1 and the number of targets."
                f" Received: rank={rank}, targets={targets}."
            )
        if targets < 1 or problem not in PROBES:
            raise ValueError(
                f"Expected at least 1 target and a problem of"
                f" {', '.join(PROBES)}. Received: targets={targets},"
                f" problem={problem!r}."
            )
        self.targets = targets
        self.problem = problem
        self.regularizer = keras.regularizers.get(regularizer)
        self.rank = rank

    def build(self, input_shape: tuple) -> None:
        width = input_shape[-1]
        if self.rank is not None and self.rank > width:
            raise ValueError(
                f"A rank of {self.rank} needs as many inputs. Received:"
                f" {input_shape}. Lower `rank`."
            )
        self.input_spec = keras.layers.InputSpec(axes={-1: width})
        self.mean = self.add_weight(
            shape=(width,), initializer="zeros", trainable=False, name="mean"
        )
        self.limit = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(1e9),
            trainable=False,
            name="limit",
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
        if self.rank is None:
            self.kernel = self._weights("kernel", (width, self.targets))
        else:
            # Not zero too: the gradient of the right factor needs it.
            self.left = self._weights(
                "left", (width, self.rank), "glorot_uniform"
            )
            self.right = self._weights("right", (self.rank, self.targets))
        self.bias = self.add_weight(
            shape=(self.targets,), initializer="zeros", name="bias"
        )

    def _weights(
        self, name: str, shape: tuple, initializer: str = "zeros"
    ) -> keras.Variable:
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            regularizer=self.regularizer,
            name=name,
        )

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        limit = ops.convert_to_tensor(self.limit)
        x = ops.clip((x - self.mean) / self.scale, -limit, limit)
        if self.rank is None:
            x = ops.matmul(x, self.kernel)
        else:
            x = ops.matmul(ops.matmul(x, self.left), self.right)
        return self.spread * (x + self.bias)

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
        x = np.clip(x, -LIMIT, LIMIT)
        groups = np.arange(len(x)) if groups is None else np.asarray(groups)
        probe = PROBES[self.problem]
        kernel, bias = probe(x, targets, self.targets, groups)
        spread = np.ones(self.targets)
        if self.problem == "regression":
            known = np.ma.masked_invalid(columns(targets, self.targets))
            spread = known.std(axis=1).filled(1.0)
            spread = np.where(spread > 0, spread, 1.0)
        self.mean.assign(features.mean(axis=0))
        self.scale.assign(scale)
        self.limit.assign(LIMIT)
        self.spread.assign(spread)
        self._assign(kernel / spread)
        self.bias.assign(bias / spread)

    def _assign(self, kernel: np.ndarray) -> None:
        if self.rank is None:
            self.kernel.assign(kernel)
            return
        left, sizes, right = np.linalg.svd(kernel, full_matrices=False)
        root = np.sqrt(sizes[: self.rank])
        self.left.assign(left[:, : self.rank] * root)
        self.right.assign(root[:, None] * right[: self.rank])

    def matrix(self) -> np.ndarray:
        """Returns the weights `(width, targets)` of standardized inputs."""
        if self.rank is None:
            kernel = ops.convert_to_numpy(self.kernel)
        else:
            kernel = ops.convert_to_numpy(ops.matmul(self.left, self.right))
        return kernel * ops.convert_to_numpy(self.spread)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.targets)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "targets": self.targets,
            "problem": self.problem,
            "regularizer": keras.regularizers.serialize(self.regularizer),
            "rank": self.rank,
        }
