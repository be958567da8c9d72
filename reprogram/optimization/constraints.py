"""Limits that are checked on the structure of a molecule alone."""

from typing import Any

from rdkit import Chem
from rdkit import DataStructs
from rdkit.Chem import rdFingerprintGenerator

from reprogram.molecules import alerts
from reprogram.molecules.smiles import parse
from reprogram.optimization.objective import Objective

MORGAN = rdFingerprintGenerator.GetMorganGenerator(2, fpSize=2048)
# What chemists would strike out at once: strained or reactive.
IMPLAUSIBLE = tuple(
    (name, Chem.MolFromSmarts(smarts))
    for name, smarts in {
        "small aromatic ring": "[a;r3,r4]",
        "small ring at an aromatic one": "[a]@[r3]@[a]",
        "small ring with a double bond": "[r3]=[r3]",
        "triple bond in a ring": "[R]#[R]",
        "cumulated double bonds": "[#6]=[#6]=*",
        "three fused small rings": "[r3,r4;R3]",
        "two fused triangles": "[r3;R2]@[r3;R2]@[r3]",
        "peroxide": "[#8;!a]-[#8;!a]",
        "halogen on a heteroatom": "[#7,#8,#16X2,#15]-[F,Cl,Br,I]",
        "chain of three heteroatoms": "[N,O,SX2;!a]-[N,O,SX2;!a]-[N,O,SX2;!a]",
        "sulfenyl oxygen or nitrogen": "[#16X2;!a]-[#7,#8;!a]",
        "acyl halide": "[CX3](=O)[F,Cl,Br,I]",
        "heteroatoms and a halogen on one carbon": (
            "[CX4]([N,O,S;!$(*=*)])[Cl,Br,I]"
        ),
        "two hydroxyls or amines on one carbon": (
            "[CX4;!$(C(F)F)]([OX2H,NX3H2])[OX2H,NX3H2]"
        ),
        "radical or carbene": "[#6;v0,v1,v2,v3;+0]",
        "ring of nine or more": "[R;!r3;!r4;!r5;!r6;!r7;!r8]",
    }.items()
)


class Frame:
    """Limits of an objective near one start, checked on the structure alone.

    Args:
        objective: Objective of the search.
        start: Canonical SMILES, or `None` if there is none.
    """

    def __init__(self, objective: Objective, start: str | None):
        self.objective, self.start = objective, start
        self.limit = objective.max_heavy_atoms or 10**6
        self.fingerprint: Any = None
        self.known: set[str] = set()
        self.patterns = IMPLAUSIBLE if objective.plausible else ()
        if start:
            molecule = Chem.MolFromSmiles(start)
            self.limit = max(self.limit, molecule.GetNumHeavyAtoms())
            self.fingerprint = self._describe(molecule)
            self.known = set() if objective.alerts else _alerts(molecule)
            self.patterns = tuple(
                (name, pattern)
                for name, pattern in self.patterns
                if not molecule.HasSubstructMatch(pattern)
            )

    def similarity(self, molecule: Chem.Mol) -> float:
        """Tanimoto similarity to the start; 1 without a start."""
        if self.fingerprint is None:
            return 1.0
        return DataStructs.TanimotoSimilarity(
            self.fingerprint, self._describe(molecule)
        )

    def allows(self, molecule: Chem.Mol, slack: float = 0.0) -> bool:
        """Whether a molecule may be evaluated; similarity has some slack."""
        objective = self.objective
        if molecule.GetNumHeavyAtoms() > self.limit:
            return False
        if objective.similarity and self.fingerprint is not None:
            # A sum of rounding errors must not lose a limit that is met.
            least = objective.similarity - slack - 1e-12
            if self.similarity(molecule) < least:
                return False
        if any(molecule.HasSubstructMatch(p) for _, p in self.patterns):
            return False
        return objective.alerts or _alerts(molecule) <= self.known

    def _describe(self, molecule: Chem.Mol) -> Any:
        if self.objective.counts:
            return MORGAN.GetSparseCountFingerprint(molecule)
        return MORGAN.GetFingerprint(molecule)


def _alerts(molecule: Chem.Mol) -> set[str]:
    matches = (alerts.matcher(n).GetMatches(molecule) for n in alerts.CATALOGS)
    return {match.GetDescription() for found in matches for match in found}


def plain(smiles: str) -> str:
    """Writes a molecule as the searches do: canonical, without stereo.

    Raises:
        ValueError: If it is not one connected molecule.
    """
    molecule = parse(smiles)
    if "." in smiles:
        raise ValueError(
            f"{smiles!r} has several parts. Start from one of them, such as"
            " molecules.standardize gives."
        )
    Chem.RemoveStereochemistry(molecule)
    molecule = Chem.MolFromSmiles(Chem.MolToSmiles(molecule))
    return Chem.MolToSmiles(molecule)
