"""How the numbers that are trained become the array of a program.

A program may be all free numbers, or the image of a few: with few numbers it
overfits less, and estimates of its gradient from queries need fewer of them.
All but `LowRank` are linear in the numbers, and scaled such that the array is
as large as the numbers (root mean square), so that learning rates carry over
from one to the next.
"""

import keras

from reprogram.transforms.programs.low_rank import LowRank
from reprogram.transforms.programs.parameterization import Free
from reprogram.transforms.programs.parameterization import Parameterization
from reprogram.transforms.programs.patches import Patches
from reprogram.transforms.programs.waves import Cosine
from reprogram.transforms.programs.waves import Orthonormal

PROGRAMS = {
    "free": Free,
    "cosine": Cosine,
    "patches": Patches,
    "orthonormal": Orthonormal,
    "low_rank": LowRank,
}


def get(identifier: Parameterization | str | dict | None) -> Parameterization:
    """Returns a parameterization.

    Args:
        identifier: A parameterization, its config, a key of `PROGRAMS`, or
            `None` for `Free`.

    Returns:
        The parameterization.

    Raises:
        ValueError: If the name is not known.

    Example:
    >>> get("low_rank")
    LowRank(rank=2, seed=0)
    """
    if isinstance(identifier, dict):
        return keras.saving.deserialize_keras_object(identifier)
    name = identifier or "free"
    if not isinstance(name, str) and hasattr(name, "expand"):
        return name
    if name not in PROGRAMS:
        raise ValueError(
            f"Unknown program. Received: {identifier!r}. Expected one of"
            f" {', '.join(PROGRAMS)}, or an object of"
            " `reprogram.transforms.programs` such as Cosine(8)."
        )
    return PROGRAMS[name]()


__all__ = [
    "Cosine",
    "Free",
    "LowRank",
    "Orthonormal",
    "PROGRAMS",
    "Parameterization",
    "Patches",
    "get",
]
