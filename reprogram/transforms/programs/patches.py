"""Programs of one color a patch."""

import dataclasses
import math
from typing import Any

import keras
from keras import ops

from reprogram.transforms.programs.parameterization import Parameterization


@keras.saving.register_keras_serializable("reprogram.programs")
@dataclasses.dataclass(frozen=True)
class Patches(Parameterization):
    """One number for each square of neighbors in a channel.

    Args:
        size: Side of the squares in pixels, or steps of a series. The last
            ones are cut where the side does not divide the array.

    Example:
    >>> Patches(8).weight_shape((32, 30, 3))
    (4, 4, 3)
    """

    size: int = 8

    def __post_init__(self) -> None:
        self.check_positive("size")

    def weight_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*(math.ceil(n / self.size) for n in shape[:-1]), shape[-1])

    def expand(self, weight: Any, shape: tuple[int, ...]) -> Any:
        array = ops.convert_to_tensor(weight)
        for axis in range(len(shape) - 1):
            array = ops.repeat(array, self.size, axis=axis)
        return array[tuple(slice(n) for n in shape)]
