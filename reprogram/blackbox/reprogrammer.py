"""A Reprogrammer whose source only answers queries."""

import hashlib
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram import mappings
from reprogram import transforms
from reprogram.blackbox import estimators
from reprogram.blackbox.errors import BudgetSpent
from reprogram.blackbox.forward import Forward
from reprogram.blackbox.forward import mean_losses
from reprogram.blackbox.meter import Meter
from reprogram.program import Program


class BlackBoxReprogrammer(keras.Model):
    """Trains a program around a model that gives scores and no gradients.

    `fit` asks for the losses at the points that the estimator names, all in
    one batch, and descends along the estimated gradient; the mapping behind
    the service is trained with its true gradient. No tensor leads to the
    service, so there is nothing to differentiate.

    Training stops cleanly when the budget is spent, and a started run repeats
    for free what its ledger knows: the same command resumes. Runs on the
    TensorFlow backend.

    Args:
        meter: `Meter` around the service.
        transform: Input transform, or its name; used in inference mode, as
            differences between random losses mean nothing.
        mapping: Label mapping, or its name. It reads log-probabilities, or the
            logits of a service that returns logits.
        estimator: Gradient estimator, or a key of `estimators.ESTIMATORS`.
        seed: Seed of the points; with the seed of Keras it repeats a run.

    Attributes:
        stopped: Reason why training ended early; empty if it did not.
        idle: Whether there was no step since it was last set.
        reserve: Number of queries that training leaves, for validation.
        forward: The transform and the service, at any program.

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
        self.meter, self.seed = meter, seed
        self.forward = Forward(meter, self.transform)
        self.values, self.assign = self.forward.values, self.forward.assign
        self.reserve, self.idle, self.stopped = 0, True, ""
        self._purpose = "inference"

    def build(self, input_shape: tuple) -> None:
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

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if keras.backend.is_keras_tensor(inputs) or not hasattr(
            inputs, "numpy"
        ):  # Keras only asks for shapes here
            return self.mapping(ops.zeros((1, self.meter.classes)))
        x = ops.convert_to_numpy(inputs)
        if training:
            return self.mapping(self._explore(x).mean(axis=0), training=True)
        scores = self.scores_at(self.values()[None], x, self._purpose)[0]
        return self.mapping(scores, training=False)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return self.mapping.compute_output_shape(
            (input_shape[0], self.meter.classes)
        )

    def scores_at(
        self, points: np.ndarray, inputs: np.ndarray, purpose: str
    ) -> np.ndarray:
        """Asks for the scores of a batch under programs `(points, values)`.

        These are log-probabilities or logits `(points, rows, classes)`. The
        purposes are those of `Meter.query`.
        """
        reserve = self.reserve if purpose == "train" else 0
        return self.forward.scores(points, inputs, purpose, reserve)

    def _explore(self, inputs: np.ndarray) -> np.ndarray:
        center = self.values()
        step = int(self.optimizer.iterations)
        rng = np.random.default_rng([self.seed, step])
        points = self.estimator.points(center.astype("float64"), rng)
        scores = self.scores_at(points, inputs, "train")
        self._round = (center, points, scores)
        return scores

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
        center, points, scores = self._round
        losses = mean_losses(self.mapping, self.loss, scores, y, sample_weight)
        gradient = self.estimator.gradient(
            center.astype("float64"), points, ops.convert_to_numpy(losses)
        )
        surrogate = self.forward.surrogate(gradient)
        return ops.mean(losses) + surrogate + sum(self.losses)

    def train_step(self, data: Any) -> dict:
        self._purpose = "train"
        try:
            logs = super().train_step(data)
        except BudgetSpent as spent:
            self.stopped = str(spent)
            self.stop_training = True
            return self.get_metrics_result()
        self.idle = False
        return logs

    def test_step(self, data: Any) -> dict:
        self._purpose = "validation"
        return super().test_step(data)

    def predict_step(self, data: Any) -> Any:
        self._purpose = "inference"
        return super().predict_step(data)

    def adapt(
        self, inputs: np.ndarray, targets: np.ndarray, **options: Any
    ) -> None:
        """Lets the mapping learn from scores, which are paid once.

        Args:
            inputs: Training inputs `(samples, ...)`.
            targets: Class ids `(samples,)`.
            **options: Options of the mapping's own `adapt`.
        """
        self._meet(inputs)
        scores = self.scores_at(self.values()[None], inputs, "train")[0]
        if hasattr(self.mapping, "adapt"):
            self.mapping.adapt(scores, targets, **options)

    def _meet(self, inputs: np.ndarray) -> None:
        """Builds the model; asks one query if nothing was asked before."""
        if not self.built:
            self.forward.meet(np.asarray(inputs[:1], "float32"))
            self.build((None, *inputs.shape[1:]))

    def fit(
        self,
        x: np.ndarray,
        y: np.ndarray | None = None,
        batch_size: int = 32,
        validation_data: tuple | None = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains as `keras.Model.fit`, on arrays; keeps one validation back.

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
        step = self.step_queries(min(batch_size, len(x)))
        budget = self.meter.budget
        if budget is not None and step + held > budget:
            raise BudgetSpent(
                f"One step asks {step} queries and its validation {held}; the"
                f" budget is {budget}. Raise it, lower `batch_size`, or use"
                " fewer directions."
            )
        self._meet(x)
        return super().fit(
            x, y, batch_size, validation_data=validation_data, **kwargs
        )

    def step_queries(self, rows: int) -> int:
        """Returns how many queries a training step on some rows asks."""
        rng = np.random.default_rng(0)
        return rows * len(self.estimator.points(np.zeros(1), rng))

    def source_fingerprint(self) -> str:
        """Returns the SHA-256 of the name of the service."""
        return hashlib.sha256(self.meter.name.encode()).hexdigest()

    def save_program(self, path: str) -> None:
        """Saves the transform and the mapping, to a `.weights.h5` file."""
        Program(self).save_weights(path, overwrite=True)

    def load_program(self, path: str) -> None:
        """Loads what `save_program` wrote for the same service."""
        Program(self).load_weights(path)
