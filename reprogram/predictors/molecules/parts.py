"""Parts of predictors, and baselines that predictors must not fall below."""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from reprogram.predictors.molecules.features import SOURCE
from reprogram.predictors.molecules.models import Forest
from reprogram.predictors.molecules.models import KernelMachine
from reprogram.predictors.molecules.models import Linear
from reprogram.predictors.molecules.models import Model
from reprogram.predictors.molecules.process import Process

FRAGMENTS = ("ecfp4", "fcfp4", "atom pairs")
ALL = (*FRAGMENTS, "descriptors")


@dataclasses.dataclass(frozen=True)
class Part:
    """A named model and the views that it reads.

    Args:
        name: Name of the part in tables of results.
        views: Views of molecules, see `features.compute`.
        kind: Class of the model; takes the views, the problem, which is
            `"regression"` or `"labels"`, and a seed.
        options: More arguments of the class.
    """

    name: str
    views: tuple[str, ...]
    kind: Callable[..., Model]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def make(self, problem: str, seed: int) -> Model:
        """Returns a model that is not fitted yet."""
        return self.kind(self.views, problem, seed, **self.options)


_FEW = {"trees": 200, "share": (1 / 3, "sqrt")}
_RANDOM = {"trees": 200, "share": (1 / 3, 1 / 3), "random": True}

FLOORS = (
    Part("forest, ECFP4 counts", ("ecfp4",), Forest),
    Part("linear, ECFP4 counts", ("ecfp4",), Linear, {"logistic": True}),
    Part("MinMax kernel machine, ECFP4 counts", ("ecfp4",), KernelMachine),
    Part("MinMax Gaussian process, ECFP4 counts", ("ecfp4",), Process),
    Part("forest, RDKit descriptors", ("descriptors",), Forest),
)

# Saved predictors hold a share for each of these, in this order.
DEFAULT = (
    Part(
        "Gaussian process, fragments, descriptors and source",
        (*ALL, "source"),
        Process,
    ),
    Part("Gaussian process, fragments and descriptors", ALL, Process),
    Part("Gaussian process, fragments", FRAGMENTS, Process),
    Part("ridge, descriptors", ("descriptors",), Linear),
    Part("ridge, answers of the source", ("answers",), Linear),
    Part("random trees, descriptors", ("descriptors",), Forest, _RANDOM),
    Part("forest, descriptors", ("descriptors",), Forest, _FEW),
    Part("forest, ECFP4 counts", ("ecfp4",), Forest, _FEW),
)


def usable(parts: tuple[Part, ...], source: str) -> tuple[Part, ...]:
    """Leaves out the parts that need a source where there is none."""
    if source:
        return parts
    return tuple(p for p in parts if not set(p.views) & set(SOURCE))
