"""Single random changes of a kekulized molecule: a row in `CHANGES` each.

A change takes a molecule that it may alter and returns one that still has to
be sanitized, or `None` where it cannot be made.
"""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from reprogram.optimization.search.fragments import GROUPS

Change = Callable[[Chem.RWMol, np.random.Generator], Chem.Mol | None]

SINGLE, DOUBLE, TRIPLE = (
    Chem.BondType.SINGLE,
    Chem.BondType.DOUBLE,
    Chem.BondType.TRIPLE,
)
ACYCLIC = Chem.MolFromSmarts("*!@-*")
ORDERS = {SINGLE: 1, DOUBLE: 2, TRIPLE: 3}
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


def _free(atom: Chem.Atom) -> int:
    """Hydrogens that can be replaced."""
    return atom.GetTotalNumHs()


def _spot(molecule: Chem.Mol, rng: np.random.Generator) -> int | None:
    """Draws an atom with a hydrogen."""
    for index in rng.permutation(molecule.GetNumAtoms()):
        if _free(molecule.GetAtomWithIdx(int(index))):
            return int(index)
    return None


def _bond(molecule: Chem.Mol, rng: np.random.Generator) -> Chem.Bond | None:
    count = molecule.GetNumBonds()
    return molecule.GetBondWithIdx(int(rng.integers(count))) if count else None


def _pick(items: Sequence, rng: np.random.Generator):
    return items[rng.integers(len(items))] if len(items) else None


def _element(rng: np.random.Generator, valence: int = 1) -> Chem.Atom:
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


def _append(molecule: Chem.RWMol, rng: np.random.Generator):
    spot = _spot(molecule, rng)
    if spot is None:
        return None
    new = molecule.AddAtom(_element(rng))
    molecule.AddBond(spot, new, SINGLE)
    return fix(molecule, spot)


def _append_group(molecule: Chem.RWMol, rng: np.random.Generator):
    spot = _spot(molecule, rng)
    if spot is None:
        return None
    size = molecule.GetNumAtoms()
    joined = Chem.RWMol(Chem.CombineMols(molecule, _pick(GROUPS, rng)))
    joined.AddBond(spot, size, SINGLE)
    return fix(joined, spot, size)


def _insert(molecule: Chem.RWMol, rng: np.random.Generator):
    bond = _bond(molecule, rng)
    if bond is None or bond.GetBondType() != SINGLE:
        return None
    ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
    molecule.RemoveBond(*ends)
    new = molecule.AddAtom(_element(rng, 2))
    for end in ends:
        molecule.AddBond(end, new, SINGLE)
    return fix(molecule, *ends)


def _remove(molecule: Chem.RWMol, rng: np.random.Generator):
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
        molecule.AddBond(*near, SINGLE)
    fix(molecule, *near)
    molecule.RemoveAtom(atom.GetIdx())
    return molecule


def _replace(molecule: Chem.RWMol, rng: np.random.Generator):
    atom = molecule.GetAtomWithIdx(int(rng.integers(molecule.GetNumAtoms())))
    valence = int(sum(b.GetBondTypeAsDouble() for b in atom.GetBonds()))
    if not 0 < valence <= 4 or atom.GetFormalCharge():
        return None
    molecule.ReplaceAtom(atom.GetIdx(), _element(rng, valence))
    return molecule


def _reorder(molecule: Chem.RWMol, rng: np.random.Generator):
    bond = _bond(molecule, rng)
    if bond is None:
        return None
    now = ORDERS.get(bond.GetBondType(), 1)
    free = min(_free(bond.GetBeginAtom()), _free(bond.GetEndAtom()))
    choices = [
        kind
        for kind, order in ORDERS.items()
        if order != now and order - now <= free
    ]
    if bond.IsInRing():
        choices = [kind for kind in choices if kind != TRIPLE]
    if not choices:
        return None
    bond.SetBondType(_pick(choices, rng))
    bond.SetStereo(Chem.BondStereo.STEREONONE)
    return fix(molecule, bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())


def _close_ring(molecule: Chem.RWMol, rng: np.random.Generator):
    spots = [a.GetIdx() for a in molecule.GetAtoms() if _free(a)]
    first = _pick(spots, rng)
    if first is None:
        return None
    near = Chem.GetDistanceMatrix(molecule)[first]
    second = _pick([s for s in spots if 2 <= near[s] <= 5], rng)
    if second is None or near[second] == 3 and rng.random() < 0.8:
        return None
    molecule.AddBond(first, second, SINGLE)
    return fix(molecule, first, second)


def _open_ring(molecule: Chem.RWMol, rng: np.random.Generator):
    bond = _pick([b for b in molecule.GetBonds() if b.IsInRing()], rng)
    if bond is None:
        return None
    ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
    molecule.RemoveBond(*ends)
    return fix(molecule, *ends)


def _cut(molecule: Chem.RWMol, rng: np.random.Generator):
    """Leaves out what hangs at one bond, the smaller side of it."""
    found = sides(molecule, rng)
    if found is None:
        return None
    keep, _, index = found
    return fix(Chem.RWMol(keep), index)


def _exchange(molecule: Chem.RWMol, rng: np.random.Generator):
    """Puts another group where one hangs."""
    found = sides(molecule, rng)
    if found is None:
        return None
    keep, _, index = found
    size = keep.GetNumAtoms()
    joined = Chem.RWMol(Chem.CombineMols(keep, _pick(GROUPS, rng)))
    joined.AddBond(index, size, SINGLE)
    return fix(joined, index, size)


def _move(molecule: Chem.RWMol, rng: np.random.Generator):
    """Hangs a group at another place of the rest."""
    found = sides(molecule, rng)
    if found is None:
        return None
    keep, (part, j), index = found
    fix(keep, index)
    keep.UpdatePropertyCache(strict=False)
    spot = _spot(keep, rng)
    if spot is None:
        return None
    joined = Chem.RWMol(Chem.CombineMols(keep, part))
    joined.AddBond(spot, keep.GetNumAtoms() + j, SINGLE)
    return fix(joined, spot)


def sides(molecule: Chem.Mol, rng: np.random.Generator):
    """Cuts one acyclic bond: larger part, smaller part, their cut atoms."""
    ends = _pick(molecule.GetSubstructMatches(ACYCLIC), rng)
    if ends is None:
        return None
    cut = Chem.RWMol(molecule)
    cut.RemoveBond(*ends)
    places = []
    parts = Chem.GetMolFrags(
        cut, asMols=True, sanitizeFrags=False, fragsMolAtomMapping=places
    )
    if len(parts) != 2:
        return None
    found = [
        (Chem.RWMol(part), next(list(p).index(e) for e in ends if e in p))
        for part, p in zip(parts, places)
    ]
    found.sort(key=lambda pair: -pair[0].GetNumAtoms())
    (keep, i), (part, j) = found
    return keep, (fix(part, j), j), i


def _charge(molecule: Chem.RWMol, rng: np.random.Generator):
    """Neutralizes a charged atom where a proton can do it."""
    charged = [a for a in molecule.GetAtoms() if a.GetFormalCharge()]
    atom = _pick(charged, rng)
    if atom is None:
        return None
    hydrogens = atom.GetTotalNumHs()
    if atom.GetFormalCharge() > 0 and not hydrogens:
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
