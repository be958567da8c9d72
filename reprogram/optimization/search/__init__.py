"""Searches for molecules by queries, all behind one shape.

A search is called with archives and how much each may still ask, and returns
what to ask next; `drive` asks, and tells the archives.
"""

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


def _evolution(source: Any = None, **options) -> Search:
    proposers = dict(PROPOSERS)
    if source is not None:
        proposers["latent"] = around(source)
    return Evolution(proposers, **options)


def _genetic(source: Any = None, **options) -> Search:
    return _evolution(source, **{"ranked": False, **options})


def _qmo(source: Any, **options) -> Search:
    from reprogram.optimization.search.qmo import QMO

    return QMO(source, **options)


def _latent_evolution(source: Any, **options) -> Search:
    from reprogram.optimization.search.latent import LatentEvolution

    return LatentEvolution(source, **options)


def _latent_bayes(source: Any, **options) -> Search:
    from reprogram.optimization.search.latent import LatentBayes

    return LatentBayes(source, **options)


def _language(source: Any, **options) -> Search:
    from reprogram.optimization.search.language import LanguageSearch

    return LanguageSearch(source, **options)


SEARCHES: dict[str, Callable[..., Search]] = {
    "evolution": _evolution,
    "genetic": _genetic,
    "qmo": _qmo,
    "latent_evolution": _latent_evolution,
    "latent_bayes": _latent_bayes,
    "language": _language,
}
NEED_SOURCE = ("qmo", "latent_evolution", "latent_bayes", "language")
NEED_START = ("qmo",)


def get(name: str, source: Any = None, **options) -> Search:
    """Looks up a search.

    Args:
        name: A key of `SEARCHES`.
        source: A molecular source with a latent, needed by those of
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
