"""Attacks: functions `attack(model, x, y, threat, ...) -> AttackResult`.

Arguments that attacks share:

    model: Function from inputs `(n, ...)` to scores `(n, classes)`: a Keras
        model, or a NumPy function or a service for the attacks that ask for
        scores or classes only.
    x: Inputs inside the bounds of the threat, `(n, ...)`.
    y: Class ids, `(n,)`.
    threat: Threat model, such as `Linf(0.03)`: what may change, and how much.
    samples: Number of predictions that are averaged, above 1 for a model that
        is random.
    batch_size: Number of inputs in one call of the model.
    seed: Seed of all random draws.
    tell: Function that is called with a line of progress.

They return an `AttackResult`. They raise a `ValueError` if the inputs do not
fit the model, if the attack does not support the threat, or if it needs
gradients and the model has none.
"""

from collections.abc import Callable

from reprogram.robustness.attacks.apgd import apgd
from reprogram.robustness.attacks.boundary import boundary
from reprogram.robustness.attacks.carlini_wagner import carlini_wagner
from reprogram.robustness.attacks.deepfool import deepfool
from reprogram.robustness.attacks.fab import fab
from reprogram.robustness.attacks.fgsm import fgsm
from reprogram.robustness.attacks.hop_skip_jump import hop_skip_jump
from reprogram.robustness.attacks.nes import nes
from reprogram.robustness.attacks.pgd import pgd
from reprogram.robustness.attacks.semantic import semantic
from reprogram.robustness.attacks.simba import simba
from reprogram.robustness.attacks.spatial import spatial
from reprogram.robustness.attacks.square import square
from reprogram.robustness.attacks.universal import universal

ATTACKS: dict[str, Callable] = {
    "fgsm": fgsm,
    "pgd": pgd,
    "apgd": apgd,
    "fab": fab,
    "deepfool": deepfool,
    "carlini_wagner": carlini_wagner,
    "square": square,
    "nes": nes,
    "simba": simba,
    "hop_skip_jump": hop_skip_jump,
    "boundary": boundary,
    "spatial": spatial,
    "semantic": semantic,
    "universal": universal,
}


def get(name: str | Callable) -> Callable:
    """Returns an attack by its name.

    Args:
        name: A name in `ATTACKS`, or an attack.

    Raises:
        ValueError: If there is no attack of that name.

    Example:
    >>> get("pgd").__name__
    'pgd'
    """
    if callable(name):
        return name
    if name not in ATTACKS:
        raise ValueError(
            f"There is no attack {name!r}. There are:"
            f" {', '.join(sorted(ATTACKS))}."
        )
    return ATTACKS[name]
