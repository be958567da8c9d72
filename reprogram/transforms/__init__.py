"""Input transforms: what turns target data into what a source can read.

One Keras layer a file. A new one adds its file, a row in `TRANSFORMS` and a
row in `tests/conformance.py`.
"""

from typing import Any

import keras

from reprogram.transforms import programs
from reprogram.transforms.center_mix import CenterMix
from reprogram.transforms.coordinator import Coordinator
from reprogram.transforms.dense_token_map import DenseTokenMap
from reprogram.transforms.gain import Gain
from reprogram.transforms.missing import Missing
from reprogram.transforms.mixing import Mixing
from reprogram.transforms.overlay import Overlay
from reprogram.transforms.padding import Padding
from reprogram.transforms.patch import Patch
from reprogram.transforms.rendering import Rendering
from reprogram.transforms.resampling import Resampling
from reprogram.transforms.sample_mask import SampleMask
from reprogram.transforms.segments import Segments
from reprogram.transforms.soft_prompt import SoftPrompt
from reprogram.transforms.sonification import Sonification
from reprogram.transforms.sparse_coding import SparseCoding
from reprogram.transforms.sparse_token_map import SparseTokenMap
from reprogram.transforms.table_image import TableImage
from reprogram.transforms.token_map import TokenMap
from reprogram.transforms.token_map import dictionary
from reprogram.transforms.token_rewriting import Annealing
from reprogram.transforms.token_rewriting import TokenRewriting
from reprogram.transforms.total_variation import TotalVariation
from reprogram.transforms.trainable_resize import TrainableResize

TRANSFORMS = {
    "identity": keras.layers.Identity,
    "padding": Padding,
    "center_mix": CenterMix,
    "coordinator": Coordinator,
    "overlay": Overlay,
    "patch": Patch,
    "sample_mask": SampleMask,
    "table_image": TableImage,
    "trainable_resize": TrainableResize,
    "segments": Segments,
    "gain": Gain,
    "mixing": Mixing,
    "resampling": Resampling,
    "missing": Missing,
    "rendering": Rendering,
    "sonification": Sonification,
    "soft_prompt": SoftPrompt,
    "dense_token_map": DenseTokenMap,
    "sparse_token_map": SparseTokenMap,
    "token_rewriting": TokenRewriting,
}


def get(
    identifier: keras.layers.Layer | str | None, **options: Any
) -> keras.layers.Layer:
    """Returns an input transform.

    Args:
        identifier: A layer, a key of `TRANSFORMS`, or `None` for identity.
        **options: Arguments of the layer, if it is named.

    Returns:
        The layer.

    Raises:
        ValueError: If the name is not known.

    Example:
    >>> get("soft_prompt", length=4).length
    4
    """
    if isinstance(identifier, keras.layers.Layer):
        return identifier
    name = identifier or "identity"
    if name not in TRANSFORMS:
        raise ValueError(
            f"Unknown input transform. Received: {identifier!r}. Expected a"
            f" Keras layer or one of {', '.join(TRANSFORMS)}."
        )
    return TRANSFORMS[name](**options)


__all__ = [
    "Annealing",
    "CenterMix",
    "Coordinator",
    "DenseTokenMap",
    "Gain",
    "Missing",
    "Mixing",
    "Overlay",
    "Padding",
    "Patch",
    "Rendering",
    "Resampling",
    "SampleMask",
    "Segments",
    "SoftPrompt",
    "Sonification",
    "SparseCoding",
    "SparseTokenMap",
    "TRANSFORMS",
    "TableImage",
    "TokenMap",
    "TokenRewriting",
    "TotalVariation",
    "TrainableResize",
    "dictionary",
    "get",
    "programs",
]
