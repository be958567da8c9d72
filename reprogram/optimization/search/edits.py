"""Small random changes of molecules, and mixtures of two of them.

Reference: Jensen, A graph-based genetic algorithm, 2019, for the idea.
"""

import numpy as np
from rdkit import Chem
from rdkit import rdBase

from reprogram.optimization.search.changes import CHANGES
from reprogram.optimization.search.changes import Change
from reprogram.optimization.search.changes import Side
from reprogram.optimization.search.changes import join
from reprogram.optimization.search.changes import sides


def mutate(
    molecule: Chem.Mol, rng: np.random.Generator, attempts: int = 8
) -> str | None:
    """Changes a molecule a little.

    Args:
        molecule: Sanitized RDKit molecule.
        rng: Random generator of the changes.
        attempts: Largest number of changes to try for a valid molecule.

    Returns:
        Canonical SMILES, or `None` if no attempt gave one.

    Example:
    >>> rng = np.random.default_rng(0)
    >>> mutate(Chem.MolFromSmiles("CCO"), rng) not in (None, "CCO")
    True
    """
    return mutations(molecule, 1, rng, attempts)[0]


def mutations(
    molecule: Chem.Mol,
    count: int,
    rng: np.random.Generator,
    attempts: int = 8,
    kinds: dict[Change, float] = CHANGES,
) -> list[str | None]:
    """Changes one molecule in several ways, see `mutate`.

    `kinds` are the changes to draw from, with how often each is tried.
    """
    before = Chem.MolToSmiles(molecule)
    with rdBase.BlockLogs():
        plain = Chem.RWMol(molecule)
        Chem.Kekulize(plain, clearAromaticFlags=True)
        return [
            _mutated(plain, before, rng, attempts, kinds) for _ in range(count)
        ]


def _mutated(
    plain: Chem.Mol,
    before: str,
    rng: np.random.Generator,
    attempts: int,
    kinds: dict[Change, float],
) -> str | None:
    changes = tuple(kinds)
    chances = np.array(tuple(kinds.values())) / sum(kinds.values())
    for _ in range(attempts):
        edit = changes[rng.choice(len(changes), p=chances)]
        smiles = _valid(edit(Chem.RWMol(plain), rng))
        if smiles and smiles != before:
            return smiles
    return None


def cross(
    first: Chem.Mol,
    second: Chem.Mol,
    rng: np.random.Generator,
    attempts: int = 4,
) -> str | None:
    """Joins a part of one sanitized molecule to a part of another.

    Returns:
        Canonical SMILES, or `None` if no attempt gave a valid molecule.

    Example:
    >>> mothers = map(Chem.MolFromSmiles, ("c1ccccc1CC", "OCCN"))
    >>> cross(*mothers, np.random.default_rng(0)) is None
    False
    """
    with rdBase.BlockLogs():
        for _ in range(attempts):
            left, right = _part(first, rng), _part(second, rng)
            if left is None or right is None:
                return None
            if smiles := _valid(join(*left, *right)):
                return smiles
    return None


def _valid(molecule: Chem.Mol | None) -> str | None:
    if molecule is None:
        return None
    try:
        Chem.SanitizeMol(molecule)
    except (Chem.MolSanitizeException, RuntimeError):
        return None
    smiles = Chem.MolToSmiles(molecule)
    # Radicals need brackets.
    if "." in smiles or "[" in smiles and _is_radical(molecule):
        return None
    return smiles


def _is_radical(molecule: Chem.Mol) -> bool:
    return any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms())


def _part(molecule: Chem.Mol, rng: np.random.Generator) -> Side | None:
    plain = Chem.RWMol(molecule)
    Chem.Kekulize(plain, clearAromaticFlags=True)
    parts = sides(plain, rng)
    return parts and parts[0 if rng.random() < 0.5 else 1]
