"""Plans of searches, their checks, and the first molecules."""

import dataclasses
import functools
import os
from collections.abc import Sequence
from typing import Any

from rdkit import Chem

from reprogram import files
from reprogram.molecules.smiles import read
from reprogram.optimization import search as searches
from reprogram.optimization.constraints import plain
from reprogram.optimization.objective import Objective
from reprogram.optimization.search.archive import Archive

FIRST = 100  # molecules that are asked first without a start


@dataclasses.dataclass(frozen=True)
class Plan:
    """How to search.

    Args:
        budget: Largest number of evaluated molecules for each start, the start
            included.
        search: Name of the search, a key of `search.SEARCHES`.
        source: Name or path of a molecular source, for searches in its
            latent; empty for none.
        options: Arguments of the search by name.
        seed: Seed of all draws.
        timeout: Time limit in seconds for one list of molecules, for external
            oracles.
        floors: Whether to report what cheap tricks reach; only for oracles of
            this library, which cost nothing.
    """

    budget: int = 500
    search: str = "evolution"
    source: str = ""
    options: dict = dataclasses.field(default_factory=dict)
    seed: int = 0
    timeout: float | None = None
    floors: bool = True


def check(
    objective: Objective,
    starts: Sequence[str | None],
    folder: str | os.PathLike,
    plan: Plan,
) -> None:
    """Checks what can be checked before a folder is claimed or a call spent.

    Raises:
        ValueError: If the search or an oracle is unknown, or none of the
            starts can be used.
        OSError: If nothing can be written into the folder.
    """
    files.check_writable(folder)
    if plan.budget < 1:
        raise ValueError(
            f"`budget` must be at least 1. Received: {plan.budget}."
        )
    search(plan)
    searches.evaluator(objective)
    if None in starts and plan.search in searches.NEED_START:
        raise ValueError(
            f"The search {plan.search!r} changes start molecules. Give some,"
            f" or one of the other searches: {', '.join(searches.SEARCHES)}."
        )
    reasons = []
    for start in starts:
        try:
            prepare(start, plan)
            return
        except ValueError as error:
            reasons.append(str(error))
    several = len(starts) > 1
    which = (
        f"None of the {len(starts)} starts can" if several else "No start can"
    )
    raise ValueError(f"{which} be used. {' '.join(reasons[:3])}")


def source(plan: Plan) -> Any:
    """Loads the molecular source of a plan; `None` if it has none."""
    return _load(plan.source) if plan.source else None


@functools.lru_cache(maxsize=1)
def _load(name: str) -> Any:
    from reprogram import sources

    loaded = sources.load(name)
    if not hasattr(loaded, "decode"):
        raise ValueError(
            f"The source {name!r} does not write molecules. Expected a"
            " molecular source, such as zinc-autoencoder."
        )
    return loaded


def search(plan: Plan) -> searches.Search:
    """Makes the search of a plan."""
    try:
        return searches.get(plan.search, source(plan), **plan.options)
    except TypeError as error:
        raise ValueError(
            f"The search {plan.search!r} does not take the options"
            f" {plan.options}: {error}."
        ) from error


def prepare(start: str | None, plan: Plan) -> str | None:
    """Writes a start as the searches do, as canonical SMILES.

    Raises:
        ValueError: If the start cannot be used.
    """
    text = plain(start) if start is not None else None
    if text and plan.search in searches.NEED_SOURCE:
        reader = source(plan)
        standard, reasons = read([text])
        reason = reasons[0] or reader.tokenizer.explain(
            standard[0], reader.longest
        )
        if reason:
            raise ValueError(
                f"{reason}. A search by edits can start from it:"
                " --search=evolution without --source."
            )
    return text


def first(archive: Archive, source: Any, budget: int) -> list[str]:
    """Chooses the molecules to evaluate before a search.

    Returns:
        The start; without one up to `FIRST` allowed molecules, written by the
        source or, without a source, of RDKit's NCI set.
    """
    if archive.start:
        return [archive.start]
    count = min(FIRST, budget)
    if source is not None:
        drawn = source.generate(4 * count, seed=archive.seed)
    else:
        from reprogram.sources.pretraining import corpus

        rows = corpus.read_smiles(corpus.rdkit_files()[0])
        drawn = archive.rng.choice(rows, min(20 * count, len(rows)), False)
        drawn = read(drawn.tolist())[0]
    good = [
        row
        for row in dict.fromkeys(r for r in drawn if r)
        if archive.frame.allows(Chem.MolFromSmiles(row))
    ]
    return good[:count]
