"""Predictors: models that are fitted to labelled rows.

One protocol and one dict. A new predictor is a class with `fit`, `predict`,
`save` and `load`, a row in `PREDICTORS` and a row in the table of tests.
"""

import importlib
import importlib.util
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any
from typing import Protocol

import numpy as np

if TYPE_CHECKING:
    from reprogram.predictors.data import Data
    from reprogram.predictors.recipe import Recipe


class Fitted(Protocol):
    """A predictor as a run has saved it."""

    @property
    def name(self) -> str:
        """Name in the table of results."""
        ...

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts values or probabilities `(samples, targets)`."""
        ...


class Predictor(Fitted, Protocol):
    """A model of one task that can be fitted and saved.

    `assess(inputs, confidence) -> Assessment` is optional: intervals or sets,
    domain and nearest training molecules. `about(data)` is optional too: its
    part of the report page. `parameters` is the number of fitted values, `None`
    where that makes no sense.
    """

    @property
    def parameters(self) -> int | None:
        """Number of fitted values."""
        ...

    def fit(
        self, data: "Data", rows: np.ndarray, validation: np.ndarray
    ) -> "Predictor":
        """Fits to some rows; those of `validation` choose among epochs."""
        ...

    def save(self, folder: pathlib.Path) -> None:
        """Writes what `experiments.prediction.load` reads."""
        ...


Factory = Callable[[int, "Recipe"], Predictor]


def _reprogrammed(seed: int, recipe: "Recipe") -> Predictor:
    from reprogram.predictors.reprogrammed import Reprogrammed

    return Reprogrammed(seed, recipe)


def _ensemble(seed: int, recipe: "Recipe") -> Predictor:
    from reprogram.predictors.ensemble import Ensemble

    return Ensemble(seed)


def _baseline(key: str) -> Factory:
    def make(seed: int, recipe: "Recipe") -> Predictor:
        from reprogram.predictors.baselines import BaselinePredictor

        return BaselinePredictor(key, seed)

    return make


def _tuned(name: str, **options: Any) -> Factory:
    def make(seed: int, recipe: "Recipe") -> Predictor:
        from reprogram.predictors.fine_tuning import FineTuned

        return FineTuned(name, seed, recipe, **options)

    return make


PREDICTORS: dict[str, Factory] = {
    "reprogrammed": _reprogrammed,
    "ensemble": _ensemble,
    "trivial": _baseline("trivial"),
    "probe": _baseline("probe"),
    "nearest-neighbor": _baseline("nearest-neighbor"),
    "forest": _baseline("forest"),
    "minirocket": _baseline("minirocket"),
    "nearest-molecule": _baseline("nearest-molecule"),
    "gaussian-process": _baseline("gaussian-process"),
    "forest-ecfp4": _baseline("forest-ecfp4"),
    "forest-descriptors": _baseline("forest-descriptors"),
    "lora": _tuned("LoRA", rank=4, learning_rate=1e-3),
    "fine-tuning": _tuned("fine-tuning"),
}
# For each modality the predictor that is saved by default, then its rivals.
DEFAULTS = {
    "molecule": (
        "ensemble",
        "trivial",
        "probe",
        "nearest-molecule",
        "gaussian-process",
        "forest-ecfp4",
        "forest-descriptors",
        "reprogrammed",
    ),
    "image": (
        "reprogrammed",
        "trivial",
        "probe",
        "lora",
        "fine-tuning",
        "nearest-neighbor",
        "forest",
    ),
    "series": (
        "reprogrammed",
        "trivial",
        "probe",
        "lora",
        "fine-tuning",
        "nearest-neighbor",
        "forest",
        "minirocket",
    ),
}
MOLECULES = frozenset(
    ("ensemble", "nearest-molecule", "gaussian-process")
    + ("forest-ecfp4", "forest-descriptors")
)
REQUIRES = {"minirocket": ("aeon", "series")}  # module, extra


def get(name: str, seed: int = 0, recipe: "Recipe | None" = None) -> Predictor:
    """Makes a predictor.

    Args:
        name: A key of `PREDICTORS`.
        seed: Seed of all random draws of the predictor.
        recipe: Choices of transform, mapping and training; `None` for the
            default.

    Returns:
        The predictor, to be fitted.

    Raises:
        ValueError: If there is no such predictor.
        ImportError: If it needs an extra that is not installed.

    Example:
    >>> get("forest-ecfp4").name
    'random forest, ECFP4 counts'
    """
    if name not in PREDICTORS:
        raise ValueError(
            f"There is no predictor {name!r}. Choose one of"
            f" {', '.join(PREDICTORS)}."
        )
    if not available(name):
        raise ImportError(
            f"The predictor {name!r} needs an extra: pip install"
            f' "reprogram[{REQUIRES[name][1]}]"'
        )
    if recipe is None:
        recipe = importlib.import_module("reprogram.predictors.recipe").Recipe()
    return PREDICTORS[name](seed, recipe)


def available(name: str) -> bool:
    """Returns whether what a predictor requires is installed."""
    module = REQUIRES.get(name, ("", ""))[0]
    return not module or importlib.util.find_spec(module) is not None
