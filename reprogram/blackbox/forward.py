"""The forward pass of a transform and a metered service, at any program."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram import gradients
from reprogram.blackbox.meter import Meter
from reprogram.blackbox.scores import SMALLEST

ROWS = 512  # queries that are prepared at once, to bound the memory


class Forward:
    """Asks a service for the scores of inputs under several programs.

    Args:
        meter: `Meter` around the service.
        transform: Input transform, used in inference mode, as differences
            between random losses mean nothing.
    """

    def __init__(self, meter: Meter, transform: keras.layers.Layer):
        self.meter, self.transform = meter, transform
        self.logits: bool | None = None
        self._place: Callable | None = None

    def values(self) -> np.ndarray:
        """Returns the trained values in one row, float32."""
        rows = [
            ops.convert_to_numpy(v).ravel()
            for v in self.transform.trainable_variables
        ]
        return np.concatenate([*rows, np.zeros(0)]).astype("float32")

    def assign(self, values: np.ndarray) -> None:
        """Sets the trained values, from one row."""
        variables = self.transform.trainable_variables
        for variable, part in zip(variables, self.split(values)):
            variable.assign(part)

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """Cuts a row of values into arrays shaped as the variables."""
        variables = self.transform.trainable_variables
        ends = np.cumsum([np.prod(v.shape, dtype=int) for v in variables])
        parts = np.split(np.asarray(values, "float32"), ends[:-1])
        return [p.reshape(v.shape) for p, v in zip(parts, variables)]

    def surrogate(self, gradient: np.ndarray) -> Any:
        """Returns a zero whose gradient in the program is the given one."""
        return sum(
            ops.sum(part * (variable - ops.stop_gradient(variable)))
            for variable, part in zip(
                self.transform.trainable_variables, self.split(gradient)
            )
        )

    def meet(self, inputs: np.ndarray) -> None:
        """Asks one query, if it is not known how many classes there are."""
        if self.meter.classes is not None:
            return
        if not self.transform.built:
            self.transform.build((None, *inputs.shape[1:]))
        self.meter.query(ops.convert_to_numpy(self.transform(inputs)), "train")

    def scores(
        self,
        points: np.ndarray,
        inputs: np.ndarray,
        purpose: str,
        reserve: int = 0,
    ) -> np.ndarray:
        """Asks for the scores of a batch under several programs.

        Args:
            points: Programs `(points, values)`.
            inputs: Inputs of the transform `(rows, ...)`.
            purpose: Purpose of the queries, as in `Meter.query`.
            reserve: Number of queries to leave afterwards.

        Returns:
            Log-probabilities, or logits, `(points, rows, classes)`.
        """
        inputs = np.asarray(inputs, "float32")
        together = max(1, ROWS // len(inputs))
        scores = []
        for start in range(0, len(points), together):
            part = points[start : start + together]
            batch = np.concatenate([self._placed(p, inputs) for p in part])
            scores.append(self.meter.query(batch, purpose, reserve))
        shape = len(points), len(inputs), -1
        return self._log(np.concatenate(scores).reshape(shape))

    def _placed(self, values: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        if self._place is None:
            self._place = gradients.compiled(
                gradients.stateless(
                    lambda x: self.transform(x, training=False),
                    self.transform.trainable_variables,
                )
            )
        return ops.convert_to_numpy(self._place(self.split(values), inputs))

    def _log(self, scores: np.ndarray) -> np.ndarray:
        if self.logits is None:
            inside = (scores >= 0).all() and (scores <= 1.001).all()
            sums = scores.sum(axis=-1)  # rounding may take or add some
            near = (sums > 0.5).all() and (sums < 1.5).all()
            self.logits = not (inside and near)
        if self.logits:
            return scores
        return np.log(np.maximum(scores, SMALLEST))


def mean_losses(
    mapping: keras.layers.Layer,
    loss: Any,
    scores: np.ndarray,
    targets: Any,
    weights: Any = None,
) -> Any:
    """Returns the loss at each program `(points,)`.

    It is the mean over the rows of scores `(points, rows, classes)`, with
    weights `(rows,)` if there are some, and differentiable in the mapping.
    """
    count, rows, classes = scores.shape
    mapped = mapping(scores.reshape(-1, classes), training=True)
    y = np.concatenate([ops.convert_to_numpy(targets)] * count)
    loss = keras.losses.get(loss)
    each = getattr(loss, "call", loss)(ops.convert_to_tensor(y), mapped)
    each = ops.reshape(each, (count, rows, -1))
    if weights is not None:
        each = each * ops.reshape(ops.cast(weights, each.dtype), (1, -1, 1))
    return ops.mean(each, axis=(1, 2))
