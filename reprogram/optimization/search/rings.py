"""Changes of whole ring systems, which no few changes of atoms reach."""

import numpy as np
from rdkit import Chem

from reprogram.optimization.search.changes import ACYCLIC
from reprogram.optimization.search.changes import Change
from reprogram.optimization.search.changes import fix


def _plain(smiles: str) -> Chem.Mol:
    molecule = Chem.MolFromSmiles(smiles)
    Chem.Kekulize(molecule, clearAromaticFlags=True)
    return molecule


# Ring systems of drugs, the common ones first.
RINGS = tuple(
    _plain(smiles)
    for smiles in [
        "c1ccccc1",
        "c1ccncc1",
        "C1CCNCC1",
        "C1CNCCN1",
        "C1CCCCC1",
        "C1CCNC1",
        "c1cn[nH]c1",
        "c1cnc[nH]1",
        "c1cncnc1",
        "C1COCCN1",
        "C1CC1",
        "c1ccsc1",
        "c1cscn1",
        "c1ccoc1",
        "C1CCCC1",
        "c1nc[nH]n1",
        "c1nnn[nH]1",
        "c1cocn1",
        "c1ccno1",
        "C1CCOC1",
        "C1CCOCC1",
        "c1cnccn1",
        "c1ccnnc1",
        "c1cc[nH]c1",
        "C1CNC1",
        "C1CCC1",
        "c1ccc2[nH]ccc2c1",
        "c1ccc2ncccc2c1",
        "c1ccc2[nH]cnc2c1",
        "c1ccc2ccccc2c1",
        "c1ccc2[nH]ncc2c1",
        "c1ccc2ocnc2c1",
        "c1ccc2scnc2c1",
        "c1ccc2occc2c1",
        "c1ccc2sccc2c1",
        "c1ccc2ncncc2c1",
        "c1ncc2nc[nH]c2n1",
        "c1cc2cncnc2[nH]1",
        "c1cnc2ccnn2c1",
        "c1ccc2OCOc2c1",
        "c1ccc2CCCCc2c1",
        "c1ccc2CCNCc2c1",
        "c1ccc2OCCc2c1",
        "c1ccc2OCCOc2c1",
        "c1ccc2Nc3ccccc3Sc2c1",
        "c1ccc2Cc3ccccc3c2c1",
        "c1nncs1",
        "c1nnco1",
    ]
)


def _draw(rng: np.random.Generator, places: int) -> tuple | None:
    """Draws a ring system and as many of its atoms that have a hydrogen."""
    ring = RINGS[rng.integers(len(RINGS))]
    free = [a.GetIdx() for a in ring.GetAtoms() if a.GetTotalNumHs()]
    if len(free) < places:
        return None
    return ring, [int(i) for i in rng.permutation(free)[:places]]


def _system(molecule: Chem.Mol, rng: np.random.Generator) -> set[int]:
    """Draws a ring with all that are fused to it."""
    rings = [set(ring) for ring in molecule.GetRingInfo().AtomRings()]
    if not rings:
        return set()
    found = rings[rng.integers(len(rings))]
    for _ in rings:
        for ring in rings:
            if ring & found:
                found = found | ring
    return found


def exchange_ring(
    molecule: Chem.RWMol, rng: np.random.Generator
) -> Chem.RWMol | None:
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
    if drawn is None:
        return None
    return _join(molecule, [end for _, end in ends], *drawn, system)


def insert_ring(
    molecule: Chem.RWMol, rng: np.random.Generator
) -> Chem.RWMol | None:
    """Puts a ring system between two atoms."""
    bonds = molecule.GetSubstructMatches(ACYCLIC)
    drawn = _draw(rng, 2)
    if not bonds or drawn is None:
        return None
    ends = bonds[rng.integers(len(bonds))]
    molecule.RemoveBond(*ends)
    return _join(molecule, list(ends), *drawn, set())


def _join(
    molecule: Chem.RWMol,
    ends: list[int],
    ring: Chem.Mol,
    places: list[int],
    system: set[int],
) -> Chem.RWMol:
    size = molecule.GetNumAtoms()
    joined = Chem.RWMol(Chem.CombineMols(molecule, ring))
    for end, place in zip(ends, places):
        joined.AddBond(end, size + place, Chem.BondType.SINGLE)
    fix(joined, *ends, *(size + place for place in places))
    for index in sorted(system, reverse=True):
        joined.RemoveAtom(index)
    return joined


RING_CHANGES: dict[Change, float] = {exchange_ring: 0.10, insert_ring: 0.04}
