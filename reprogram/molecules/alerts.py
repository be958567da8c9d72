"""Structural alerts: fragments that medicinal chemists distrust."""

import functools
from collections.abc import Sequence

from rdkit.Chem import FilterCatalog

from reprogram.molecules.smiles import parse

Kinds = FilterCatalog.FilterCatalogParams.FilterCatalogs
CATALOGS = {"PAINS": Kinds.PAINS, "Brenk": Kinds.BRENK}


def alerts(smiles: Sequence[str], catalog: str) -> list[str]:
    """Names the alerts of each molecule.

    Args:
        smiles: Valid SMILES strings.
        catalog: Name of the catalog, `"PAINS"` or `"Brenk"`.

    Returns:
        For each molecule the names of its alerts, separated by semicolons;
        empty if there is none.

    Raises:
        ValueError: If there is no such catalog or a string is not a molecule.

    Example:
    >>> alerts(["CCO", "O=C1C=CC(=O)C=C1"], "PAINS")
    ['', 'quinone_A(370)']

    Reference: Baell and Holloway, PAINS, 2010; Brenk et al., 2008.
    """
    if catalog not in CATALOGS:
        raise ValueError(
            f"`catalog` must be one of {', '.join(CATALOGS)}."
            f" Received: {catalog!r}."
        )
    matches = [matcher(catalog).GetMatches(parse(row)) for row in smiles]
    return [
        "; ".join(sorted({entry.GetDescription() for entry in entries}))
        for entries in matches
    ]


@functools.cache
def matcher(name: str) -> FilterCatalog.FilterCatalog:
    """Returns a catalog by its key in `CATALOGS`."""
    parameters = FilterCatalog.FilterCatalogParams()
    parameters.AddCatalog(CATALOGS[name])
    return FilterCatalog.FilterCatalog(parameters)
