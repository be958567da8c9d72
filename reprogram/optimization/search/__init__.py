"""Searches for molecules by queries, all behind one shape.

A search is called with archives and how much each may still ask, and returns
what to ask next; `drive` asks, and tells the archives.
"""

import functools
import importlib
from collections.abc import Callable
from typing import Any

from reprogram.optimization.search.archive import Archive
from reprogram.optimization.search.drive import Search
from reprogram.optimization.search.drive import drive
from reprogram.optimization.search.drive import evaluator
from reprogram.optimization.search.drive import oracle
from reprogram.optimization.search.evolution import Evolution
from reprogram.optimization.search.proposers import PROPOSERS
from reprogram.optimization.search.proposers import around


def _evolution(source: Any = None, **options: Any) -> Search:
    proposers = dict(PROPOSERS)
    if source is not None:
        proposers["latent"] = around(source)
    return Evolution(proposers, **options)


def _late(module: str, name: str, source: Any, **options: Any) -> Search:
    """Imports a search when it is used, as it may need Keras."""
    found = importlib.import_module(f"{__name__}.{module}")
    return getattr(found, name)(source, **options)


SEARCHES: dict[str, Callable[..., Search]] = {
    "evolution": _evolution,
    "genetic": functools.partial(_evolution, ranked=False),
    "qmo": functools.partial(_late, "qmo", "QMO"),
    "latent_evolution": functools.partial(_late, "latent", "LatentEvolution"),
    "latent_bayes": functools.partial(_late, "latent", "LatentBayes"),
    "language": functools.partial(_late, "language", "LanguageSearch"),
}
NEED_SOURCE = ("qmo", "latent_evolution", "latent_bayes", "language")
NEED_START = ("qmo",)


def get(name: str, source: Any = None, **options: Any) -> Search:
    """Looks up a search.

    Args:
        name: Name of the search, a key of `SEARCHES`.
        source: Molecular source with a latent, required by the searches in
            `NEED_SOURCE`; gives the others one more proposer.
        **options: Arguments of the search.

    Returns:
        The search.

    Raises:
        ValueError: If the name is unknown, or a source is missing.

    Example:
    >>> get("evolution").generations
    4
    """
    if name not in SEARCHES:
        raise ValueError(
            f"No search {name!r}. Expected one of {', '.join(SEARCHES)}."
        )
    if name in NEED_SOURCE and source is None:
        raise ValueError(
            f"The search {name!r} works with a molecular source."
            " Give one, such as zinc-autoencoder."
        )
    return SEARCHES[name](source=source, **options)


__all__ = [
    "Archive",
    "Evolution",
    "NEED_SOURCE",
    "NEED_START",
    "PROPOSERS",
    "SEARCHES",
    "Search",
    "drive",
    "evaluator",
    "get",
    "oracle",
]
