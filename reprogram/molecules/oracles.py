"""Properties of molecules that RDKit computes."""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from rdkit.Chem import QED
from rdkit.Chem import Crippen
from rdkit.Chem import Descriptors

from reprogram.molecules.smiles import parse


def qed(molecule: Chem.Mol) -> float:
    """Returns the quantitative estimate of drug-likeness, 0 to 1.

    Reference: Bickerton et al., Quantifying the chemical beauty of drugs,
    2012.
    """
    return QED.qed(molecule)


def logp(molecule: Chem.Mol) -> float:
    """Returns the octanol-water partition coefficient, its logarithm.

    Reference: Wildman and Crippen, Prediction of Physicochemical Parameters
    by Atomic Contributions, 1999.
    """
    return Crippen.MolLogP(molecule)


def synthetic_accessibility(molecule: Chem.Mol) -> float:
    """Returns how hard a synthesis looks: 1, easy, to 10.

    Reference: Ertl and Schuffenhauer, Estimation of synthetic accessibility
    score, 2009.
    """
    from rdkit.Contrib.SA_Score import sascorer

    return sascorer.calculateScore(molecule)


def weight(molecule: Chem.Mol) -> float:
    """Returns the molecular weight in g/mol."""
    return Descriptors.MolWt(molecule)


ORACLES: dict[str, Callable[[Chem.Mol], float]] = {
    "qed": qed,
    "logp": logp,
    "sa": synthetic_accessibility,
    "weight": weight,
}


def score(smiles: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """Computes properties of many molecules on all cores.

    Args:
        smiles: Valid SMILES strings.
        names: Keys of `ORACLES`.

    Returns:
        A float64 array `(molecules, names)`.

    Raises:
        ValueError: If a string is not a molecule, or a name is not known.

    Example:

    >>> score(["CCO"], ["weight"]).round(1).tolist()
    [[46.1]]
    """
    import functools

    from reprogram.parallel import map_chunks

    unknown = [name for name in names if name not in ORACLES]
    if unknown:
        raise ValueError(
            f"Unknown properties. Received: {', '.join(unknown)}. Expected"
            f" some of {', '.join(ORACLES)}."
        )
    parts = map_chunks(functools.partial(_score, names=tuple(names)), smiles)
    return np.concatenate(parts or [np.zeros((0, len(names)))])


def _score(smiles: Sequence[str], names: Sequence[str]) -> np.ndarray:
    molecules = [parse(row) for row in smiles]
    return np.array([[ORACLES[n](m) for n in names] for m in molecules])
