"""A frozen source model and the facts needed to use it."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

MODALITIES = ("molecule", "image", "series", "token")


@dataclasses.dataclass(frozen=True)
class Source:
    """A pretrained model and the facts needed to use it.

    Args:
        model: Frozen Keras model with one input and one output.
        name: Name, path or preset that the source was loaded by.
        modality: `"molecule"`, `"image"`, `"series"` or `"token"`.
        preprocess: Function from raw inputs to model inputs. Raw inputs are
            strings `(batch,)`, images `(batch, height, width, channels)` in [0,
            255] or series `(batch, length, channels)`.
        input_range: Smallest and largest value of a model input, if bounded.
        class_names: Names of the outputs, if known.
        input_layer: Name of the layer whose output a token program changes.
        program_layer: Name of the layer behind which a prompt or a gain enters,
            if that is further inside; all layers before it run once.
        feature_layer: Name of the layer whose output a linear head reads.
        transform: Name of the default input transform, a key of
            `transforms.TRANSFORMS`; `None` for the one of the modality.
        licence: Licence of the weights.
        citation: Paper and year that introduced the model.
        explain: Function from a raw input to the reason why it cannot be read,
            empty if it can.
        augment: Function from raw inputs and a seed to other raw inputs of the
            same meaning.

    Raises:
        ValueError: If the modality is unknown.
    """

    model: "keras.Model"
    name: str
    modality: str
    preprocess: Callable[..., np.ndarray]
    input_range: tuple[float, float] | None = None
    class_names: tuple[str, ...] = ()
    input_layer: str | None = None
    program_layer: str | None = None
    feature_layer: str | None = None
    transform: str | None = None
    licence: str = ""
    citation: str = ""
    explain: Callable[..., str] | None = None
    augment: Callable[[np.ndarray, int], np.ndarray] | None = None

    def __post_init__(self) -> None:
        if self.modality not in MODALITIES:
            raise ValueError(
                f"`modality` must be one of {', '.join(MODALITIES)}."
                f" Received: modality={self.modality!r}."
            )
