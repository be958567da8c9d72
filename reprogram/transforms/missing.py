"""Series of different lengths in one batch."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("reprogram")
class Missing(keras.layers.Layer):
    """Masks the steps of a series at which a channel is NaN.

    Shorter series are filled up with NaN to one length; this layer, the first
    of a `keras.Sequential`, sets those steps to zero and tells the layers
    behind it by a Keras mask. `Segments` and `Rendering` need it only behind
    layers with weights, whose gradient a NaN would spoil.

    Example:
    >>> import numpy as np
    >>> x = np.array([[[1.0], [2.0], [np.nan]]], "float32")
    >>> ops.convert_to_numpy(Missing()(x)).ravel().tolist()
    [1.0, 2.0, 0.0]
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return observed(inputs, mask)[0]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return observed(inputs, previous_mask)[1]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape


def observed(x: Any, mask: Any | None = None) -> tuple[Any, Any]:
    """Splits series into their values and where these are known.

    Args:
        x: Tensor `(batch, length, channels)`, NaN where nothing is known.
        mask: Tensor `(batch, length)` of booleans, or `None`.

    Returns:
        `x` with zeros at the steps that are not known, and a tensor `(batch,
        length)` that is true at those that are.
    """
    seen = ops.logical_not(ops.any(ops.isnan(x), axis=-1))
    if mask is not None:
        seen = ops.logical_and(seen, ops.cast(mask, "bool"))
    return ops.where(seen[..., None], x, ops.zeros_like(x)), seen
