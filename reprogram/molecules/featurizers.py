"""RDKit descriptors and count fingerprints as arrays."""

from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from rdkit import rdBase
from rdkit.Chem import Descriptors
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

from reprogram.molecules.smiles import parse
from reprogram.parallel import map_chunks

DESCRIPTOR_NAMES = tuple(name for name, _ in Descriptors.descList)


def descriptors(smiles: Sequence[str], jobs: int = 1) -> np.ndarray:
    """Computes all RDKit 2D descriptors.

    Args:
        smiles: Valid SMILES strings.
        jobs: Number of processes; -1 for all cores.

    Returns:
        A float64 array of shape `(molecules, descriptors)`, columns in the
        order of `DESCRIPTOR_NAMES`; NaN where RDKit defines no value.

    Raises:
        ValueError: If a string is not a molecule.

    Example:
    >>> table = descriptors(["CCO", "c1ccccc1"])
    >>> table.shape == (2, len(DESCRIPTOR_NAMES))
    True
    """
    parts = map_chunks(_descriptors, smiles, jobs)
    return np.concatenate(parts or [np.zeros((0, len(DESCRIPTOR_NAMES)))])


def _descriptors(smiles: Sequence[str]) -> np.ndarray:
    with rdBase.BlockLogs():
        rows = [_row(parse(text)) for text in smiles]
    table = np.array(rows, "float64").reshape(-1, len(DESCRIPTOR_NAMES))
    return np.where(np.isfinite(table), table, np.nan)


def _row(molecule: Chem.Mol) -> list[float]:
    values = []
    for name, describe in Descriptors.descList:
        # The indices of the E-state are computed once if they may be kept.
        options = {"force": False} if "EStateIndex" in name else {}
        try:
            values.append(describe(molecule, **options))
        except Exception:  # RDKit raises all kinds for what it cannot describe
            values.append(np.nan)
    return values


def count_fingerprints(
    smiles: Sequence[str], radius: int = 2, size: int = 2048
) -> np.ndarray:
    """Computes folded Morgan count fingerprints (ECFP4 at radius 2).

    Args:
        smiles: Valid SMILES strings.
        radius: Bond radius of the circular environments.
        size: Number of columns that the environments are folded into.

    Returns:
        A float32 array of counts of shape `(molecules, size)`.

    Raises:
        ValueError: If a string is not a molecule.

    Example:
    >>> count_fingerprints(["CCO"]).sum()
    np.float32(6.0)

    Reference: Rogers and Hahn, Extended-Connectivity Fingerprints, 2010.
    """
    generator = rdFingerprintGenerator.GetMorganGenerator(radius, fpSize=size)
    rows = [generator.GetCountFingerprintAsNumPy(parse(s)) for s in smiles]
    return np.array(rows, "float32").reshape(-1, size)


def scaffold(smiles: str) -> str:
    """Names the Bemis-Murcko scaffold of a molecule.

    Args:
        smiles: A valid SMILES string.

    Returns:
        The scaffold's canonical SMILES without stereo; empty if the molecule
        has no ring.

    Raises:
        ValueError: If the string is not a molecule.

    Example:
    >>> scaffold("CCc1ccccc1")
    'c1ccccc1'

    Reference: Bemis and Murcko, The Properties of Known Drugs, 1996.
    """
    molecule = parse(smiles)
    Chem.RemoveStereochemistry(molecule)
    return MurckoScaffold.MurckoScaffoldSmiles(mol=molecule)
