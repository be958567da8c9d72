"""Rotations and moves of images."""

import dataclasses
from typing import Any

import numpy as np

from reprogram.robustness.threats.balls import L2


@dataclasses.dataclass(frozen=True)
class Spatial:
    """An image is rotated around its center, then moved.

    Args:
        degrees: Largest rotation in degrees, to either side.
        pixels: Largest move in pixels along each axis, to either side.
        epsilon: Share of both that may be used, from 0 to 1, for sweeps.
        bounds: Lowest and highest value of an input.
        fill: Value of pixels from outside the image; `None` takes the lowest.

    Example:
    >>> Spatial(30, 3).at(0.5).limits()
    (15.0, 1.5)

    Reference: Engstrom et al., Exploring the Landscape of Spatial
    Robustness, 2019.
    """

    degrees: float = 30.0
    pixels: float = 3.0
    epsilon: float = 1.0
    bounds: tuple = (0.0, 1.0)
    fill: float | None = None
    name = "Spatial"

    def __post_init__(self) -> None:
        if min(self.degrees, self.pixels, self.epsilon) < 0:
            raise ValueError(
                "Degrees, pixels and epsilon are at least 0. Received:"
                f" {self.degrees}, {self.pixels} and {self.epsilon}."
            )

    def limits(self) -> tuple[float, float]:
        """Returns the largest rotation in degrees and move in pixels."""
        return self.degrees * self.epsilon, self.pixels * self.epsilon

    def outside(self) -> float:
        """Returns the value of pixels from outside the image."""
        lowest = float(np.min(self.bounds[0]))
        return lowest if self.fill is None else self.fill

    def at(self, epsilon: float) -> "Spatial":
        """Returns the same threat at another strength."""
        return dataclasses.replace(self, epsilon=epsilon)

    def key(self) -> tuple:
        """Returns a key of this threat that ignores the strength."""
        return self.name, self.outside()

    def norm(self, delta: Any) -> Any:
        """Returns the Euclidean length of each change, `(n,)`."""
        return L2(0.0).norm(delta)
