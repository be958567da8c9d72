"""Put a frozen, pretrained Keras model to work on a task it never saw.

Names load when they are first used, so that what needs no Keras does not
import it.
"""

import importlib
from typing import Any

from reprogram.version import __version__ as __version__

_NAMES = {
    "Reprogrammer": "reprogram.reprogrammer",
    "fingerprint": "reprogram.program",
    "Padding": "reprogram.transforms",
    "SoftPrompt": "reprogram.transforms",
    "BayesianMapping": "reprogram.mappings",
    "BayesianPlusMapping": "reprogram.mappings",
    "CorrectionMapping": "reprogram.mappings",
    "ExplicitMapping": "reprogram.mappings",
    "FrequencyMapping": "reprogram.mappings",
    "IterativeMapping": "reprogram.mappings",
    "LinearMapping": "reprogram.mappings",
    "OptimalMapping": "reprogram.mappings",
    "RandomMapping": "reprogram.mappings",
    "Readapt": "reprogram.mappings",
    "SemanticMapping": "reprogram.mappings",
    "Masked": "reprogram.losses",
    "Recipe": "reprogram.predictors.recipe",
    "Source": "reprogram.sources",
    "value_and_grad": "reprogram.gradients",
    "compiled": "reprogram.gradients",
    "strategy": "reprogram.parallel",
    "diagnose": "reprogram.diagnosis.diagnose",
}
_MODULES = (
    "blackbox",
    "diagnosis",
    "experiments",
    "mappings",
    "molecules",
    "optimization",
    "predictors",
    "report",
    "robustness",
    "sources",
    "transforms",
)

__all__ = ["__version__", *_NAMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"reprogram.{name}")
    raise AttributeError(
        f"module 'reprogram' has no attribute {name!r}. It has:"
        f" {', '.join(__all__)}."
    )


def __dir__() -> list[str]:
    return sorted(__all__)
