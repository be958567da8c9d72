"""A small program at one place of the image."""

from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.transforms import fitting
from reprogram.transforms.program_layer import ProgramLayer


@keras.saving.register_keras_serializable("reprogram")
class Patch(ProgramLayer):
    """Adds a trainable square to images, at a fixed or a random place.

    Args:
        target_shape: `(height, width, channels)` that the source reads;
            images of another size are resized (bilinear).
        size: Side of the square in pixels.
        place: Row and column of its upper left corner, or `"random"`: each
            batch in training has a place of its own, and everything else the
            middle, so that predictions repeat.
        seed: Of the random places.
        **kwargs: `value_range`, that the sum is clipped to, `None` for no
            clipping; `initializer`, `regularizer`, `dropout`, `program`; see
            `ProgramLayer`.

    Raises:
        ValueError: If an argument is out of range, or data that do not fit
            arrive.

    Example:
    >>> layer = Patch((8, 8, 1), size=2, place=(3, 4), initializer="ones")
    >>> out = layer(np.zeros((1, 8, 8, 1), "float32"))
    >>> np.argwhere(np.asarray(out)[0, :, :, 0]).tolist()
    [[3, 4], [3, 5], [4, 4], [4, 5]]

    Reference: Bahng et al., Exploring Visual Prompts for Adapting Large-Scale
    Models, 2022.
    """

    def __init__(
        self,
        target_shape: tuple[int, ...],
        size: int,
        place: tuple[int, int] | str = (0, 0),
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(target_shape, **kwargs)
        fitting.check_images(self, self.target_shape)
        self.size = size
        self.place: str | tuple[int, ...] = (
            place if isinstance(place, str) else tuple(place)
        )
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self._free = [n - size for n in self.target_shape[:-1]]
        self._validate()

    def _validate(self) -> None:
        if self.size < 1 or min(self._free) < 0:
            raise ValueError(
                "`size` must be a positive number of pixels that fits into"
                f" {self.target_shape[:-1]}. Received: size={self.size}."
            )
        if self.place == "random":
            return
        if (
            isinstance(self.place, str)
            or len(self.place) != 2
            or any(
                not 0 <= start <= free
                for start, free in zip(self.place, self._free)
            )
        ):
            raise ValueError(
                "`place` must be 'random' or (row, column) from (0, 0) to"
                f" {tuple(self._free)}, where the square is inside the image."
                f" Received: place={self.place!r}."
            )

    def build(self, input_shape: tuple) -> None:
        fitting.check_input(self, input_shape, self.target_shape)
        self.add_program((self.size, self.size, self.target_shape[-1]))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        pads = [[0, free] for free in self._free]
        patch = ops.pad(self.array(training), [*pads, [0, 0]])
        patch = ops.roll(patch, self._start(training), axis=[0, 1])
        return self.add(self.fit(inputs), patch)

    def _start(self, training: bool | None) -> Any:
        if self.place != "random":
            return self.place
        if not training:
            return [free // 2 for free in self._free]
        draw = keras.random.uniform((2,), seed=self.seed_generator)
        return ops.cast(draw * (np.array(self._free) + 1.0), "int32")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "size": self.size,
            "place": self.place,
            "seed": self.seed,
        }
