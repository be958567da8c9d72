"""Changes of whole ring systems, which no few changes of atoms reach."""

import numpy as np
from rdkit import Chem

from reprogram.optimization.search.changes import ACYCLIC
from reprogram.optimization.search.changes import SINGLE
from reprogram.optimization.search.changes import Change
from reprogram.optimization.search.changes import Edited
from reprogram.optimization.search.changes import fix
from reprogram.optimization.search.fragments import RINGS

Drawn = tuple[Chem.Mol, list[int]]


def _draw(rng: np.random.Generator, places: int) -> Drawn | None:
    """Draws a ring system and as many of its atoms that have a hydrogen."""
    ring = RINGS[int(rng.integers(len(RINGS)))]
    free = [a.GetIdx() for a in ring.GetAtoms() if a.GetTotalNumHs()]
    if len(free) < places:
        return None
    return ring, [int(i) for i in rng.permutation(free)[:places]]


def _system(molecule: Chem.Mol, rng: np.random.Generator) -> set[int]:
    """Draws a ring with all that are fused to it."""
    rings = [set(ring) for ring in molecule.GetRingInfo().AtomRings()]
    if not rings:
        return set()
    system = rings[int(rng.integers(len(rings)))]
    for _ in rings:
        for ring in rings:
            if ring & system:
                system = system | ring
    return system


def exchange_ring(molecule: Chem.RWMol, rng: np.random.Generator) -> Edited:
    """Puts another ring system where one is, with all that hangs on it."""
    system = _system(molecule, rng)
    ends = [
        (bond, next(i for i in pair if i not in system))
        for bond in molecule.GetBonds()
        for pair in [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())]
        if len(system.intersection(pair)) == 1
    ]
    if not ends or any(b.GetBondTypeAsDouble() != 1 for b, _ in ends):
        return None
    drawn = _draw(rng, len(ends))
    return drawn and _join(molecule, [end for _, end in ends], drawn, system)


def insert_ring(molecule: Chem.RWMol, rng: np.random.Generator) -> Edited:
    """Puts a ring system between two atoms."""
    bonds = molecule.GetSubstructMatches(ACYCLIC)
    drawn = _draw(rng, 2)
    if not bonds or drawn is None:
        return None
    ends = bonds[int(rng.integers(len(bonds)))]
    molecule.RemoveBond(*ends)
    return _join(molecule, list(ends), drawn, set())


def _join(
    molecule: Chem.RWMol, ends: list[int], drawn: Drawn, system: set[int]
) -> Chem.RWMol:
    ring, places = drawn
    size = molecule.GetNumAtoms()
    joined = Chem.RWMol(Chem.CombineMols(molecule, ring))
    for end, place in zip(ends, places):
        joined.AddBond(end, size + place, SINGLE)
    fix(joined, *ends, *(size + place for place in places))
    for index in sorted(system, reverse=True):
        joined.RemoveAtom(index)
    return joined


RING_CHANGES: dict[Change, float] = {exchange_ring: 0.10, insert_ring: 0.04}
