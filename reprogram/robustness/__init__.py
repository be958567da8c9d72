"""How far a model can be trusted: attacks, estimates and certificates.

Everything takes `model(x) -> scores`: a Reprogrammer, a Keras model, a
pipeline of layers, a NumPy function or a remote service. Names load when they
are first used.
"""

import importlib
from typing import Any

_NAMES = {
    "Linf": "reprogram.robustness.threats.balls",
    "L2": "reprogram.robustness.threats.balls",
    "L1": "reprogram.robustness.threats.balls",
    "L0": "reprogram.robustness.threats.balls",
    "Masked": "reprogram.robustness.threats.tabular",
    "Grouped": "reprogram.robustness.threats.tabular",
    "Integers": "reprogram.robustness.threats.tabular",
    "AttackResult": "reprogram.robustness.attacks.result",
    "Facts": "reprogram.robustness.models",
    "inspect": "reprogram.robustness.models",
    "checked": "reprogram.robustness.checks",
    "sweep": "reprogram.robustness.attacks.sweep",
    "auto_attack": "reprogram.robustness.attacks.auto_attack",
    "Hardened": "reprogram.robustness.hardening.hardened",
    "transfer_report": "reprogram.robustness.suite.transfer",
    "Spatial": "reprogram.robustness.attacks.spatial",
    "Semantic": "reprogram.robustness.threats.semantic",
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
