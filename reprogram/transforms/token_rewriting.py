"""Target tokens rewritten as single source tokens."""

from typing import Any

import keras
from keras import ops

from reprogram.transforms.token_map import TokenMap


@keras.saving.register_keras_serializable("reprogram")
class TokenRewriting(TokenMap):
    """Rewrites each target token as one source token, by its neighbors too.

    The program scores the source tokens for a target token and its window.
    Training draws a soft choice by Gumbel noise, the sharper the lower the
    temperature, which the callback `Annealing` lowers; otherwise the token of
    the highest score is chosen, with the gradient of the soft choice. With a
    window of 1 all occurrences of a token in a batch share one draw. Without
    a dictionary the layer returns the choices.

    Args:
        vocabulary_size: Number of token ids of the target.
        source_size: Number of tokens of the source.
        window: Target tokens that a choice depends on, an odd number.
        temperature: Of the soft choice at the start.
        seed: Of the noise.
        pad: Target id of the padding.

    Raises:
        ValueError: If an argument is out of range.

    Example:
    >>> layer = TokenRewriting(3, 5)
    >>> choices = ops.convert_to_numpy(layer(ops.array([[1, 2, 1]])))
    >>> choices.shape, sorted(set(choices.ravel().tolist()))
    ((1, 3, 5), [0.0, 1.0])

    Reference: Neekhara et al., 2019.
    """

    def __init__(
        self,
        vocabulary_size: int,
        source_size: int,
        window: int = 1,
        temperature: float = 2.0,
        seed: int | None = None,
        pad: int = 0,
        **kwargs: Any,
    ):
        super().__init__(vocabulary_size, source_size, pad=pad, **kwargs)
        if window < 1 or window % 2 == 0 or not temperature > 0:
            raise ValueError(
                "Expected an odd `window` and a positive `temperature`."
                f" Received: window={window}, temperature={temperature}."
            )
        self.window = window
        self.first_temperature = float(temperature)
        self.seed = seed
        self.noise = keras.random.SeedGenerator(seed)

    def build(self, input_shape: tuple) -> None:
        self.program = self.add_weight(
            shape=(self.window, self.vocabulary_size, self.source_size),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            autocast=False,
            name="program",
        )
        self.temperature = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(self.first_temperature),
            trainable=False,
            autocast=False,
            name="temperature",
        )

    def call(
        self, inputs: Any, dictionary: Any = None, training: bool | None = None
    ) -> Any:
        tokens = ops.cast(inputs, "int32")
        single = self.window == 1
        scores = self.program[0] if single else self._scores(tokens)
        chosen = self._choose(scores, training)
        if dictionary is not None:
            chosen = ops.matmul(chosen, ops.cast(dictionary, "float32"))
        if single:
            chosen = ops.take(chosen, tokens, axis=0)
        return ops.cast(chosen, self.compute_dtype)

    def _scores(self, tokens: Any) -> Any:
        """Sums what each token of the window says; padding says nothing."""
        length = tokens.shape[1] or ops.shape(tokens)[1]
        reach = self.window // 2
        edge = [[0, 0], [reach, reach]]
        near = ops.pad(tokens, edge, constant_values=self.pad)
        total = 0.0
        for place in range(self.window):
            own = near[:, place : place + length]
            said = ops.cast(ops.not_equal(own, self.pad), "float32")[..., None]
            said = 1.0 if place == reach else said
            total += said * ops.take(self.program[place], own, axis=0)
        return total

    def _choose(self, scores: Any, training: bool | None) -> Any:
        if training:
            uniform = keras.random.uniform(
                ops.shape(scores), 1e-7, 1.0, "float32", self.noise
            )
            scores = scores - ops.log(-ops.log(uniform))
        soft = ops.softmax(scores / self.temperature)
        if training:
            return soft
        hard = ops.one_hot(ops.argmax(scores, axis=-1), self.source_size)
        return hard + (soft - ops.stop_gradient(soft))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "window": self.window,
            "temperature": self.first_temperature,
            "seed": self.seed,
        }


class Annealing(keras.callbacks.Callback):
    """Lowers the temperature of a `TokenRewriting` during `fit`.

    The temperature falls by the same factor every epoch, from that at the
    start of the layer, and stays at the last.

    Args:
        last: Temperature at the end.
        epochs: Epochs until then; `None` for those that `fit` is given.

    Raises:
        ValueError: If an argument is not positive, or if training starts with
            another transform.

    Reference: Neekhara et al., 2019.
    """

    def __init__(self, last: float = 0.01, epochs: int | None = None):
        super().__init__()
        if not last > 0 or (epochs is not None and epochs < 1):
            raise ValueError(
                "Expected a positive last temperature and a positive number"
                f" of epochs. Received: last={last}, epochs={epochs}."
            )
        self.last = last
        self.epochs = epochs

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        transform: Any = getattr(self.model, "transform", None)
        if not hasattr(transform, "first_temperature"):
            raise ValueError(
                "Annealing needs a Reprogrammer with a TokenRewriting."
                f" Received: {type(self.model).__name__} with the transform"
                f" {type(transform).__name__}. Leave the callback out."
            )
        if not transform.built:  # `fit` builds at the first step.
            transform.build((None, None))
        first = transform.first_temperature
        epochs = self.epochs or self.params["epochs"]
        share = min(1.0, epoch / max(1, epochs - 1))
        transform.temperature.assign(first * (self.last / first) ** share)
