"""SMILES: reading, naming what is wrong, and one standard form."""

from collections.abc import Sequence
from typing import Any

from rdkit import Chem
from rdkit import rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize


def parse(smiles: str) -> Chem.Mol:
    """Reads one SMILES string.

    Args:
        smiles: SMILES string, with nothing behind it but a CXSMILES extension.

    Returns:
        The sanitized RDKit molecule.

    Raises:
        ValueError: If the string is empty or is not a molecule; the message
            names the string and the problem that RDKit sees.

    Example:
    >>> parse("c1ccccc1O").GetNumAtoms()
    7
    """
    if not isinstance(smiles, str) or not smiles.strip():
        raise ValueError(
            f"Empty SMILES. Received: {smiles!r}. Expected a string."
        )
    text = smiles.strip()
    # RDKit reads up to the first character that it does not know.
    if not (text.isascii() and text.isprintable()):
        problem = "characters that are not printable ASCII"
    else:
        with rdBase.BlockLogs():
            molecule = _molecule(text)
            if molecule is not None and molecule.GetNumAtoms():
                return molecule
            problem = _problem(text) if molecule is None else "no atoms"
    raise ValueError(
        f"Not a valid SMILES: {smiles!r} ({problem}). Correct the string."
    )


def _molecule(text: str, sanitize: bool = True) -> Chem.Mol | None:
    parameters: Any = Chem.SmilesParserParams()  # RDKit types fields wrongly
    parameters.sanitize = sanitize
    parameters.parseName = False
    return Chem.MolFromSmiles(text, parameters)


def _problem(text: str) -> str:
    raw = _molecule(text, sanitize=False)
    problems = () if raw is None else Chem.DetectChemistryProblems(raw)
    messages = "; ".join(problem.Message() for problem in problems)
    return messages or "syntax error, or text behind the string"


def standardize(smiles: str, stereo: bool = False) -> str:
    """Brings one molecule into the form that the molecular sources read.

    The largest fragment is kept, charges are neutralized where a proton can
    do it, isotope and atom-map labels are removed, and so is stereochemistry
    unless it is asked for.

    Args:
        smiles: A SMILES string.
        stereo: Whether to keep stereochemistry.

    Returns:
        The canonical SMILES of the standard form.

    Raises:
        ValueError: If `smiles` is not a molecule, see `parse`.

    Example:
    >>> standardize("[Na+].C[C@H](N)C(=O)[O-]")
    'CC(N)C(=O)O'
    """
    with rdBase.BlockLogs():
        molecule = parse(smiles)
        molecule = rdMolStandardize.FragmentParent(molecule)
        molecule = rdMolStandardize.Uncharger().uncharge(molecule)
        for atom in molecule.GetAtoms():
            atom.SetIsotope(0)
            atom.SetAtomMapNum(0)
        if not stereo:
            Chem.RemoveStereochemistry(molecule)
        molecule = Chem.RemoveHs(molecule)
        return Chem.MolToSmiles(molecule)


def randomize(smiles: str, seed: int = 0) -> str:
    """Writes the same molecule as another, random SMILES string.

    Args:
        smiles: A SMILES string.
        seed: Seed of the atom order; equal seeds give equal strings.

    Returns:
        A SMILES string of the same molecule.

    Raises:
        ValueError: If `smiles` is not a molecule, see `parse`.

    Example:
    >>> standardize(randomize("CC(N)C(=O)O", seed=1))
    'CC(N)C(=O)O'

    Reference: Bjerrum, SMILES enumeration as data augmentation, 2017.
    """
    return Chem.MolToRandomSmilesVect(parse(smiles), 1, seed + 1)[0]


def read(smiles: Sequence[str]) -> tuple[list[str | None], list[str]]:
    """Standardizes many molecules and keeps every row.

    Args:
        smiles: SMILES strings, one a row.

    Returns:
        Two lists as long as the input: the standard SMILES, `None` where the
        row is not a molecule; and the reasons, empty where there is none.

    Example:
    >>> read(["CCO", "C1CC"])[0]
    ['CCO', None]
    """
    standard: list[str | None] = []
    reasons = []
    for row in smiles:
        reason, form = "", None
        try:
            form = standardize(row)
        except ValueError as error:
            reason = str(error)
        standard.append(form)
        reasons.append(reason)
    return standard, reasons
