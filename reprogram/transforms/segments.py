"""Copies of a series inside a trainable one."""

from typing import Any

import keras
from keras import ops

from reprogram.transforms.missing import observed
from reprogram.transforms.program_layer import ProgramLayer


@keras.saving.register_keras_serializable("reprogram")
class Segments(ProgramLayer):
    """Repeats a series inside a trainable one of the source's length.

    Copies start at multiples of a stride, which is the largest multiple of
    the length of the data that lets all copies in. The program is added where
    no data are. Steps that are masked or NaN, as at the end of shorter
    series, count as no data.

    Args:
        target_shape: Shape that the source reads, `(length, channels)`.
        segments: Number of copies.
        masked: Whether the program stays off the data; otherwise it is added
            to them too.
        initializer: Of the program; `None` for a quiet noise. Zeros are a bad
            start where the source reads the logarithm of a spectrum: silence
            gives no gradient.
        **kwargs: `value_range`, that the sum is clipped to; `regularizer`,
            `dropout`, `program`; see `ProgramLayer`.

    Raises:
        ValueError: If an argument is out of range, or if the copies do not
            fit into the source.

    Example:
    >>> layer = Segments((7, 1), segments=2, initializer="zeros")
    >>> out = layer(ops.ones((1, 2, 1)))
    >>> ops.convert_to_numpy(out).ravel().astype(int).tolist()
    [1, 1, 1, 1, 0, 0, 0]

    Reference: Yang, Tsai and Chen, Voice2Series, 2021.
    """

    def __init__(
        self,
        target_shape: tuple[int, int],
        segments: int = 1,
        masked: bool = True,
        initializer: str | keras.Initializer | None = None,
        **kwargs: Any,
    ):
        noise = keras.initializers.RandomNormal(stddev=0.02)
        kwargs["initializer"] = initializer or noise
        super().__init__(target_shape, **kwargs)
        self.segments = segments
        self.masked = masked
        self.supports_masking = True
        if len(self.target_shape) != 2 or segments < 1:
            raise ValueError(
                "Expected a `target_shape` (length, channels) and at least one"
                f" copy. Received: target_shape={self.target_shape},"
                f" segments={segments}."
            )

    def build(self, input_shape: tuple) -> None:
        target, channels = self.target_shape
        if len(input_shape) != 3 or None in input_shape[1:]:
            raise ValueError(
                "Segments reads series (batch, length, channels) of known"
                f" sizes. Received shape {input_shape}. Fill shorter series up"
                " with NaN."
            )
        length, given = input_shape[1:]
        if channels % given:
            raise ValueError(
                f"{given} channels of data do not fit into {channels} channels"
                " of the source. Put Mixing in front."
            )
        if self.segments * length > target:
            raise ValueError(
                f"{self.segments} copies of a series of {length} steps do not"
                f" fit into the {target} steps of the source. Lower"
                " `segments`, or shorten the series with Resampling."
            )
        super().build(input_shape)
        self.stride = target // length // self.segments * length

    def call(
        self, inputs: Any, training: bool | None = None, mask: Any = None
    ) -> Any:
        x, seen = observed(ops.cast(inputs, self.compute_dtype), mask)
        repeats = self.target_shape[-1] // x.shape[-1]
        x = self._place(ops.tile(x, [1, 1, repeats]))
        program = self.array(training)[None]
        if self.masked:
            taken = ops.cast(seen, "float32")[..., None]
            program = (1.0 - self._place(taken)) * program
        return self.add(x, program)

    def _place(self, x: Any) -> Any:
        """Copies `(batch, length, channels)` to all places, zeros between."""
        x = ops.pad(x, [[0, 0], [0, self.stride - x.shape[1]], [0, 0]])
        x = ops.tile(x, [1, self.segments, 1])
        rest = self.target_shape[0] - self.segments * self.stride
        return ops.pad(x, [[0, 0], [0, rest], [0, 0]])

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None

    def get_config(self) -> dict[str, Any]:
        config = {"segments": self.segments, "masked": self.masked}
        return {**super().get_config(), **config}
