"""Edits of images that keep what they show: color, light and sharpness."""

import dataclasses
import math
from typing import Any

import numpy as np
from keras import ops

from reprogram.robustness.threats.balls import L2
from reprogram.robustness.threats.balls import wide

EDITS = ("hue", "saturation", "lightness", "brightness", "contrast", "blur")
_GRAY = np.array([0.299, 0.587, 0.114], "float32")
# From red, green and blue to luma and two chroma axes, which hue rotates.
_YIQ = np.array(
    [
        [0.299, 0.587, 0.114],
        [0.5959, -0.2746, -0.3213],
        [0.2115, -0.5227, 0.3112],
    ]
)


@dataclasses.dataclass(frozen=True)
class Semantic:
    """An image changes in color, light and sharpness, one after the other.

    Each edit goes to either side of the image as it is; 0 leaves it out. Hue
    and saturation act on images of three channels only.

    Args:
        hue: Largest rotation of the chroma in degrees.
        saturation: Largest relative change of the chroma.
        lightness: Largest share of white or black mixed in.
        brightness: Largest value added, as a share of the range of values.
        contrast: Largest relative change of the distance to the mean.
        blur: Largest deviation of a Gaussian, in pixels.
        epsilon: Share of all these ranges that may be used.
        bounds: Lowest and highest value of an input.

    Example:
    >>> Semantic(hue=0).at(0.5).limits()["contrast"]
    0.15

    Reference: Hsiung et al., Towards Compositional Adversarial Robustness:
    Generalizing Adversarial Training to Composite Semantic Perturbations,
    2023.
    """

    hue: float = 30.0
    saturation: float = 0.3
    lightness: float = 0.2
    brightness: float = 0.2
    contrast: float = 0.3
    blur: float = 1.0
    epsilon: float = 1.0
    bounds: tuple = (0.0, 1.0)
    name = "Semantic"

    def __post_init__(self) -> None:
        values = [getattr(self, edit) for edit in EDITS] + [self.epsilon]
        if min(values) < 0 or max(values[1:5]) > 1 or not any(values[:-1]):
            raise ValueError(
                "Each range is at least 0, of saturation, lightness, brightness"
                " and contrast at most 1, and one is above 0. Received:"
                f" {self}."
            )

    def limits(self) -> dict[str, float]:
        """Returns the range of each edit that is not left out."""
        found = {edit: self.epsilon * getattr(self, edit) for edit in EDITS}
        return {edit: limit for edit, limit in found.items() if limit > 0}

    def at(self, epsilon: float) -> "Semantic":
        """Returns the same threat at another strength."""
        return dataclasses.replace(self, epsilon=epsilon)

    def key(self) -> tuple:
        """Returns a key of this threat."""
        return self.name, *self.limits().items(), self.bounds

    def norm(self, delta: Any) -> Any:
        """Returns the Euclidean length of each change, `(n,)`."""
        return L2(0.0).norm(delta)


def edited(x: Any, knobs: Any, threat: Semantic) -> Any:
    """Applies all edits, differentiable in the images and the knobs.

    Args:
        x: Images `(n, height, width, channels)`.
        knobs: Strength of each edit in the threat's limits, from -1 to 1, `(n,
            edits)`.
        threat: Threat model with the ranges of the edits.

    Example:
    >>> threat = Semantic(0, 0, 0, brightness=0.2, contrast=0, blur=0)
    >>> x = np.full((1, 2, 2, 1), 0.5, "float32")
    >>> round(float(edited(x, np.array([[1.0]]), threat)[0, 0, 0, 0]), 4)
    0.7
    """
    low, high = threat.bounds
    x = (x - low) / (high - low)
    for place, (edit, limit) in enumerate(threat.limits().items()):
        amount = wide(ops.cast(knobs[:, place], x.dtype) * limit, x)
        x = ops.clip(_FUNCTIONS[edit](x, amount), 0.0, 1.0)
    return x * (high - low) + low


def _hue(x: Any, degrees: Any) -> Any:
    if x.shape[-1] != 3:
        return x
    there, back = (m.astype("float32") for m in (_YIQ, np.linalg.inv(_YIQ)))
    luma, first, second = ops.split(ops.matmul(x, there.T), 3, axis=-1)
    turn = degrees * (math.pi / 180)
    cosine, sine = ops.cos(turn), ops.sin(turn)
    turned = [
        luma,
        cosine * first - sine * second,
        sine * first + cosine * second,
    ]
    return ops.matmul(ops.concatenate(turned, axis=-1), back.T)


def _saturation(x: Any, amount: Any) -> Any:
    if x.shape[-1] != 3:
        return x
    gray = ops.sum(x * _GRAY, axis=-1, keepdims=True)
    return gray + (1 + amount) * (x - gray)


def _lightness(x: Any, amount: Any) -> Any:
    return x + ops.maximum(amount, 0.0) * (1 - x) + ops.minimum(amount, 0.0) * x


def _brightness(x: Any, amount: Any) -> Any:
    return x + amount


def _contrast(x: Any, amount: Any) -> Any:
    mean = ops.mean(x, axis=(1, 2), keepdims=True)
    return mean + (1 + amount) * (x - mean)


def _blur(x: Any, deviation: Any, reach: int = 4) -> Any:
    """Blurs by positive deviations; negative ones leave the image as it is."""
    variance = ops.square(ops.maximum(deviation, 0.0)) + 1e-3
    steps = range(-reach, reach + 1)
    weights = [ops.exp(-(s**2) / (2 * variance)) for s in steps]
    total = sum(weights)
    for axis in (1, 2):
        size = x.shape[axis]
        shifted = [
            ops.take(x, np.clip(np.arange(size) + s, 0, size - 1), axis=axis)
            for s in steps
        ]
        x = sum(w * v for w, v in zip(weights, shifted, strict=True)) / total
    return x


_FUNCTIONS = {
    "hue": _hue,
    "saturation": _saturation,
    "lightness": _lightness,
    "brightness": _brightness,
    "contrast": _contrast,
    "blur": _blur,
}
