"""A Reprogrammer whose source only answers queries."""

import hashlib
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram import mappings
from reprogram import transforms
from reprogram.blackbox import estimators
from reprogram.blackbox.asked import Asked
from reprogram.blackbox.errors import BudgetSpent
from reprogram.blackbox.meter import Meter
from reprogram.program import Program


class BlackBoxReprogrammer(keras.Model):
    """Trains a program around a model that gives answers and no gradients.

    `fit` asks for the losses at the points that the estimator names, all in
    one batch, and descends along the estimated gradient; the mapping behind
    the service is trained with its true gradient. No tensor leads to the
    service, so there is nothing to differentiate.

    Training stops cleanly when the budget is spent, and a started run repeats
    for free what its ledger knows: the same command resumes. Runs on the
    TensorFlow backend.

    Args:
        meter: The service, metered.
        transform: An input transform, or its name; in inference mode, as
            differences between random losses mean nothing.
        mapping: A label mapping, or its name. It reads log-probabilities, or
            the logits of a service that answers these.
        estimator: How gradients are estimated; see `estimators.get`.
        seed: Of the points; with the seed of Keras it repeats a run.

    Attributes:
        stopped: Why training ended before its epochs, or empty.
        idle: Whether there was no step since it was last set.
        reserve: Queries that training leaves, for validation.

    Raises:
        RuntimeError: On another backend than TensorFlow.

    Example:
    >>> meter = Meter(lambda x: np.abs(x[:, :3, 0]) + 0.1)
    >>> frame = transforms.Padding((6, 1), value_range=(-1.0, 1.0))
    >>> model = BlackBoxReprogrammer(meter, frame, mappings.LinearMapping(2))
    >>> x, y = np.ones((8, 4, 1), "float32"), np.arange(8) % 2
    >>> model.adapt(x, y)
    >>> model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
    >>> history = model.fit(x, y, batch_size=4, epochs=1, verbose=0)
    >>> meter.bill().purposes["train"] > 0
    True

    Reference: Tsai, Chen and Ho, Transfer Learning without Knowing, 2020.
    """

    def __init__(
        self,
        meter: Meter,
        transform: keras.layers.Layer | str | None = None,
        mapping: keras.layers.Layer | str | None = None,
        estimator: str | estimators.Estimator = "orthogonal",
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if keras.backend.backend() != "tensorflow":
            raise RuntimeError(
                "Training by queries runs on the TensorFlow backend. Received:"
                f" {keras.backend.backend()}. Set KERAS_BACKEND=tensorflow."
            )
        self.transform = transforms.get(transform)
        self.mapping = mappings.get(mapping)
        self.estimator = estimators.get(estimator)
        self.seed = seed
        self.stopped = ""
        self._asked = Asked(meter, self.transform)
        self.reserve, self.idle = 0, True

    @property
    def meter(self) -> Meter:
        """The service and what it has cost."""
        return self._asked.meter

    def build(self, input_shape):
        if not self.transform.built:
            self.transform.build(input_shape)
        if not self.mapping.built:
            if self.meter.classes is None:
                raise ValueError(
                    "It is not known how many classes the service has. Call"
                    " `adapt` or `fit`, or ask the meter once."
                )
            self.mapping.build((None, self.meter.classes))
        self.built = True

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compiles as `keras.Model.compile`; steps run eagerly."""
        super().compile(*args, **{**kwargs, "run_eagerly": True})

    def call(self, inputs, training=None):
        if keras.backend.is_keras_tensor(inputs) or not hasattr(
            inputs, "numpy"
        ):  # Keras only asks for shapes here
            return self.mapping(ops.zeros((1, self.meter.classes)))
        x = ops.convert_to_numpy(inputs)
        if training:
            answers = self._explore(x)
            return self.mapping(answers.mean(axis=0), training=True)
        center = self.values()[None]
        found = self.answers_at(center, x, self._purpose)[0]
        return self.mapping(found, training=False)

    _purpose = "inference"

    def compute_output_shape(self, input_shape):
        return self.mapping.compute_output_shape(
            (input_shape[0], self.meter.classes)
        )

    def values(self) -> np.ndarray:
        """Returns the trained values of the transform in one row, float32."""
        return self._asked.values()

    def assign(self, values: np.ndarray) -> None:
        """Sets the trained values of the transform, from one row."""
        self._asked.assign(values)

    def answers_at(
        self, points: np.ndarray, inputs: np.ndarray, purpose: str
    ) -> np.ndarray:
        """Asks for the answers to a batch under several programs.

        Args:
            points: Programs `(points, values)`.
            inputs: `(rows, ...)`, what the transform reads.
            purpose: See `Meter.query`.

        Returns:
            Log-probabilities, or logits, `(points, rows, classes)`. They do
            not depend on how many points are asked at once.

        Raises:
            BudgetSpent: If the budget does not cover them.
        """
        reserve = self.reserve if purpose == "train" else 0
        return self._asked.answers(points, inputs, purpose, reserve)

    def losses_at(
        self, points: np.ndarray, inputs: np.ndarray, targets: np.ndarray
    ) -> np.ndarray:
        """Returns the loss of a batch at each point `(points,)`.

        Args:
            points: Programs `(points, values)`.
            inputs: `(rows, ...)`.
            targets: Theirs.
        """
        answers = self.answers_at(points, inputs, "train")
        return ops.convert_to_numpy(self._at(answers, targets, None))

    def _at(self, answers: np.ndarray, targets: Any, weights: Any) -> Any:
        """The loss at each point, differentiable in the mapping."""
        count, rows, classes = answers.shape
        scores = self.mapping(answers.reshape(-1, classes), training=True)
        y = np.concatenate([ops.convert_to_numpy(targets)] * count)
        loss = keras.losses.get(self.loss)
        each = getattr(loss, "call", loss)(ops.convert_to_tensor(y), scores)
        each = ops.reshape(each, (count, rows, -1))
        if weights is not None:
            each = each * ops.reshape(ops.cast(weights, each.dtype), (1, -1, 1))
        return ops.mean(each, axis=(1, 2))

    def _explore(self, inputs: np.ndarray) -> np.ndarray:
        center = self.values()
        step = int(self.optimizer.iterations)
        rng = np.random.default_rng([self.seed, step])
        points = self.estimator.points(center.astype("float64"), rng)
        answers = self.answers_at(points, inputs, "train")
        self._round = (center, points, answers)
        return answers

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Returns the mean loss; its gradient is the estimate."""
        if not training:
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        center, points, answers = self._round
        losses = self._at(answers, y, sample_weight)
        found = self.estimator.gradient(
            center.astype("float64"), points, ops.convert_to_numpy(losses)
        )
        # Its value is nothing, its gradient what was estimated.
        surrogate = sum(
            ops.sum(part * (variable - ops.stop_gradient(variable)))
            for variable, part in zip(
                self.transform.trainable_variables, self._asked.split(found)
            )
        )
        return ops.mean(losses) + surrogate + sum(self.losses)

    def train_step(self, data):
        self._purpose = "train"
        try:
            logs = super().train_step(data)
        except BudgetSpent as spent:
            self.stopped = str(spent)
            self.stop_training = True
            return self.get_metrics_result()
        self.idle = False
        return logs

    def test_step(self, data):
        self._purpose = "validation"
        return super().test_step(data)

    def predict_step(self, data):
        self._purpose = "inference"
        return super().predict_step(data)

    def adapt(
        self, inputs: np.ndarray, targets: np.ndarray, **options: Any
    ) -> None:
        """Lets the mapping learn from answers, which are paid once.

        Args:
            inputs: `(samples, ...)`, training data only.
            targets: Class ids `(samples,)`.
            **options: Of the mapping's own `adapt`.

        Raises:
            BudgetSpent: If the budget does not cover them.
        """
        self._meet(inputs)
        answers = self.answers_at(self.values()[None], inputs, "train")[0]
        if hasattr(self.mapping, "adapt"):
            self.mapping.adapt(answers, targets, **options)

    def _meet(self, inputs: np.ndarray) -> None:
        """Builds the model; asks one query if nothing was asked before."""
        if self.built:
            return
        inputs = np.asarray(inputs[:1], "float32")
        if self.meter.classes is None:
            if not self.transform.built:
                self.transform.build((None, *inputs.shape[1:]))
            first = ops.convert_to_numpy(self.transform(inputs))
            self.meter.query(first, "train")
        self.build((None, *inputs.shape[1:]))

    def fit(self, x, y=None, batch_size=32, validation_data=None, **kwargs):
        """Trains as `keras.Model.fit`, on arrays.

        Queries for one more validation are kept back, so that the last
        program is validated too.

        Raises:
            ValueError: If the inputs are no arrays.
            BudgetSpent: If the budget does not cover the first step; nothing
                was asked then.
        """
        if not isinstance(x, np.ndarray):
            raise ValueError(
                f"Expected NumPy arrays. Received: {type(x).__name__}. Draw"
                " an array, so that its queries can be counted beforehand."
            )
        held = len(validation_data[0]) if validation_data else 0
        self.reserve, self.stopped = max(self.reserve, held), ""
        self._check_budget(min(batch_size, len(x)), held, x)
        return super().fit(
            x,
            y,
            batch_size=batch_size,
            validation_data=validation_data,
            **kwargs,
        )

    def _check_budget(self, rows: int, held: int, x: np.ndarray) -> None:
        budget = self.meter.budget
        probe = np.zeros(1)
        points = len(self.estimator.points(probe, np.random.default_rng(0)))
        needed = points * rows + held
        if budget is not None and needed > budget:
            raise BudgetSpent(
                f"One step asks {points * rows} queries and its validation"
                f" {held}; the budget is {budget}. Raise it, lower"
                " `batch_size`, or use fewer directions."
            )
        self._meet(x)

    def source_fingerprint(self) -> str:
        """Returns the SHA-256 of the name of the service."""
        return hashlib.sha256(self.meter.name.encode()).hexdigest()

    def save_program(self, path: str) -> None:
        """Saves the transform and the mapping, to a `.weights.h5` file."""
        Program(self).save_weights(path, overwrite=True)

    def load_program(self, path: str) -> None:
        """Loads what `save_program` wrote for the same service."""
        Program(self).load_weights(path)
