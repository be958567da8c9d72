"""Input transforms: what turns target data into what a source can read.

One Keras layer a file. A new one adds its file, a row in `TRANSFORMS` and a
row in `tests/conformance.py`.
"""

import keras

from reprogram.transforms.padding import Padding
from reprogram.transforms.soft_prompt import SoftPrompt

TRANSFORMS = {
    "identity": keras.layers.Identity,
    "padding": Padding,
    "soft_prompt": SoftPrompt,
}


def get(
    identifier: keras.layers.Layer | str | None, **options: object
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


__all__ = ["Padding", "SoftPrompt", "TRANSFORMS", "get"]
