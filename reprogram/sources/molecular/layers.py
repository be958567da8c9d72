"""The layers of the molecular source."""

from typing import Any

import keras
from keras import layers
from keras import ops

register = keras.saving.register_keras_serializable("reprogram")
PATCH = 4


@register
class ConvolutionBlock(layers.Layer):
    """Normalizes, convolves along the string and adds the result.

    From `(batch, length, width)` to the same; masked tokens count as zeros, so
    that padding changes nothing.

    Args:
        kernel_size: Number of tokens in the window of the convolution.
        dilation: Distance between these tokens.
    """

    def __init__(
        self, kernel_size: int = 5, dilation: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size, self.dilation = kernel_size, dilation
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        width, dtype = input_shape[-1], self.dtype_policy
        self.scale = self.add_weight(
            shape=(width,), initializer="ones", name="scale"
        )
        self.convolve = layers.Conv1D(
            width,
            self.kernel_size,
            padding="same",
            dilation_rate=self.dilation,
            activation="relu",
            dtype=dtype,
        )
        self.project = layers.Dense(width, dtype=dtype)
        self.convolve.build(input_shape)
        self.project.build(input_shape)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        x = ops.rms_normalization(inputs, ops.cast(self.scale, inputs.dtype))
        if mask is not None:
            x = x * ops.cast(mask, x.dtype)[..., None]
        return inputs + self.project(self.convolve(x))

    def get_config(self) -> dict[str, Any]:
        config = {"kernel_size": self.kernel_size, "dilation": self.dilation}
        return {**super().get_config(), **config}


@register
class Pooling(layers.Layer):
    """Means and scaled sums over the tokens of a molecule.

    Means say what a molecule is made of, sums how much of it there is. From
    `(batch, length, width)` to `(batch, 2 * width)`; masked tokens are left
    out.

    Args:
        scale: Divisor of the sums.
    """

    def __init__(self, scale: float = 32.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: Any, mask: Any = None) -> Any:
        x = ops.cast(inputs, "float32")
        if mask is None:
            mask = ops.ones(ops.shape(x)[:2], "bool")
        seen = ops.cast(mask, "float32")[..., None]
        total = ops.sum(x * seen, axis=1)
        count = ops.maximum(ops.sum(seen, axis=1), 1.0)
        return ops.concatenate([total / count, total / self.scale], axis=-1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], 2 * input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}


@register
class Patches(layers.Layer):
    """Cuts a sequence into a fixed number of patches of 4 tokens.

    From `(batch, length, width)` to `(batch, count, 4 * width)`: short
    sequences are filled with zeros, and what is too long is cut off.

    Args:
        count: Number of patches.
    """

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count

    def call(self, inputs: Any, mask: Any = None) -> Any:
        x = inputs
        if mask is not None:
            x = x * ops.cast(mask, x.dtype)[..., None]
        batch, _, width = ops.shape(x)
        total = self.count * PATCH
        x = ops.concatenate([x, ops.zeros((batch, total, width), x.dtype)], 1)
        return ops.reshape(x[:, :total], (-1, self.count, PATCH * width))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.count, PATCH * input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count}


@register
class Posterior(layers.Layer):
    """Draws a latent of a normal distribution; at inference, its mean.

    Adds `beta` times the divergence from the standard normal to the losses,
    over the molecules that `known` marks.

    Args:
        seed: Seed of the draws.

    Reference: Kingma and Welling, Auto-Encoding Variational Bayes, 2014.
    """

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        self.beta = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="beta"
        )

    # Keras does not save the state of a generator, and a training that goes
    # on must draw what it would have drawn.
    def save_own_variables(self, store: Any) -> None:
        store["0"], store["1"] = self.beta, self.generator.state

    def load_own_variables(self, store: Any) -> None:
        self.beta.assign(store["0"])
        if "1" in store:
            self.generator.state.assign(store["1"])

    def call(
        self, mean: Any, log_variance: Any, known: Any, training: bool = False
    ) -> Any:
        divergence = kl(mean, log_variance) * known[:, 0]
        self.add_loss(self.beta * ops.mean(divergence))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), seed=self.generator)
        return mean + ops.exp(0.5 * log_variance) * noise

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


@register
class Positions(layers.Layer):
    """Adds a trained vector to each place of a sequence."""

    def build(self, input_shape: Any) -> None:
        self.table = self.add_weight(
            shape=input_shape[1:], initializer="zeros", name="table"
        )

    def call(self, inputs: Any) -> Any:
        return inputs + ops.cast(self.table, inputs.dtype)


def kl(mean: Any, log_variance: Any) -> Any:
    """Returns the divergence of each row from the standard normal, in nats.

    Args:
        mean: Means `(batch, width)`.
        log_variance: Logarithms of the variances `(batch, width)`.

    Returns:
        Values `(batch,)`, zero only where the two agree.

    Example:
    >>> float(kl(ops.zeros((1, 2)), ops.zeros((1, 2)))[0])
    0.0
    """
    terms = ops.exp(log_variance) + mean**2 - 1.0 - log_variance
    return 0.5 * ops.sum(terms, axis=-1)
