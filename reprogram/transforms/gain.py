"""Loudness and level of the data."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("reprogram")
class Gain(keras.layers.Layer):
    """Scales and shifts each channel by trainable numbers.

    Args:
        gain: What the channels are multiplied by at the start.
        offset: What is added at the start.
        rms: Root mean square that each channel of each sample is brought to
            first, such as that of the data the source was trained on; `None`
            leaves them as they are. Masked steps do not count.

    Raises:
        ValueError: If `rms` is not positive.

    Example:
    >>> out = Gain(3.0, 1.0)(ops.array([[[1.0, 2.0]]]))
    >>> ops.convert_to_numpy(out).ravel().tolist()
    [4.0, 7.0]
    """

    def __init__(
        self,
        gain: float = 1.0,
        offset: float = 0.0,
        rms: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if rms is not None and not rms > 0:
            raise ValueError(f"`rms` must be positive. Received: rms={rms}.")
        self.gain = gain
        self.offset = offset
        self.rms = rms
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) < 3 or input_shape[-1] is None:
            raise ValueError(
                "Gain reads (batch, length, channels) or (batch, height,"
                f" width, channels). Received shape {input_shape}. Add the"
                " missing dimension."
            )
        channels = input_shape[-1]
        self.input_spec = keras.layers.InputSpec(axes={-1: channels})
        constant = keras.initializers.Constant
        self.factor = self.add_weight(
            shape=(channels,), initializer=constant(self.gain), name="gain"
        )
        self.shift = self.add_weight(
            shape=(channels,), initializer=constant(self.offset), name="offset"
        )

    def call(self, inputs: Any, mask: Any = None) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        if self.rms is not None:
            x = ops.cast(self._scaled(x, mask), self.compute_dtype)
        factor = ops.cast(self.factor, x.dtype)
        return x * factor + ops.cast(self.shift, x.dtype)

    def _scaled(self, x: Any, mask: Any | None) -> Any:
        x = ops.cast(x, "float32")
        axes = tuple(range(1, len(x.shape) - 1))
        power, count = ops.square(x), 1.0
        if mask is not None:
            seen = ops.cast(mask, "float32")[..., None]
            power = power * seen
            count = ops.maximum(ops.mean(seen, axes, keepdims=True), 1e-6)
        power = ops.mean(power, axes, keepdims=True) / count
        return x * (self.rms / ops.sqrt(ops.maximum(power, 1e-12)))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = {"gain": self.gain, "offset": self.offset, "rms": self.rms}
        return {**super().get_config(), **config}
