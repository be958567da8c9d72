"""What predictors are made of, and the floors that they must not go below."""

import dataclasses
from collections.abc import Callable

from reprogram.predictors.molecules.features import SOURCE
from reprogram.predictors.molecules.models import Forest
from reprogram.predictors.molecules.models import KernelRidge
from reprogram.predictors.molecules.models import Linear
from reprogram.predictors.molecules.process import Process

FRAGMENTS = ("ecfp4", "fcfp4", "atom pairs")


@dataclasses.dataclass(frozen=True)
class Part:
    """A named model and what it reads.

    Args:
        name: Row of tables.
        views: Views of molecules, see `features.compute`.
        make: Takes the problem, `"regression"` or `"labels"`, and a seed.
    """

    name: str
    views: tuple[str, ...]
    make: Callable[[str, int], object]


FLOORS = (
    Part(
        "forest, ECFP4 counts",
        ("ecfp4",),
        lambda problem, seed: Forest("ecfp4", problem, seed, trees=500),
    ),
    Part(
        "linear, ECFP4 counts",
        ("ecfp4",),
        lambda problem, seed: Linear("ecfp4", problem, seed, logistic=True),
    ),
    Part(
        "MinMax kernel machine, ECFP4 counts",
        ("ecfp4",),
        lambda problem, seed: KernelRidge("ecfp4", problem, seed),
    ),
    Part(
        "MinMax Gaussian process, ECFP4 counts",
        ("ecfp4",),
        lambda problem, seed: Process(("ecfp4",), seed=seed),
    ),
    Part(
        "forest, RDKit descriptors",
        ("descriptors",),
        lambda problem, seed: Forest("descriptors", problem, seed, trees=500),
    ),
)

DEFAULT = (
    Part(
        "Gaussian process, fragments, descriptors and source",
        (*FRAGMENTS, "descriptors", "source"),
        lambda problem, seed: Process(
            (*FRAGMENTS, "descriptors", "source"), seed=seed
        ),
    ),
    Part(
        "Gaussian process, fragments and descriptors",
        (*FRAGMENTS, "descriptors"),
        lambda problem, seed: Process((*FRAGMENTS, "descriptors"), seed=seed),
    ),
    Part(
        "Gaussian process, fragments",
        FRAGMENTS,
        lambda problem, seed: Process(FRAGMENTS, seed=seed),
    ),
    Part(
        "ridge, descriptors",
        ("descriptors",),
        lambda problem, seed: Linear("descriptors", problem, seed),
    ),
    Part(
        "ridge, answers of the source",
        ("answers",),
        lambda problem, seed: Linear("answers", problem, seed),
    ),
    Part(
        "random trees, descriptors",
        ("descriptors",),
        lambda problem, seed: Forest(
            "descriptors", problem, seed, True, 200, 1 / 3
        ),
    ),
    Part(
        "forest, descriptors",
        ("descriptors",),
        lambda problem, seed: Forest(
            "descriptors", problem, seed, trees=200, share=_share(problem)
        ),
    ),
    Part(
        "forest, ECFP4 counts",
        ("ecfp4",),
        lambda problem, seed: Forest(
            "ecfp4", problem, seed, trees=200, share=_share(problem)
        ),
    ),
)


def _share(problem: str) -> float | None:
    return 1 / 3 if problem == "regression" else None


def usable(parts: tuple[Part, ...], source: str) -> tuple[Part, ...]:
    """Leaves out the parts that need a source where there is none."""
    if source:
        return parts
    return tuple(p for p in parts if not set(p.views) & set(SOURCE))
