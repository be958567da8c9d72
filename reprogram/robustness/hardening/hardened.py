"""Adversarial training through `compile` and `fit`."""

from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.gradients import replayed_step
from reprogram.gradients import step_on
from reprogram.robustness import threats
from reprogram.robustness.certification.counting import Draws
from reprogram.robustness.hardening.climbing import check_inputs
from reprogram.robustness.hardening.climbing import climb
from reprogram.robustness.hardening.climbing import divergence
from reprogram.robustness.hardening.climbing import first_half
from reprogram.robustness.hardening.climbing import joined
from reprogram.robustness.hardening.climbing import pace
from reprogram.robustness.models import inference

METHODS = ("pgd", "trades", "fast", "free")
_BALLS = {"Linf": threats.Linf, "L2": threats.L2, "L1": threats.L1}
VALIDATION = 2**31 - 1  # as the number of a batch


@keras.saving.register_keras_serializable("reprogram")
class Hardened(keras.Model):
    """Trains a model on inputs that an attacker has moved.

    `fit` trains the weights of the wrapped model that are trainable: of a
    Reprogrammer the program, while its source stays frozen. The product is
    `hardened.model`, which shares all weights.

    Validation and `evaluate` are under attack as well, always by PGD with
    `validation_steps`, so that early stopping selects a robust epoch and
    notices if training on one gradient step collapses. Metrics are those of
    moved inputs; in training with TRADES of the inputs as they are.

    Args:
        model: Keras model; the attacker raises its loss.
        threat: `Linf`, `L2` or `L1`; its bounds are those of the inputs.
        method: `"pgd"` trains on the end of `steps` gradient steps;
            `"trades"` on the inputs as they are plus `beta` times the
            divergence of the scores; `"fast"` on one gradient step from a
            random start; `"free"` repeats each batch `steps` times and moves
            inputs and weights by the same backward pass, so take 1 / `steps`
            of the epochs.
        steps: Gradient steps on an input, or repetitions of `"free"`.
        size: Length of a step; `None` takes 2.5 radius / steps, 1.25 radius for
            `"fast"` and the radius for `"free"`.
        beta: Weight of the divergence in TRADES.
        validation_steps: Number of PGD steps on validation data; 0 for clean
            validation data.
        seed: Seed of the random starts.

    Raises:
        ValueError: If the method is unknown, or a number out of range.
        RuntimeError: When fitting with `"free"` on the JAX backend.

    Example:
    >>> x = np.random.default_rng(0).uniform(size=(64, 4)).astype("float32")
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> hardened = Hardened(model, threats.Linf(0.1))
    >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    >>> hardened.compile("adam", loss)
    >>> history = hardened.fit(x, x[:, 0] > 0.5, verbose=0)
    >>> sorted(history.history)
    ['loss']

    References: Madry et al., Towards Deep Learning Models Resistant to
    Adversarial Attacks, 2018; Zhang et al., Theoretically Principled Trade-off
    between Robustness and Accuracy, 2019; Wong, Rice and Kolter, Fast is
    better than free, 2020; Shafahi et al., Adversarial Training for Free!,
    2019. There the perturbation of a batch starts from that of the batch
    before; here from a random one.
    """

    def __init__(
        self,
        model: keras.Model,
        threat: Any,
        method: str = "pgd",
        steps: int = 7,
        size: float | None = None,
        beta: float = 6.0,
        validation_steps: int = 10,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        _check(model, threat, method, (steps, size, beta, validation_steps))
        self.model = model
        self.threat = threat
        self.method = method
        self.steps = 1 if method == "fast" else steps
        self.size = size
        self.beta = beta
        self.validation_steps = validation_steps
        self.seed = seed
        self.built = model.built
        self._paired = False  # while a step on clean and moved inputs traces

    def build(self, input_shape: Any) -> None:
        if not self.model.built:
            self.model.build(input_shape)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.model(inputs, training=training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.model.compute_output_shape(input_shape)

    def fit(self, x: Any = None, y: Any = None, **options: Any) -> Any:
        """Trains; see `keras.Model.fit`. Inputs lie inside the bounds."""
        check_inputs(x, self.threat)
        return super().fit(x, y, **options)

    def train_step(self, *arguments: Any) -> Any:
        if self.method == "free":
            return replayed_step(self, arguments, self._replay())
        step = super().train_step
        if self.method != "trades":
            return step_on(self, step, arguments, self._moved)
        self._paired = True
        try:
            return step_on(self, step, arguments, self._pairs)
        finally:
            self._paired = False

    def test_step(self, *arguments: Any) -> Any:
        def moved(data: Any, count: Any) -> tuple:
            return self._moved(data, VALIDATION, self.validation_steps)

        if not self.validation_steps:
            return super().test_step(*arguments)
        return step_on(self, super().test_step, arguments, moved)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        if not self._paired:
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        (x, _), (clean, moved) = ops.split(x, 2), ops.split(y_pred, 2)
        y, weight = (first_half(value) for value in (y, sample_weight))
        loss = super().compute_loss(x, y, clean, weight, training)
        apart = self._apart(clean, moved)
        if weight is not None:
            apart = apart * ops.cast(weight, apart.dtype)
        return loss + self.beta * ops.mean(apart)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        if self._paired:
            x, y, y_pred, sample_weight = map(
                first_half, (x, y, y_pred, sample_weight)
            )
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        if self.threat.name not in _BALLS:
            raise ValueError(
                f"A threat {self.threat.name!r} is not saved. Save"
                " `hardened.model`, which has all weights."
            )
        bounds = [np.asarray(b, "float64").tolist() for b in self.threat.bounds]
        return {
            **super().get_config(),
            "model": keras.saving.serialize_keras_object(self.model),
            "threat": [self.threat.name, float(self.threat.epsilon), bounds],
            "method": self.method,
            "steps": self.steps,
            "size": self.size,
            "beta": self.beta,
            "validation_steps": self.validation_steps,
            "seed": self.seed,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict | None = None
    ) -> "Hardened":
        config = dict(config)
        config["model"] = keras.saving.deserialize_keras_object(
            config["model"], custom_objects=custom_objects
        )
        norm, epsilon, bounds = config["threat"]
        bounds = tuple(
            np.array(b, "float32") if isinstance(b, list) else b for b in bounds
        )
        config["threat"] = _BALLS[norm](epsilon, bounds)
        return cls(**config)

    def _moved(self, data: Any, count: Any, steps: int | None = None) -> tuple:
        """Moves a batch up the loss; `count` tells batches apart."""
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        x = ops.cast(x, "float32")
        answers = inference(self.model)

        def loss(moved: Any) -> Any:
            return super(Hardened, self).compute_loss(
                moved, y, answers(moved), training=False
            )

        start = self.threat.sample(x, self._draw(count))
        size = self._size() if steps is None else pace(self.threat, steps)
        steps = steps or self.steps
        return climb(self.threat, loss, x, start, size, steps), y, weight

    def _pairs(self, data: Any, count: Any) -> tuple:
        """Stacks a batch and its copy that is moved away from its scores."""
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        x = ops.cast(x, "float32")
        answers = inference(self.model)
        clean = ops.stop_gradient(answers(x))
        noise = keras.random.normal(ops.shape(x), seed=self._draw(count))

        def apart(moved: Any) -> Any:
            return ops.sum(self._apart(clean, answers(moved)))

        start = x + 0.001 * noise
        moved = climb(self.threat, apart, x, start, self._size(), self.steps)
        x, y, weight = (
            joined(a, b) for a, b in ((x, moved), (y, y), (weight,) * 2)
        )
        return x, y, weight

    def _replay(self) -> tuple:
        def start(x: Any, count: Any) -> Any:
            return self.threat.sample(x, self._draw(count))

        def move(moved: Any, slope: Any, x: Any) -> Any:
            return self.threat.project(
                self.threat.step(moved, slope, self._size()), x
            )

        return start, move, self.steps

    def _size(self) -> float:
        if self.size is not None:
            return self.size
        radius = float(self.threat.epsilon)
        whole = {"fast": 1.25 * radius, "free": radius}
        return whole.get(self.method, pace(self.threat, self.steps))

    def _draw(self, count: Any) -> Draws:
        numbers = [ops.cast(self.seed, "uint32"), ops.cast(count, "uint32")]
        return Draws(ops.stack(numbers))

    def _apart(self, clean: Any, moved: Any) -> Any:
        plain = isinstance(self.loss, keras.losses.Loss)
        as_logits = getattr(self.loss, "from_logits", plain)
        return divergence(clean, moved, as_logits)


def _check(
    model: keras.Model, threat: Any, method: str, numbers: tuple
) -> None:
    steps, size, beta, validation_steps = numbers
    if not isinstance(model, keras.Model):
        raise ValueError(
            "Only the weights of a Keras model are trained. Received:"
            f" {type(model).__name__}."
        )
    if method not in METHODS:
        raise ValueError(
            f"There is no method {method!r}. There are: {', '.join(METHODS)}."
        )
    if not all(hasattr(threat, name) for name in ("project", "step", "sample")):
        raise ValueError(
            "`threat` has `project`, `step` and `sample`, such as Linf(0.03)."
            f" Received: {threat!r}."
        )
    if steps < 1 or validation_steps < 0 or beta < 0 or (size or 1) <= 0:
        raise ValueError(
            "Expected at least one step, a positive size and no negative beta"
            f" or validation_steps. Received: steps={steps}, size={size},"
            f" beta={beta}, validation_steps={validation_steps}."
        )
