"""The first molecules of a search."""

from typing import Any

from rdkit import Chem

from reprogram.molecules.smiles import read
from reprogram.optimization.constraints import plain
from reprogram.optimization.search.archive import Archive

FIRST = 100  # molecules that are asked first without a start


def prepare(start: str | None, source: Any = None) -> str | None:
    """Writes a start as the searches do.

    Args:
        start: A SMILES string, or `None` without a start.
        source: A molecular source that must be able to read the start into a
            latent; by default none.

    Returns:
        Canonical SMILES, or `None`.

    Raises:
        ValueError: If the start cannot be used.
    """
    text = plain(start) if start is not None else None
    if text and source is not None:
        standard, reasons = read([text])
        reason = reasons[0] or source.tokenizer.explain(
            standard[0], source.longest
        )
        if reason:
            raise ValueError(
                f"{reason}. A search by edits can start from it:"
                " --search=evolution without --source."
            )
    return text


def first(archive: Archive, source: Any, budget: int) -> list[str]:
    """Chooses what is asked before a search.

    Args:
        archive: Archive of the search.
        source: A molecular source that generates molecules; `None` for
            molecules of RDKit's NCI set.
        budget: Number of calls of the search.

    Returns:
        The start; without one up to `FIRST` allowed molecules.
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
