"""What parameterizations share, and the one of all free numbers."""

import dataclasses
from typing import Any

import keras
from keras import ops


class Parameterization:
    """How the numbers that are trained become the array of a program.

    All shapes are `(..., channels)`.
    """

    def weight_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Returns the shape of the numbers of an array of this shape."""
        raise NotImplementedError

    def expand(self, weight: Any, shape: tuple[int, ...]) -> Any:
        """Returns the array that the numbers `weight` stand for."""
        raise NotImplementedError

    def check_positive(self, name: str) -> None:
        """Refuses an argument below 1."""
        if getattr(self, name) < 1:
            raise ValueError(
                f"`{name}` of {type(self).__name__} must be at least 1."
                f" Received: {name}={getattr(self, name)}."
            )

    def get_config(self) -> dict:
        # Every parameterization is a dataclass; this base is none.
        return dataclasses.asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_config(cls, config: dict) -> "Parameterization":
        return cls(**config)


@keras.saving.register_keras_serializable("reprogram.programs")
@dataclasses.dataclass(frozen=True)
class Free(Parameterization):
    """Every value of the array is a number of its own.

    Example:
    >>> Free().weight_shape((4, 6, 3))
    (4, 6, 3)
    """

    def weight_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(shape)

    def expand(self, weight: Any, shape: tuple[int, ...]) -> Any:
        return ops.convert_to_tensor(weight)
