"""The spectrogram that a recognizer of speech reads."""

from typing import Any

import keras
from keras import layers
from keras import ops


@keras.saving.register_keras_serializable("reprogram")
class LogMel(layers.Layer):
    """Turns a waveform into a standardized logarithmic mel spectrogram.

    From `(batch, samples, 1)` to `(batch, frames, bands)`, always in float32.
    The end is filled up with silence; mean and deviation are those of each
    clip.

    Args:
        bands: Number of mel bands.
        window: Number of samples of a frame.
        hop: Number of samples from frame to frame.
    """

    def __init__(
        self, bands: int, window: int, hop: int, **kwargs: Any
    ) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.bands = bands
        self.window = window
        self.hop = hop

    def build(self, input_shape: Any) -> None:
        self.filters = self.add_weight(
            shape=(self.window // 2 + 1, self.bands),
            initializer="ones",
            trainable=False,
            name="filters",
        )

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, "float32")[..., 0]
        frames = -(-x.shape[1] // self.hop)
        rest = (frames - 1) * self.hop + self.window - x.shape[1]
        real, imaginary = ops.stft(
            ops.pad(x, [[0, 0], [0, rest]]),
            self.window,
            self.hop,
            self.window,
            center=False,
        )
        power = ops.square(real) + ops.square(imaginary)
        # Without the floor, silence has no finite gradient.
        size = ops.sqrt(ops.maximum(power, 1e-20))
        x = ops.log(ops.matmul(size, self.filters) + 1e-6)
        x = x - ops.mean(x, axis=(1, 2), keepdims=True)
        spread = ops.mean(ops.square(x), axis=(1, 2), keepdims=True)
        return x / ops.sqrt(ops.maximum(spread, 1e-12))

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, samples, _ = input_shape
        return (batch, -(-samples // self.hop), self.bands)

    def get_config(self) -> dict[str, Any]:
        config = {"bands": self.bands, "window": self.window, "hop": self.hop}
        return {**super().get_config(), **config}
