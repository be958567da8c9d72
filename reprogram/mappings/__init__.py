"""Label mappings: what turns a source's answers into the target's.

One Keras layer a file. A new one adds its file, a row in `MAPPINGS` and a row
in `tests/conformance.py`. `describe` says of any of them what it maps to what.
"""

import keras

from reprogram.mappings.bayesian import BayesianMapping
from reprogram.mappings.bayesian import BayesianPlusMapping
from reprogram.mappings.correction import CorrectionMapping
from reprogram.mappings.description import describe
from reprogram.mappings.explicit import ExplicitMapping
from reprogram.mappings.frequency import FrequencyMapping
from reprogram.mappings.iterative import IterativeMapping
from reprogram.mappings.iterative import Readapt
from reprogram.mappings.linear import LinearMapping
from reprogram.mappings.optimal import OptimalMapping
from reprogram.mappings.random import RandomMapping
from reprogram.mappings.semantic import SemanticMapping

MAPPINGS = {
    "identity": keras.layers.Identity,
    "explicit": ExplicitMapping,
    "random": RandomMapping,
    "frequency": FrequencyMapping,
    "iterative": IterativeMapping,
    "optimal": OptimalMapping,
    "bayesian": BayesianMapping,
    "bayesian_plus": BayesianPlusMapping,
    "semantic": SemanticMapping,
    "correction": CorrectionMapping,
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
    "BayesianMapping",
    "BayesianPlusMapping",
    "CorrectionMapping",
    "ExplicitMapping",
    "FrequencyMapping",
    "IterativeMapping",
    "LinearMapping",
    "MAPPINGS",
    "OptimalMapping",
    "RandomMapping",
    "Readapt",
    "SemanticMapping",
    "describe",
    "get",
]
