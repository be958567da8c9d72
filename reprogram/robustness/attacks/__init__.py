"""Attacks: functions `attack(model, x, y, threat, ...) -> AttackResult`."""

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

ATTACKS = {
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
