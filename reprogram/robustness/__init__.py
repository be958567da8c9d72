"""How far a model can be trusted: attacks, estimates and certificates.

Everything takes `model(x) -> scores`: a Reprogrammer, a Keras model, a
pipeline of layers, a NumPy function or a remote service. Names load when they
are first used.
"""

import importlib
from typing import Any

_NAMES = {
    "Linf": "reprogram.robustness.threats",
    "L2": "reprogram.robustness.threats",
    "L1": "reprogram.robustness.threats",
    "L0": "reprogram.robustness.threats",
    "Masked": "reprogram.robustness.tabular",
    "Grouped": "reprogram.robustness.tabular",
    "Integers": "reprogram.robustness.tabular",
    "AttackResult": "reprogram.robustness.result",
    "Facts": "reprogram.robustness.scoring",
    "inspect": "reprogram.robustness.scoring",
    "checked": "reprogram.robustness.checks",
    "sweep": "reprogram.robustness.sweeping",
    "auto_attack": "reprogram.robustness.attacks.auto_attack",
    "Hardened": "reprogram.robustness.training",
    "transfer_report": "reprogram.robustness.transfer",
    "Spatial": "reprogram.robustness.attacks.spatial",
    "Semantic": "reprogram.robustness.attacks.edits",
}
_MODULES = ("attacks", "card", "certification", "shifts", "threats")

__all__ = [*_NAMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"reprogram.robustness.{name}")
    raise AttributeError(
        f"module 'reprogram.robustness' has no attribute {name!r}. It has:"
        f" {', '.join(__all__)}."
    )


def __dir__() -> list[str]:
    return sorted(__all__)
