"""Programs made of cosines, in order or at random."""

import dataclasses
import functools
import math
from typing import Any

import keras
import numpy as np
import scipy.fft
from keras import ops

from reprogram.transforms.programs.parameterization import Parameterization


@keras.saving.register_keras_serializable("reprogram.programs")
@dataclasses.dataclass(frozen=True)
class Cosine(Parameterization):
    """The lowest frequencies of the discrete cosine transform.

    Args:
        size: Frequencies of each axis but the channels, at most all there
            are.

    Example:
    >>> Cosine(8).weight_shape((32, 32, 3))
    (8, 8, 3)
    """

    size: int = 8

    def __post_init__(self) -> None:
        self.check_positive("size")

    def weight_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*(min(self.size, n) for n in shape[:-1]), shape[-1])

    def expand(self, weight: Any, shape: tuple[int, ...]) -> Any:
        array = ops.convert_to_tensor(weight)
        scale = math.sqrt(math.prod(shape) / math.prod(array.shape))
        for axis, size in enumerate(shape[:-1]):
            waves = _cosines(size)[:, : array.shape[axis]]
            array = _along(axis, waves, array)
        return scale * array


@keras.saving.register_keras_serializable("reprogram.programs")
@dataclasses.dataclass(frozen=True)
class Orthonormal(Parameterization):
    """Random orthogonal patterns that each cover the whole array.

    The patterns are cosines of random frequencies under one random mask of
    signs, which makes them as spread as random directions and as orthogonal
    as cosines, without a matrix of all values times all numbers.

    Args:
        dimension: Number of patterns.
        seed: Of the patterns.

    Raises:
        ValueError: If there are more patterns than values.

    Example:
    >>> Orthonormal(100).weight_shape((32, 32, 3))
    (100,)
    """

    dimension: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        self.check_positive("dimension")

    def weight_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if self.dimension > math.prod(shape):
            raise ValueError(
                f"A program of shape {shape} has {math.prod(shape)} values,"
                f" no more are free. Received: dimension={self.dimension}."
                " Lower it."
            )
        return (self.dimension,)

    def expand(self, weight: Any, shape: tuple[int, ...]) -> Any:
        places, signs = _places_and_signs(self.seed, shape, self.dimension)
        size = math.prod(shape)
        array = ops.scatter(places, ops.convert_to_tensor(weight), (size,))
        array = ops.reshape(array, shape)
        for axis, length in enumerate(shape):
            array = _along(axis, _cosines(length), array)
        return math.sqrt(size / self.dimension) * signs * array


@functools.cache
def _cosines(size: int) -> np.ndarray:
    """Orthonormal waves `(size, frequencies)`, the slowest first."""
    waves = scipy.fft.idct(np.eye(size), axis=0, norm="ortho")
    return waves.astype("float32")


@functools.lru_cache(maxsize=8)
def _places_and_signs(
    seed: int, shape: tuple[int, ...], dimension: int
) -> tuple[np.ndarray, np.ndarray]:
    # RandomState, because NumPy promises that its numbers never change:
    # a saved program means nothing with other patterns.
    draw = np.random.RandomState(seed)
    places = draw.permutation(math.prod(shape))[:dimension]
    signs = draw.choice([-1.0, 1.0], shape)
    return places[:, None].astype("int32"), signs.astype("float32")


def _along(axis: int, matrix: np.ndarray, array: Any) -> Any:
    """Multiplies one axis of an array by a matrix `(new, old)`."""
    array = ops.tensordot(ops.array(matrix), array, axes=[[1], [axis]])
    return ops.moveaxis(array, 0, axis)
