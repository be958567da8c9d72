"""Series as sounds: the values become the pitch of a tone."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.transforms.missing import observed
from reprogram.transforms.program_layer import ProgramLayer


@keras.saving.register_keras_serializable("reprogram")
class Sonification(ProgramLayer):
    """Lets a source of sounds hear a series as a melody.

    The series is stretched to the length of the source. Its values set the
    pitch of one voice and its slopes that of a higher one, both centered and
    divided by their peak; each channel has voices of its own. Below them
    the series itself is repeated, whose shape becomes the timbre. Pitches and
    loudnesses are trained, and a program is added to the sound. Steps that
    are masked or NaN count as zero. Several sounds follow one another, and a
    `Reprogrammer` lets the source hear each.

    Args:
        target_shape: Shape that the source reads, `(length, channels)`.
        pitches: Lowest and highest pitch at the start, in cycles a sample, in
            equal parts for all voices: 300 to 6,000 Hz at 16 kHz by default.
        loudness: Amplitudes of the voices and of the copies at the start.
        sounds: Voices of each sound, from low to high: "sums" (running, of
            the centered series), "values" or "slopes".
        **kwargs: `value_range`, that the sum is clipped to; `initializer`,
            `regularizer`, `dropout`, `program`; see `ProgramLayer`.

    Raises:
        ValueError: If an argument is out of range, or if the data are no
            series.

    Example:
    >>> layer = Sonification((8, 1), loudness=(0.0, 1.0))
    >>> out = layer(ops.array([[[1.0], [2.0], [3.0]]]))
    >>> ops.convert_to_numpy(out).ravel().tolist()
    [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 0.0, 0.0]

    Reference: Hermann, Hunt and Neuhoff, The Sonification Handbook, 2011, on
    parameter mapping; Yang, Tsai and Chen, Voice2Series, 2021, on the copies.
    """

    def __init__(
        self,
        target_shape: tuple[int, int],
        pitches: tuple[float, float] = (0.01875, 0.375),
        loudness: tuple[float, float] = (0.66, 0.33),
        sounds: Sequence[Sequence[str]] = (("values", "slopes"),),
        **kwargs: Any,
    ):
        super().__init__(target_shape, **kwargs)
        low, high = pitches
        if not 0 < low < high < 0.5 or len(self.target_shape) != 2:
            raise ValueError(
                "Expected a `target_shape` (length, channels) and pitches 0 <"
                " lowest < highest < 0.5 cycles a sample. Received:"
                f" target_shape={self.target_shape}, pitches={tuple(pitches)}."
            )
        self.sounds = tuple(map(tuple, sounds))
        if (
            not (self.sounds and all(self.sounds))
            or not {*sum(self.sounds, ())} <= LINES.keys()
        ):
            raise ValueError(
                f"Each sound needs voices, each one of {', '.join(LINES)}."
                f" Received: sounds={self.sounds}."
            )
        self.pitches = (float(low), float(high))
        self.loudness = tuple(map(float, loudness))
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) != 3 or None in input_shape[1:]:
            raise ValueError(
                "Sonification reads series (batch, length, channels) of known"
                f" sizes. Received shape {input_shape}. Fill shorter series up"
                " with NaN."
            )
        axes = {1: input_shape[1], 2: input_shape[2]}
        self.input_spec = keras.layers.InputSpec(ndim=3, axes=axes)
        self.logits = [
            self._pitches(len(lines) * input_shape[2], f"pitches_{i}")
            for i, lines in enumerate(self.sounds)
        ]
        self.levels = self.add_weight(
            shape=(2,),
            initializer=lambda shape, dtype: ops.convert_to_tensor(
                self.loudness, dtype
            ),
            autocast=False,
            name="levels",
        )
        self.add_program(self.compute_output_shape(input_shape)[1:])

    def _pitches(self, voices: int, name: str) -> keras.Variable:
        ends = np.geomspace(*self.pitches, voices + 1)
        start = np.stack([ends[:-1], ends[1:]])
        return self.add_weight(
            shape=start.shape,
            # Logits of twice the pitch: no step can leave the hearable.
            initializer=lambda shape, dtype: ops.convert_to_tensor(
                np.log(2 * start / (1 - 2 * start)), dtype
            ),
            autocast=False,
            name=name,
        )

    def call(
        self, inputs: Any, training: bool | None = None, mask: Any = None
    ) -> Any:
        x, _ = observed(ops.cast(inputs, "float32"), mask)
        levels = ops.convert_to_tensor(self.levels)
        copies = levels[1] * self._copies(x)
        sound = ops.concatenate(
            [
                levels[0] * self._voices(x, lines, logits) + copies
                for lines, logits in zip(self.sounds, self.logits)
            ],
            axis=1,
        )
        sound = ops.repeat(sound[..., None], self.target_shape[-1], axis=-1)
        sound = ops.cast(sound, self.compute_dtype)
        return self.add(sound, self.array(training)[None])

    def _voices(self, x: Any, lines: tuple[str, ...], logits: Any) -> Any:
        """Tones that follow the lines of one sound, `(batch, length)`."""
        x = ops.concatenate([LINES[line](x) for line in lines], axis=-1)
        x = x - ops.mean(x, axis=1, keepdims=True)
        peak = ops.max(ops.abs(x), axis=1, keepdims=True)
        height = 0.5 + 0.5 * self._stretched(x / ops.maximum(peak, 1e-9))
        ends = ops.log(0.5 * ops.sigmoid(logits))
        pitch = ops.exp(ends[0] + (ends[1] - ends[0]) * height)
        phase = 2 * math.pi * ops.cumsum(pitch, axis=1)
        return ops.mean(ops.sin(phase), axis=-1)

    def _stretched(self, x: Any) -> Any:
        """Interpolates linearly between the steps."""
        length, target = x.shape[1], self.target_shape[0]
        place = np.linspace(0, length - 1, target)
        first = np.minimum(place.astype(int), max(length - 2, 0))
        share = (place - first)[None, :, None].astype("float32")
        second = np.minimum(first + 1, length - 1)
        before = ops.take(x, first, axis=1)
        return before + share * (ops.take(x, second, axis=1) - before)

    def _copies(self, x: Any) -> Any:
        """As many copies as fit; a longer series is squeezed into one."""
        x, target = ops.mean(x, axis=-1), self.target_shape[0]
        if x.shape[1] > target:
            return self._stretched(x[..., None])[..., 0]
        x = ops.tile(x, [1, target // x.shape[1]])
        return ops.pad(x, [[0, 0], [0, target - x.shape[1]]])

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        length, channels = self.target_shape
        return (input_shape[0], len(self.sounds) * length, channels)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "sounds": self.sounds,
            "pitches": self.pitches,
            "loudness": self.loudness,
        }


def _slopes(x: Any) -> Any:
    """Central differences along the series, one-sided at its ends."""
    if x.shape[1] < 2:
        return ops.zeros_like(x)
    inner = 0.5 * (x[:, 2:] - x[:, :-2])
    ends = x[:, 1:2] - x[:, :1], x[:, -1:] - x[:, -2:-1]
    return ops.concatenate([ends[0], inner, ends[1]], axis=1)


def _sums(x: Any) -> Any:
    return ops.cumsum(x - ops.mean(x, axis=1, keepdims=True), axis=1)


LINES = {"sums": _sums, "values": lambda x: x, "slopes": _slopes}
