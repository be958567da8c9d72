"""Reprogramming models that answer queries and give no gradients.

A service behind a `Meter` is asked through a `BlackBoxReprogrammer`; an
estimator turns its answers into gradients. `prime` asks once and goes on
locally.
"""

import importlib
from typing import Any

_NAMES = {
    "BlackBoxReprogrammer": "reprogrammer",
    "BudgetSpent": "errors",
    "HttpService": "service",
    "Ledger": "ledger",
    "Meter": "meter",
    "ServiceError": "errors",
    "estimators": "",
    "evolve": "population",
    "local": "service",
    "prime": "priming",
    "restrict": "answers",
    "train": "training",
}

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(
            f"module 'reprogram.blackbox' has no attribute {name!r}. It has:"
            f" {', '.join(__all__)}."
        )
    place = _NAMES[name]
    if not place:
        return importlib.import_module(f"reprogram.blackbox.{name}")
    return getattr(importlib.import_module(f"reprogram.blackbox.{place}"), name)
