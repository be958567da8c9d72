"""One loop for every search: ask, score, tell, until the budget is spent."""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from rdkit import rdBase

from reprogram.blackbox.ledger import Ledger
from reprogram.blackbox.ledger import Oracle
from reprogram.optimization import oracles
from reprogram.optimization.objective import Objective
from reprogram.optimization.oracles import timed
from reprogram.optimization.search.archive import Archive

Search = Callable[[Sequence[Archive], Sequence[int]], list[list[str]]]
Evaluate = Callable[[Sequence[str]], np.ndarray]
IDLE = 20  # rounds without a new molecule after which a search has ended


def oracle(name: str, timeout: float | None = None) -> Oracle:
    """Looks up an oracle; if it is not of this library, with a time limit."""
    found = oracles.get(name)
    if timeout and name not in oracles.ORACLES:
        return timed.timed(name, timeout)
    return found


def evaluator(
    objective: Objective,
    ledger: Ledger | None = None,
    timeout: float | None = None,
) -> Evaluate:
    """Makes the function that asks all oracles of an objective.

    Args:
        objective: Objective that names the oracles.
        ledger: Ledger that keeps the calls; by default in memory.
        timeout: Time limit in seconds for one list of molecules, after which
            the oracle is killed; none by default.

    Returns:
        A function from canonical SMILES to values
        `(molecules, properties)`; NaN where an oracle fails.
    """
    ledger = ledger or Ledger()
    asked = {name: oracle(name, timeout) for name in objective.properties}

    def evaluate(smiles: Sequence[str]) -> np.ndarray:
        columns = [ledger.ask(name, f, smiles) for name, f in asked.items()]
        return np.stack(columns, axis=1)

    return evaluate


def drive(
    archives: Sequence[Archive],
    search: Search,
    evaluate: Evaluate,
    budget: int,
    first: Sequence[Sequence[str]] | None = None,
    tell: Callable[[Sequence[Archive]], None] | None = None,
) -> None:
    """Searches from several starts in step, until each is done.

    A start is done when its bounds say that a molecule is good enough, when
    its budget is spent, or when the search has nothing new.

    Args:
        archives: Archives to fill, one for each start.
        search: Search that proposes molecules, see `SEARCHES`.
        evaluate: Function from SMILES to values, as `evaluator` makes it.
        budget: Largest number of different molecules for each start, the start
            included.
        first: Molecules to evaluate before the search, for each start; by
            default the start itself.
        tell: Function that is called with the archives after each round.

    Raises:
        ValueError: If the budget is not positive.
    """
    if budget < 1:
        raise ValueError(f"`budget` must be at least 1. Received: {budget}.")
    idle = {id(archive): 0 for archive in archives}
    asked = first or [[a.start] if a.start else [] for a in archives]
    open_ = list(archives)
    while open_:
        sizes = [len(archive) for archive in open_]
        _answer(open_, asked, evaluate, budget)
        for archive, size in zip(open_, sizes):
            grown = len(archive) > size
            idle[id(archive)] = 0 if grown else idle[id(archive)] + 1
        if tell:
            tell(archives)
        open_ = [
            archive
            for archive in open_
            if len(archive) < budget
            and not archive.solved()
            and idle[id(archive)] < IDLE
        ]
        asked = search(open_, [budget - len(a) for a in open_]) if open_ else []


def _answer(
    archives: Sequence[Archive],
    asked: Sequence[Sequence[str]],
    evaluate: Evaluate,
    budget: int,
) -> None:
    """Asks what is new for each archive, all in one list."""
    new = []
    for archive, rows in zip(archives, asked):
        rows = [r for r in dict.fromkeys(rows) if r not in archive.rows]
        # Rarely what RDKit writes cannot be read again.
        with rdBase.BlockLogs():
            rows = [row for row in rows if Chem.MolFromSmiles(row)]
        new.append(rows[: budget - len(archive)])
    flat = list(dict.fromkeys(row for rows in new for row in rows))
    if not flat:
        return
    values = dict(zip(flat, evaluate(flat)))
    for archive, rows in zip(archives, new):
        if rows:
            archive.add(rows, np.stack([values[row] for row in rows]))
