"""Put a frozen, pretrained Keras model to work on a task it never saw.

Names load when they are first used, so that what needs no Keras does not
import it.
"""

import importlib
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "reprogrammer": "Reprogrammer",
    "program": "fingerprint",
    "transforms": "Annealing CenterMix Coordinator DenseTokenMap Gain Missing"
    " Mixing Overlay Padding Patch Rendering Resampling SampleMask Segments"
    " SoftPrompt Sonification SparseCoding SparseTokenMap TableImage TokenMap"
    " TokenRewriting TotalVariation TrainableResize",
    "mappings": "BayesianMapping BayesianPlusMapping CorrectionMapping"
    " ExplicitMapping FrequencyMapping IterativeMapping LinearMapping"
    " OptimalMapping RandomMapping Readapt SemanticMapping",
    "losses": "LogitAdjusted Masked OneHot",
    "predictors.recipe": "Recipe",
    "predictors.molecules": "MoleculePredictor",
    "sources": "Source",
    "gradients": "compiled value_and_grad",
    "parallel": "strategy",
    "diagnosis.diagnose": "diagnose",
}
# Layers that only their modules name, but that saved models contain.
_SAVED = {
    "robustness.hardening.hardened": "Hardened",
    "predictors.fine_tuning": "Still",
    "blackbox.experiment": "LogScores",
    "optimization.search.language": "PromptedWriter",
    "sources.text_encoder": "PaddedEmbedding SplitMask",
    "sources.log_mel": "LogMel",
    "sources.molecular.decoding": "Decode",
    "sources.molecular.layers": "ConvolutionBlock Patches Pooling Positions"
    " Posterior",
    "sources.molecular.writer": "NextToken Writer",
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


def _places(table: dict[str, str]) -> dict[str, str]:
    return {
        name: f"reprogram.{module}"
        for module, names in table.items()
        for name in names.split()
    }


_NAMES = _places(_PUBLIC)

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


class _Late:
    """Stands in for a class in Keras' registry until its module is needed."""

    def __init__(self, module: str, name: str):
        self._place = module, name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        module, name = self._place
        return getattr(
            getattr(importlib.import_module(module), name), attribute
        )


def _register(saving: types.ModuleType) -> None:
    """Lets Keras load saved models whose modules were not imported yet."""
    registry = saving.get_custom_objects()
    for name, module in (_NAMES | _places(_SAVED)).items():
        if name[0].isupper():
            registry.setdefault(f"reprogram>{name}", _Late(module, name))


class _WhenKerasLoads:
    """Registers the classes as soon as somebody imports `keras.saving`."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "keras.saving":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: types.ModuleType) -> None:
                execute(module)
                _register(module)

            vars(spec.loader)["exec_module"] = exec_module
        return spec


if "keras.saving" in sys.modules:
    _register(sys.modules["keras.saving"])
else:
    sys.meta_path.insert(0, _WhenKerasLoads())
