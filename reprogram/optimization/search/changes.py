"""Single random changes of a kekulized molecule: a row in `CHANGES` each.

A change takes a molecule that it may alter and returns one that still has to
be sanitized, or `None` where it cannot be made.
"""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np
from rdkit import Chem

from reprogram.optimization.search.fragments import GROUPS

Rng = np.random.Generator
Edited = Chem.RWMol | None
Side = tuple[Chem.RWMol, int]
Change = Callable[[Chem.RWMol, Rng], Edited]

SINGLE = Chem.BondType.SINGLE
ACYCLIC = Chem.MolFromSmarts("*!@-*")
ORDERS = {SINGLE: 1, Chem.BondType.DOUBLE: 2, Chem.BondType.TRIPLE: 3}
# Symbols with their valence, and how often each is put in.
ELEMENTS = {
    "C": (4, 0.48),
    "N": (3, 0.17),
    "O": (2, 0.16),
    "F": (1, 0.07),
    "S": (2, 0.05),
    "Cl": (1, 0.05),
    "Br": (1, 0.015),
    "P": (3, 0.005),
}


def _spot(molecule: Chem.Mol, rng: Rng) -> int | None:
    """Draws an atom with a hydrogen, which can be replaced."""
    for index in rng.permutation(molecule.GetNumAtoms()):
        if molecule.GetAtomWithIdx(int(index)).GetTotalNumHs():
            return int(index)
    return None


def _bond(molecule: Chem.Mol, rng: Rng) -> Chem.Bond | None:
    count = molecule.GetNumBonds()
    return molecule.GetBondWithIdx(int(rng.integers(count))) if count else None


def _pick(items: Sequence, rng: Rng) -> Any:
    return items[int(rng.integers(len(items)))] if len(items) else None


def _element(rng: Rng, valence: int = 1) -> Chem.Atom:
    names = [n for n, (v, _) in ELEMENTS.items() if v >= valence]
    chances = np.array([ELEMENTS[n][1] for n in names])
    return Chem.Atom(names[rng.choice(len(names), p=chances / chances.sum())])


def fix(molecule: Chem.RWMol, *atoms: int) -> Chem.RWMol:
    """Lets the hydrogens of changed atoms follow from their bonds."""
    for index in atoms:
        atom = molecule.GetAtomWithIdx(index)
        atom.SetNumExplicitHs(0)
        atom.SetNoImplicit(False)
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    return molecule


def join(
    molecule: Chem.Mol, spot: int, part: Chem.Mol, atom: int = 0
) -> Chem.RWMol:
    """Binds an atom of a part to the atom `spot` of a molecule."""
    other = molecule.GetNumAtoms() + atom
    joined = Chem.RWMol(Chem.CombineMols(molecule, part))
    joined.AddBond(spot, other, SINGLE)
    return fix(joined, spot, other)


def _append(molecule: Chem.RWMol, rng: Rng) -> Edited:
    spot = _spot(molecule, rng)
    if spot is None:
        return None
    new = molecule.AddAtom(_element(rng))
    molecule.AddBond(spot, new, SINGLE)
    return fix(molecule, spot)


def _append_group(molecule: Chem.RWMol, rng: Rng) -> Edited:
    spot = _spot(molecule, rng)
    return None if spot is None else join(molecule, spot, _pick(GROUPS, rng))


def _insert(molecule: Chem.RWMol, rng: Rng) -> Edited:
    bond = _bond(molecule, rng)
    if bond is None or bond.GetBondType() != SINGLE:
        return None
    ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
    molecule.RemoveBond(*ends)
    new = molecule.AddAtom(_element(rng, 2))
    for end in ends:
        molecule.AddBond(end, new, SINGLE)
    return fix(molecule, *ends)


def _remove(molecule: Chem.RWMol, rng: Rng) -> Edited:
    if molecule.GetNumAtoms() < 3:
        return None
    for index in rng.permutation(molecule.GetNumAtoms()):
        atom = molecule.GetAtomWithIdx(int(index))
        if atom.GetDegree() <= 2:
            break
    else:
        return None
    near = [n.GetIdx() for n in atom.GetNeighbors()]
    if len(near) == 2 and not molecule.GetBondBetweenAtoms(*near):
        molecule.AddBond(near[0], near[1], SINGLE)
    fix(molecule, *near)
    molecule.RemoveAtom(atom.GetIdx())
    return molecule


