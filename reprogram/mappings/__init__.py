"""Label mappings: what turns a source's answers into the target's.

One Keras layer a file. A new one adds its file, a row in `MAPPINGS` and a row
in `tests/conformance.py`.
"""

import keras

from reprogram.mappings.frequency import FrequencyMapping
from reprogram.mappings.linear import LinearMapping
from reprogram.mappings.random import RandomMapping

MAPPINGS = {
    "identity": keras.layers.Identity,
    "random": RandomMapping,
    "frequency": FrequencyMapping,
    "linear": LinearMapping,
}


def get(
    identifier: keras.layers.Layer | str | None, **options: object
) -> keras.layers.Layer:
    """Returns a label mapping.

    Args:
        identifier: A layer, a key of `MAPPINGS`, or `None` for identity.
        **options: Arguments of the layer, if it is named.

    Returns:
        The layer.

    Raises:
        ValueError: If the name is not known.

    Example:

    >>> get("linear", targets=3).targets
    3
    """
    if isinstance(identifier, keras.layers.Layer):
        return identifier
    name = identifier or "identity"
    if name not in MAPPINGS:
        raise ValueError(
            f"Unknown label mapping. Received: {identifier!r}. Expected a"
            f" Keras layer or one of {', '.join(MAPPINGS)}."
        )
    return MAPPINGS[name](**options)


__all__ = [
    "FrequencyMapping",
    "LinearMapping",
    "MAPPINGS",
    "RandomMapping",
    "get",
]
