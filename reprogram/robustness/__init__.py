"""How far a model can be trusted: attacks, estimates and certificates.

Everything takes `model(x) -> scores`: a Reprogrammer, a Keras model, a
pipeline of layers, a NumPy function or a remote service. Names load when they
are first used.
"""

import importlib
import warnings
from typing import Any

_THREATS = [
    "Linf",
    "L2",
    "L1",
    "L0",
    "Restricted",
    "Grouped",
    "Integers",
    "Spatial",
    "Semantic",
]
_NAMES = {
    **dict.fromkeys(_THREATS, "threats"),
    "AttackResult": "attacks.result",
    "Facts": "models",
    "inspect": "models",
    "checked": "checks",
    "sweep": "attacks.sweep",
    "auto_attack": "attacks.auto_attack",
    "Hardened": "hardening",
    "transfer_report": "suite.transfer",
}
_ROOMS = ("attacks", "certification", "hardening", "shifts", "suite", "threats")
_RENAMED = {"Masked": "Restricted"}

__all__ = [*_NAMES, *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        new = _RENAMED[name]
        text = f"reprogram.robustness.{name} is now called {new}."
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        name = new
    if name in _NAMES:
        module = importlib.import_module(f"{__name__}.{_NAMES[name]}")
        return getattr(module, name)
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(
        f"module 'reprogram.robustness' has no attribute {name!r}. It has:"
        f" {', '.join(__all__)}."
    )


def __dir__() -> list[str]:
    return sorted(__all__)
