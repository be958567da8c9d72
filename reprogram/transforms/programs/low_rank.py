"""Programs of low rank."""

import dataclasses
import math
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.transforms.programs.parameterization import Parameterization


@keras.saving.register_keras_serializable("reprogram.programs")
@dataclasses.dataclass(frozen=True)
class LowRank(Parameterization):
    """A sum of products of one vector for each axis.

    The numbers are differences to random vectors, except those of the
    channels, so that numbers of zero give an array of zeros that a gradient
    moves.

    Args:
        rank: Number of products.
        seed: Of the random vectors.

    Example:
    >>> LowRank(2).weight_shape((32, 30, 3))
    (130,)
    """

    rank: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        self.check_positive("rank")

    def weight_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (self.rank * sum(shape),)

    def expand(self, weight: Any, shape: tuple[int, ...]) -> Any:
        draw = np.random.RandomState(self.seed)
        table = ops.reshape(ops.convert_to_tensor(weight), (-1, self.rank))
        *vectors, colors = ops.split(table, np.cumsum(shape[:-1]).tolist())
        starts = [draw.standard_normal((n, self.rank)) for n in shape[:-1]]
        vectors = [v + ops.array(s, "float32") for v, s in zip(vectors, starts)]
        axes = "abcdefgh"[: len(shape)]
        terms = ",".join(f"{axis}r" for axis in axes)
        array = ops.einsum(f"{terms}->{axes}", *vectors, colors)
        return array / math.sqrt(self.rank)
