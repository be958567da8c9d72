"""Edits of molecules that must not change a prediction."""

from collections.abc import Callable
from collections.abc import Sequence

from rdkit import Chem
from rdkit import rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from reprogram.molecules.smiles import parse

_ACID = "[CX3](=O)[OX2H1]"
_AMINE = "[NX3;!$(N~[!#6;!#1]);!$(N-[#6]=[#7,#8,#16]);!$(N-[#6]#*);!$(N-a)]"


def randomized(smiles: str, count: int = 8, seed: int = 0) -> list[str]:
    """Writes a molecule from other atoms on.

    Example:
    >>> sorted(set(randomized("CO", 8)) | {"CO"})
    ['CO', 'OC']
    """
    found = Chem.MolToRandomSmilesVect(parse(smiles), count, seed + 1)
    return _others(smiles, found)


def kekule(smiles: str, count: int = 8, seed: int = 0) -> list[str]:
    """Writes aromatic rings with single and double bonds.

    Example:
    >>> kekule("c1ccccc1"), kekule("CO")
    (['C1=CC=CC=C1'], [])
    """
    molecule = parse(smiles)
    if not any(atom.GetIsAromatic() for atom in molecule.GetAtoms()):
        return []
    Chem.Kekulize(molecule, clearAromaticFlags=True)
    return _others(smiles, [Chem.MolToSmiles(molecule, kekuleSmiles=True)])


def tautomers(smiles: str, count: int = 8, seed: int = 0) -> list[str]:
    """Moves hydrogens as in solution.

    Example:
    >>> "O=c1cccc[nH]1" in tautomers("Oc1ccccn1")
    True
    """
    enumerator = rdMolStandardize.TautomerEnumerator()
    enumerator.SetMaxTautomers(8 * count)
    enumerator.SetMaxTransforms(200)
    with rdBase.BlockLogs():
        found = enumerator.Enumerate(parse(smiles))
        scored = sorted(
            (-enumerator.ScoreTautomer(m), Chem.MolToSmiles(m)) for m in found
        )
    own = Chem.MolToSmiles(parse(smiles))
    return [text for _, text in scored if text != own][:count]


def charges(smiles: str, count: int = 8, seed: int = 0) -> list[str]:
    """Removes charges, and charges acids, amines and both as in water.

    Example:
    >>> charges("NCC(=O)O")
    ['NCC(=O)[O-]', '[NH3+]CC(=O)O', '[NH3+]CC(=O)[O-]']
    """
    with rdBase.BlockLogs():
        neutral = rdMolStandardize.Uncharger().uncharge(parse(smiles))
    acid = _charged(neutral, _ACID, 2, -1)
    base = _charged(neutral, _AMINE, 0, 1)
    both = _charged(acid, _AMINE, 0, 1)
    found = [Chem.MolToSmiles(m) for m in (neutral, acid, base, both)]
    own = Chem.MolToSmiles(parse(smiles))
    return [text for text in dict.fromkeys(found) if text != own][:count]


UNCHANGED: dict[str, Callable] = {
    "randomized": randomized,
    "kekule": kekule,
    "tautomers": tautomers,
    "charges": charges,
}


def _others(smiles: str, found: Sequence[str]) -> list[str]:
    return [text for text in dict.fromkeys(found) if text != smiles]


def _charged(
    molecule: Chem.Mol, pattern: str, place: int, charge: int
) -> Chem.Mol:
    """Moves a proton at each match of a pattern, where the charge is 0."""
    molecule = Chem.Mol(molecule)
    for match in molecule.GetSubstructMatches(Chem.MolFromSmarts(pattern)):
        atom = molecule.GetAtomWithIdx(match[place])
        if not atom.GetFormalCharge():
            hydrogens = atom.GetTotalNumHs() + charge
            atom.SetFormalCharge(charge)
            atom.SetNumExplicitHs(hydrogens)
            atom.SetNoImplicit(True)
    Chem.SanitizeMol(molecule)
    return molecule
