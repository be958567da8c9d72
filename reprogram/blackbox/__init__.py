"""Reprogramming models that answer queries and give no gradients.

A service behind a `Meter` is asked through a `BlackBoxReprogrammer`; an
estimator turns its scores into gradients. `prime` asks once and goes on
locally.
"""

import importlib
from typing import Any

_NAMES = {
    "BlackBoxReprogrammer": "reprogram.blackbox.reprogrammer",
    "BudgetSpent": "reprogram.blackbox.errors",
    "HttpService": "reprogram.service.client",
    "Ledger": "reprogram.blackbox.ledger",
    "Meter": "reprogram.blackbox.meter",
    "ServiceError": "reprogram.blackbox.errors",
    "estimators": "",
    "evolve": "reprogram.blackbox.population",
    "local": "reprogram.blackbox.scores",
    "prime": "reprogram.blackbox.priming",
    "restrict": "reprogram.blackbox.scores",
    "train": "reprogram.blackbox.training",
}

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(
            f"module 'reprogram.blackbox' has no attribute {name!r}. It has:"
            f" {', '.join(__all__)}."
        )
    if not _NAMES[name]:
        return importlib.import_module(f"reprogram.blackbox.{name}")
    return getattr(importlib.import_module(_NAMES[name]), name)
