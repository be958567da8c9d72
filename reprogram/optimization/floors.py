"""Values that cheap tricks reach, to be printed beside every result."""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from rdkit import rdBase

from reprogram.optimization.constraints import Frame
from reprogram.optimization.objective import Objective
from reprogram.optimization.search import edits


def chains(start: str, frame: Frame, longest: int = 32) -> list[str]:
    """Hangs one alkyl chain at each place of a molecule.

    Args:
        start: Canonical SMILES of the molecule.
        frame: Limits of what is allowed.
        longest: Number of carbons of the longest chain.

    Returns:
        Canonical SMILES of all allowed molecules.

    Example:
    >>> wanted = Objective(maximise="logp", max_heavy_atoms=4)
    >>> chains("CO", Frame(wanted, "CO"))
    ['CCO', 'COC', 'CCCO', 'CCOC']
    """
    molecule = Chem.MolFromSmiles(start)
    places = [a.GetIdx() for a in molecule.GetAtoms() if a.GetTotalNumHs()]
    joined_to: dict[str, None] = {}
    with rdBase.BlockLogs():
        for length in range(1, longest + 1):
            chain = Chem.MolFromSmiles("C" * length)
            for place in places:
                joined = Chem.RWMol(Chem.CombineMols(molecule, chain))
                joined.AddBond(
                    place, molecule.GetNumAtoms(), Chem.BondType.SINGLE
                )
                atom = joined.GetAtomWithIdx(place)
                if atom.GetNumExplicitHs():
                    atom.SetNumExplicitHs(atom.GetNumExplicitHs() - 1)
                if Chem.SanitizeMol(joined, catchErrors=True):
                    continue
                if frame.allows(joined):
                    joined_to[Chem.MolToSmiles(joined)] = None
    return list(joined_to)


def neighbors(
    start: str, frame: Frame, count: int, rng: np.random.Generator
) -> list[str]:
    """Draws random neighbors of one to three edits that are allowed.

    Args:
        start: Canonical SMILES of the molecule.
        frame: Limits of what is allowed.
        count: Number of neighbors; fewer if ten times as many draws do not
            give so many.
        rng: Draws the edits.

    Returns:
        Canonical SMILES, without repeats.
    """
    near: dict[str, None] = {}
    for _ in range(10 * count):
        row = start
        for _ in range(rng.integers(1, 4)):
            row = edits.mutate(Chem.MolFromSmiles(row), rng) or row
        if row != start and frame.allows(Chem.MolFromSmiles(row)):
            near[row] = None
        if len(near) == count:
            break
    return list(near)


def screen(rows: Sequence[str], frame: Frame) -> list[str]:
    """Keeps what is allowed of known molecules.

    Args:
        rows: Canonical SMILES, such as the training set of a source.
        frame: Limits of what is allowed.

    Returns:
        The allowed ones.
    """
    molecules = [(row, Chem.MolFromSmiles(row)) for row in rows]
    return [row for row, m in molecules if m and frame.allows(m)]


def reached(
    objective: Objective,
    start: str,
    rows: Sequence[str],
    evaluate: Callable[[Sequence[str]], np.ndarray],
) -> dict[str, object]:
    """Evaluates some molecules and returns the best.

    Args:
        objective: The objective of the search.
        start: Canonical SMILES of the start.
        rows: Allowed molecules, from `chains`, `neighbors` or `screen`.
        evaluate: Function from SMILES to values that `search.evaluator`
            makes; it is not charged to a budget.

    Returns:
        `smiles`, `values` and `feasible` of the best, with `calls`.
    """
    rows = [start, *rows]
    values = evaluate(rows)
    good = objective.shortfall(values) == 0
    utility = np.where(good, objective.utility(values), -np.inf)
    best = int(np.argmax(utility)) if good.any() else 0
    return {
        "smiles": rows[best],
        "values": dict(zip(objective.properties, values[best].tolist())),
        "feasible": bool(good.any()),
        "calls": len(rows),
    }
