"""Where a search begins."""

from typing import Any

from rdkit import Chem

from reprogram.molecules.smiles import read
from reprogram.optimization.search.archive import Archive

FIRST = 100  # molecules that are asked first without a start


def check_readable(source: Any, text: str) -> None:
    """Raises `ValueError` if a source cannot read a start into a latent."""
    standard, reasons = read([text])
    reason = reasons[0] or source.tokenizer.explain(standard[0], source.longest)
    if reason:
        raise ValueError(
            f"{reason}. A search by edits can start from it:"
            " --search=evolution --source=none."
        )


def first(archive: Archive, source: Any, budget: int) -> list[str]:
    """Says what is asked before a search.

    Args:
        archive: Of the search.
        source: A molecular source that generates molecules; `None` for
            molecules of RDKit's NCI set.
        budget: Calls of the search.

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
        drawn = read(drawn)[0]
    good = [
        row
        for row in dict.fromkeys(r for r in drawn if r)
        if archive.frame.allows(Chem.MolFromSmiles(row))
    ]
    return good[:count]
