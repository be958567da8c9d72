"""Values that cheap tricks reach, to be printed beside every result."""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from rdkit import rdBase

from reprogram.optimization.constraints import Frame
from reprogram.optimization.objective import Objective
from reprogram.optimization.oracles import ORACLES
from reprogram.optimization.search import edits
from reprogram.optimization.search.archive import Archive
from reprogram.optimization.search.drive import evaluator


def chains(start: str, frame: Frame, longest: int = 32) -> list[str]:
    """Hangs one alkyl chain at each place of a molecule, where it is allowed.

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

    They are without repeats, and fewer than `count` if ten times as many
    draws do not give so many.
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


def reached(
    objective: Objective,
    start: str,
    rows: Sequence[str],
    evaluate: Callable[[Sequence[str]], np.ndarray],
) -> dict[str, object]:
    """Evaluates a start and some allowed molecules, and returns the best.

    Returns:
        `smiles`, `values` and `feasible` of the best, with `calls`, which are
        not charged to a budget.
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


def tricks(archive: Archive, start: str) -> dict[str, dict] | None:
    """Measures what cheap tricks reach from the start of a search.

    Returns:
        By trick what `reached` returns; `None` where an oracle is not of this
        library, as each call would have to be paid.
    """
    objective, frame = archive.objective, archive.frame
    if not set(objective.properties) <= set(ORACLES):
        return None
    rng = np.random.default_rng(archive.seed)
    evaluate = evaluator(objective)
    near = neighbors(start, frame, len(archive), rng)
    molecules = {
        "one alkyl chain": chains(start, frame),
        "as many random neighbors": near,
    }
    return {
        name: reached(objective, start, rows, evaluate)
        for name, rows in molecules.items()
    }
