"""A program whose strength each image chooses for itself."""

from typing import Any

import keras
from keras import layers
from keras import ops

from reprogram.transforms import fitting
from reprogram.transforms.program_layer import ProgramLayer


@keras.saving.register_keras_serializable("reprogram")
class SampleMask(ProgramLayer):
    """Adds a program times a mask that a small network draws for each image.

    The network reads the resized image and gives one value for each channel
    and each square of `2 ** pools` pixels. It normalizes over each image
    alone (the paper: over the batch), so that no image changes what another
    one gets, in training as in prediction.

    Args:
        target_shape: `(height, width, channels)` that the source reads;
            images of another size are resized (bilinear).
        widths: Filters of the network's convolutions, before the last one
            that has as many as the source has channels. The paper has
            (8, 16, 32, 64) for convolutional sources and one more, 128, for
            transformers.
        pools: How often the network halves its images.
        **kwargs: `value_range`, that the sum is clipped to, `None` for no
            clipping; `initializer`, `regularizer`, `dropout`, `program`; see
            `ProgramLayer`.

    Raises:
        ValueError: If an argument is out of range, or data that do not fit
            arrive.

    Example:
    >>> layer = SampleMask((32, 32, 3))
    >>> layer.build((None, 28, 28, 1))
    >>> layer.generator.count_params()
    26499

    Reference: Cai et al., Sample-specific Masks for Visual
    Reprogramming-based Prompting, 2024.
    """

    def __init__(
        self,
        target_shape: tuple[int, ...],
        widths: tuple[int, ...] = (8, 16, 32, 64),
        pools: int = 3,
        **kwargs: Any,
    ):
        super().__init__(target_shape, **kwargs)
        fitting.check_images(self, self.target_shape)
        if not 0 <= pools <= len(widths) or min(widths, default=0) < 1:
            raise ValueError(
                "`widths` must be positive and `pools` at most as many as they"
                f" are. Received: widths={widths}, pools={pools}."
            )
        self.widths = tuple(widths)
        self.pools = pools

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.generator = keras.Sequential(self._stages(), name="generator")
        self.generator.build((None, *self.target_shape))

    def _stages(self) -> list[keras.layers.Layer]:
        policy, stages = {"dtype": self.dtype_policy}, []
        for i, width in enumerate(self.widths):
            stages += [
                layers.Conv2D(width, 3, padding="same", **policy),
                layers.GroupNormalization(1, **policy),
                layers.ReLU(**policy),
            ]
            if i < self.pools:
                stages.append(layers.MaxPool2D(2, padding="same", **policy))
        channels = self.target_shape[-1]
        last = layers.Conv2D(channels, 3, padding="same", **policy)
        squares = layers.UpSampling2D(2**self.pools, **policy)
        return [*stages, last, squares]

    def masks(self, inputs: Any) -> Any:
        """Draws the masks of images.

        Args:
            inputs: `(batch, height, width, channels)`.

        Returns:
            Masks `(batch, *target_shape)`, of any values.
        """
        height, width, _ = self.target_shape
        return self.generator(self.fit(inputs))[:, :height, :width]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        array = ops.cast(self.array(training), self.compute_dtype)
        return self.add(self.fit(inputs), self.masks(inputs) * array)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "widths": self.widths,
            "pools": self.pools,
        }
