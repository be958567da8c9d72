"""A transform in front of a metered service, at any values of its program."""

import keras
import numpy as np
from keras import ops

from reprogram import gradients
from reprogram.blackbox.answers import SMALLEST
from reprogram.blackbox.meter import Meter

ROWS = 512  # queries that are prepared at once, to bound the memory


class Asked:
    """Asks a service about inputs under several programs.

    Args:
        meter: The service, metered.
        transform: The input transform; in inference mode, as differences
            between random losses mean nothing.
    """

    def __init__(self, meter: Meter, transform: keras.layers.Layer):
        self.meter, self.transform = meter, transform
        self._logits: bool | None = None
        self._place = None

    def values(self) -> np.ndarray:
        """Returns the trained values in one row, float32."""
        rows = [
            ops.convert_to_numpy(v).ravel()
            for v in self.transform.trainable_variables
        ]
        return np.concatenate([*rows, np.zeros(0)]).astype("float32")

    def assign(self, values: np.ndarray) -> None:
        """Sets the trained values, from one row."""
        for variable, part in zip(
            self.transform.trainable_variables, self.split(values)
        ):
            variable.assign(part)

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """Cuts a row of values into arrays shaped as the variables."""
        variables = self.transform.trainable_variables
        ends = np.cumsum([np.prod(v.shape, dtype=int) for v in variables])
        parts = np.split(np.asarray(values, "float32"), ends[:-1])
        return [p.reshape(v.shape) for p, v in zip(parts, variables)]

    def answers(
        self,
        points: np.ndarray,
        inputs: np.ndarray,
        purpose: str,
        reserve: int = 0,
    ) -> np.ndarray:
        """Asks for the answers to a batch under several programs.

        Args:
            points: Programs `(points, values)`.
            inputs: `(rows, ...)`, what the transform reads.
            purpose: See `Meter.query`.
            reserve: See `Meter.query`.

        Returns:
            Log-probabilities, or logits, `(points, rows, classes)`.
        """
        inputs = np.asarray(inputs, "float32")
        together = max(1, ROWS // len(inputs))
        found = []
        for start in range(0, len(points), together):
            part = points[start : start + together]
            batch = np.concatenate([self._placed(p, inputs) for p in part])
            found.append(self.meter.query(batch, purpose, reserve))
        answers = np.concatenate(found)
        answers = answers.reshape(len(points), len(inputs), -1)
        return self._log(answers)

    def _placed(self, values: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        if self._place is None:
            self._place = gradients.compiled(
                gradients.stateless(
                    lambda x: self.transform(x, training=False),
                    self.transform.trainable_variables,
                )
            )
        return ops.convert_to_numpy(self._place(self.split(values), inputs))

    def _log(self, answers: np.ndarray) -> np.ndarray:
        if self._logits is None:
            inside = (answers >= 0).all() and (answers <= 1.001).all()
            sums = answers.sum(axis=-1)  # rounding may take or add some
            near = (sums > 0.5).all() and (sums < 1.5).all()
            self._logits = not (inside and near)
        if self._logits:
            return answers
        return np.log(np.maximum(answers, SMALLEST))
