"""Data whose size in the frame is trained."""

from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.transforms import fitting
from reprogram.transforms.program_layer import FrameLayer


@keras.saving.register_keras_serializable("reprogram")
class TrainableResize(FrameLayer):
    """Scales images about the middle of a trainable frame; the scale trains.

    Each pixel is a weighted mean of the pixels around its place in the data
    (bilinear; over more pixels where the data shrink), and the window of the
    data fades into the frame over `edge` pixels: the output, and so the loss,
    has a gradient to the scale. At a scale of 1 and with even margins it is
    `Padding`.

    Args:
        target_shape: `(height, width, channels)` that the source reads.
        scale: Size of the data in the frame at the start, in multiples of
            their size. Data larger than the frame are cut.
        limits: Lowest and highest scale.
        edge: Width in pixels over which the window fades into the frame.
        **kwargs: `squash`, `value_range`, see `FrameLayer`; `initializer`,
            `regularizer`, `dropout`, `program`, see `ProgramLayer`.

    Raises:
        ValueError: If an argument is out of range, or data that do not fit
            arrive.

    Example:
    >>> layer = TrainableResize((8, 8, 1), scale=2.0, value_range=(-4.0, 0.0))
    >>> out = layer(np.ones((1, 3, 3, 1), "float32"))
    >>> np.asarray(out)[0, 4, :, 0].tolist()
    [-2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -2.0]

    Reference: Tsao et al., AutoVP: An Automated Visual Prompting Framework
    and Benchmark, 2024.
    """

    def __init__(
        self,
        target_shape: tuple[int, ...],
        scale: float = 1.0,
        limits: tuple[float, float] = (0.1, 5.0),
        edge: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(target_shape, **kwargs)
        fitting.check_images(self, self.target_shape)
        if not 0.0 < limits[0] <= scale <= limits[1] or not edge > 0.0:
            raise ValueError(
                "`scale` must be positive and inside `limits`, and `edge`"
                f" positive. Received: scale={scale}, limits={limits},"
                f" edge={edge}."
            )
        self.scale = scale
        self.limits = (limits[0], limits[1])
        self.edge = edge

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self._size = tuple(input_shape[1:-1])
        self.zoom = self.add_weight(
            shape=(), initializer="zeros", autocast=False, name="zoom"
        )

    def current_scale(self) -> Any:
        """Returns the scale that has been reached, a scalar tensor."""
        scale = self.scale * ops.exp(ops.convert_to_tensor(self.zoom))
        return fitting.clip(scale, self.limits)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        x = fitting.fit(x, (*self._size, self.target_shape[-1]))
        scale = self.current_scale()
        (rows, seen_rows), (columns, seen_columns) = (
            self._axis(scale, axis) for axis in (0, 1)
        )
        # Planes, and the window inside the weights: faster than einsum.
        x = ops.transpose(x, (0, 3, 1, 2))
        x = ops.matmul(x, ops.transpose(columns))
        x = ops.transpose(ops.matmul(rows, x), (0, 2, 3, 1))
        window = (seen_rows[:, None] * seen_columns[None, :])[..., None]
        frame = (1.0 - window) * self.array(training)
        return x + ops.cast(frame, self.compute_dtype)

    def _axis(self, scale: Any, axis: int) -> tuple[Any, Any]:
        """Weights `(target, data)` of one axis, zero where no data are seen.

        Also how far data are seen at each pixel, from 0 to 1.
        """
        size = self._size[axis]
        pixels = np.arange(self.target_shape[axis], dtype="float32")
        offsets = pixels - pixels.mean()
        places = ops.clip(offsets / scale + (size - 1) / 2, 0, size - 1)
        distance = ops.abs(places[:, None] - np.arange(size, dtype="float32"))
        weights = ops.relu(1.0 - distance / ops.maximum(1.0, 1.0 / scale))
        weights = weights / ops.sum(weights, axis=1, keepdims=True)
        seen = (0.5 * scale * size - np.abs(offsets)) / self.edge + 0.5
        seen = ops.clip(seen, 0, 1)
        return ops.cast(weights * seen[:, None], self.compute_dtype), seen

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "scale": self.scale,
            "limits": self.limits,
            "edge": self.edge,
        }