def _replace(molecule: Chem.RWMol, rng: Rng) -> Edited:
    atom = molecule.GetAtomWithIdx(int(rng.integers(molecule.GetNumAtoms())))
    valence = int(sum(b.GetBondTypeAsDouble() for b in atom.GetBonds()))
    if not 0 < valence <= 4 or atom.GetFormalCharge():
        return None
    molecule.ReplaceAtom(atom.GetIdx(), _element(rng, valence))
    return molecule


def _reorder(molecule: Chem.RWMol, rng: Rng) -> Edited:
    bond = _bond(molecule, rng)
    if bond is None:
        return None
    now = ORDERS.get(bond.GetBondType(), 1)
    ends = bond.GetBeginAtom(), bond.GetEndAtom()
    free = min(atom.GetTotalNumHs() for atom in ends)
    highest = 2 if bond.IsInRing() else 3
    choices = [
        kind
        for kind, order in ORDERS.items()
        if order != now and order - now <= free and order <= highest
    ]
    if not choices:
        return None
    bond.SetBondType(_pick(choices, rng))
    bond.SetStereo(Chem.BondStereo.STEREONONE)
    return fix(molecule, *(atom.GetIdx() for atom in ends))


def _close_ring(molecule: Chem.RWMol, rng: Rng) -> Edited:
    spots = [a.GetIdx() for a in molecule.GetAtoms() if a.GetTotalNumHs()]
    first = _pick(spots, rng)
    if first is None:
        return None
    near = Chem.GetDistanceMatrix(molecule)[first]
    second = _pick([s for s in spots if 2 <= near[s] <= 5], rng)
    if second is None or near[second] == 3 and rng.random() < 0.8:
        return None
    molecule.AddBond(first, second, SINGLE)
    return fix(molecule, first, second)


def _open_ring(molecule: Chem.RWMol, rng: Rng) -> Edited:
    bond = _pick([b for b in molecule.GetBonds() if b.IsInRing()], rng)
    if bond is None:
        return None
    ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
    molecule.RemoveBond(*ends)
    return fix(molecule, *ends)


def _cut(molecule: Chem.RWMol, rng: Rng) -> Edited:
    """Leaves out what hangs at one bond, the smaller side of it."""
    parts = sides(molecule, rng)
    return parts[0][0] if parts else None


def _exchange(molecule: Chem.RWMol, rng: Rng) -> Edited:
    """Puts another group where one hangs."""
    parts = sides(molecule, rng)
    return join(*parts[0], _pick(GROUPS, rng)) if parts else None


def _move(molecule: Chem.RWMol, rng: Rng) -> Edited:
    """Hangs a group at another place of the rest."""
    parts = sides(molecule, rng)
    if parts is None:
        return None
    (keep, _), part = parts
    keep.UpdatePropertyCache(strict=False)
    spot = _spot(keep, rng)
    return None if spot is None else join(keep, spot, *part)


def sides(molecule: Chem.Mol, rng: Rng) -> tuple[Side, Side] | None:
    """Cuts one acyclic bond of a kekulized molecule, which is drawn.

    Returns:
        The larger and the smaller part, each with the number of the atom at
        the cut; `None` if there is no such bond.
    """
    ends = _pick(molecule.GetSubstructMatches(ACYCLIC), rng)
    if ends is None:
        return None
    whole = Chem.RWMol(molecule)
    whole.RemoveBond(*ends)
    places: list[Sequence[int]] = []
    parts = Chem.GetMolFrags(
        whole, asMols=True, sanitizeFrags=False, fragsMolAtomMapping=places
    )
    if len(parts) != 2:
        return None
    cuts = [list(p).index(next(e for e in ends if e in p)) for p in places]
    found = [(fix(Chem.RWMol(p), cut), cut) for p, cut in zip(parts, cuts)]
    found.sort(key=lambda side: -side[0].GetNumAtoms())
    return found[0], found[1]


def _charge(molecule: Chem.RWMol, rng: Rng) -> Edited:
    """Neutralizes a charged atom where a proton can do it."""
    charged = [a for a in molecule.GetAtoms() if a.GetFormalCharge()]
    atom = _pick(charged, rng)
    if atom is None or atom.GetFormalCharge() > 0 and not atom.GetTotalNumHs():
        return None
    atom.SetFormalCharge(0)
    atom.SetNumExplicitHs(0)
    atom.SetNoImplicit(False)
    return molecule


CHANGES: dict[Change, float] = {
    _append: 0.13,
    _append_group: 0.14,
    _insert: 0.08,
    _remove: 0.13,
    _replace: 0.15,
    _reorder: 0.08,
    _close_ring: 0.06,
    _open_ring: 0.03,
    _cut: 0.06,
    _exchange: 0.10,
    _move: 0.04,
    _charge: 0.02,
}
