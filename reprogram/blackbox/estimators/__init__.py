"""Gradients from losses alone: where to ask, and what the losses say.

An estimator names the points at which the loss is asked for, all in one
batch, and turns the losses there into an estimate of the gradient. A new one
is a file with such a class and a row in `ESTIMATORS`.
"""

from collections.abc import Callable
from typing import Any

from reprogram.blackbox.estimators.clipped import Clipped
from reprogram.blackbox.estimators.estimator import Estimator
from reprogram.blackbox.estimators.guided import Guided
from reprogram.blackbox.estimators.natural_evolution import NaturalEvolution
from reprogram.blackbox.estimators.one_sided import OneSided
from reprogram.blackbox.estimators.orthogonal import Orthogonal
from reprogram.blackbox.estimators.spsa import SPSA
from reprogram.blackbox.estimators.two_sided import TwoSided

ESTIMATORS: dict[str, Callable[..., Estimator]] = {
    "one_sided": OneSided,
    "two_sided": TwoSided,
    "orthogonal": Orthogonal,
    "spsa": SPSA,
    "natural_evolution": NaturalEvolution,
    "guided": Guided,
    "clipped": lambda **options: Clipped(Orthogonal(**options)),
}


def get(identifier: str | Estimator, **options: Any) -> Estimator:
    """Returns an estimator.

    Args:
        identifier: A key of `ESTIMATORS`, or an estimator.
        **options: Arguments of the estimator, if it is named.

    Returns:
        The estimator.

    Raises:
        ValueError: If the name is not known.

    Example:
    >>> get("spsa", repeats=3).repeats
    3
    """
    if not isinstance(identifier, str):
        return identifier
    if identifier not in ESTIMATORS:
        raise ValueError(
            f"Unknown estimator. Received: {identifier!r}. Expected one of"
            f" {', '.join(ESTIMATORS)}."
        )
    return ESTIMATORS[identifier](**options)


__all__ = [
    "ESTIMATORS",
    "Clipped",
    "Estimator",
    "Guided",
    "NaturalEvolution",
    "OneSided",
    "Orthogonal",
    "SPSA",
    "TwoSided",
    "get",
]
