"""A trainable speed of the data."""

import math
from typing import Any

import keras
from keras import ops

from reprogram.transforms.missing import observed


@keras.saving.register_keras_serializable("reprogram")
class Resampling(keras.layers.Layer):
    """Stretches a series about its middle by a trainable factor.

    Values between two steps are interpolated linearly, so that the gradient
    reaches the factor. Outside the series the output is zero; the step to
    zero is a ramp of one step of the data, for the same reason. Factors below
    1 skip steps without a low-pass filter. Steps that are masked or NaN stay
    missing, as NaN: `Segments` and `Rendering` know what to do with those,
    other layers need `Missing` before them.

    Args:
        length: Steps of the output; `None` for those of the input.
        scale: Factor at the start: 2 plays the series at half its speed.
        limits: Smallest and largest factor that training can reach.
        missing_outside: Whether steps outside the series are missing instead
            of zero, so that `Segments` puts the program there.

    Raises:
        ValueError: If the factor or its limits are out of range.

    Example:
    >>> out = Resampling(5, scale=2.0)(ops.array([[[1.0], [3.0]]]))
    >>> ops.convert_to_numpy(out).ravel().round(4).tolist()
    [0.5, 1.0, 2.0, 3.0, 1.5]

    Reference: Tsao et al., AutoVP, 2024, for images.
    """

    def __init__(
        self,
        length: int | None = None,
        scale: float = 1.0,
        limits: tuple[float, float] = (0.1, 5.0),
        missing_outside: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        low, high = limits
        if not 0 < low < scale < high or (length is not None and length < 1):
            raise ValueError(
                "Expected 0 < lowest < scale < highest and a positive length."
                f" Received: scale={scale}, limits={tuple(limits)},"
                f" length={length}."
            )
        self.length = length
        self.scale = float(scale)
        self.limits = (float(low), float(high))
        self.missing_outside = missing_outside
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) != 3 or None in input_shape[1:]:
            raise ValueError(
                "Resampling reads series (batch, length, channels) of known"
                f" sizes. Received shape {input_shape}. Fill shorter series up"
                " with NaN."
            )
        axes = {1: input_shape[1], 2: input_shape[2]}
        self.input_spec = keras.layers.InputSpec(ndim=3, axes=axes)
        low, high = self.limits
        share = math.log(self.scale / low) / math.log(high / low)
        # A logit between the limits: no step can leave them or get stuck.
        self.program = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(
                math.log(share / (1.0 - share))
            ),
            name="program",
            autocast=False,
        )

    def factor(self) -> Any:
        """Returns the factor of now, a scalar tensor in `limits`."""
        low, high = self.limits
        share = ops.sigmoid(ops.cast(self.program, "float32"))
        return low * ops.power(high / low, share)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        x, seen = observed(ops.cast(inputs, self.compute_dtype), mask)
        place = self._places(x.shape[1])
        before = ops.floor(place)
        share = ops.cast(place - before, x.dtype)[None, :, None]
        first = ops.cast(before, "int32")
        x = (1 - share) * _read(x, first) + share * _read(x, first + 1)
        lost = ops.cast(ops.logical_not(seen), "int32")[..., None]
        nearest = ops.cast(ops.round(place), "int32")
        lost = _read(lost, nearest, int(self.missing_outside))
        # Not a Keras mask: graphs would keep that of the first factor.
        return ops.where(lost > 0, ops.full_like(x, math.nan), x)

    def _places(self, length: int) -> Any:
        """Where in the input each step of the output lies."""
        target = self.length or length
        steps = ops.arange(target, dtype="float32") - 0.5 * (target - 1)
        return steps / self.factor() + 0.5 * (length - 1)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, length, channels = input_shape
        return (batch, self.length or length, channels)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "length": self.length,
            "scale": self.scale,
            "limits": self.limits,
            "missing_outside": self.missing_outside,
        }


def _read(x: Any, steps: Any, outside: int = 0) -> Any:
    """Takes steps of `(batch, length, channels)`, a number outside."""
    last = x.shape[1] + 1
    x = ops.pad(x, [[0, 0], [1, 1], [0, 0]], constant_values=outside)
    return ops.take(x, ops.clip(steps + 1, 0, last), axis=1)
