"""Optimization of molecules by queries.

An `Objective` says what is wanted, a `Plan` how to search; `optimize` asks
the oracles and keeps everything in a folder. Names load when they are used.
"""

import importlib
from typing import Any

_NAMES = {
    "Objective": "objective",
    "ORACLES": "oracles",
    "Plan": "run",
    "SEARCHES": "search",
    "optimize": "run",
    "score": "oracles",
}

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(
            f"module 'reprogram.optimization' has no attribute {name!r}. It"
            f" has: {', '.join(__all__)}."
        )
    module = importlib.import_module(f"{__name__}.{_NAMES[name]}")
    return getattr(module, name)
