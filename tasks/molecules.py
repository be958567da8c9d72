"""Molecular tasks: measured properties of molecules given as SMILES."""

import dataclasses
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from reprogram.molecules import smiles as smiles_text
from reprogram.parallel import map_chunks
from reprogram.tasks import splits
from reprogram.tasks import targets
from reprogram.tasks.readers import molecules
from reprogram.tasks.readers import table
from reprogram.tasks.rows import build_task
from reprogram.tasks.task import Task


def nav17() -> Task:
    """Inhibition of the sodium channel Nav1.7 by 1,017 sulfonamides.

    The data are inside the RDKit wheel: a series of one chemotype, the usual
    case of lead optimization, so the test molecules resemble the training.

    Returns:
        A regression of pIC50.

    Raises:
        ValueError: If this RDKit comes without its Contrib folder.

    Example:
    >>> nav17().problem
    'regression'
    """
    from rdkit import RDConfig

    folder = pathlib.Path(RDConfig.RDContribDir, "FreeWilson", "data")
    path = folder / "CHEMBL2321810.smi"
    if not path.exists():
        raise ValueError(
            f"There is no {path}. The RDKit wheel has it: install it"
            " with `pip install rdkit`."
        )
    _, rows, _ = table.read(folder / "CHEMBL2321810_act.csv")
    activity = {row["Name"]: row["Act"] for row in rows}
    lines = [line.split() for line in path.read_text().splitlines()]
    return build(
        "nav17",
        [smiles for smiles, _ in lines],
        {"pIC50": [activity.get(name) for _, name in lines]},
        problem="regression",
        unit="log10 units",
        identifiers=[name for _, name in lines],
        citation="ChEMBL CHEMBL2321810, from RDKit's Contrib/FreeWilson",
        licence="ChEMBL data: CC BY-SA 3.0",
    )


def from_file(
    path: str | pathlib.Path,
    smiles_column: str = "",
    target_column: str = "",
    split_column: str = "",
    problem: str = "",
) -> Task:
    r"""Reads a task from a file of molecules with targets.

    Args:
        path: The file, see `readers.molecules.open_file`; the last word of a
            line of a list is the label, a property of an SDF the target.
        smiles_column: Name of the column of SMILES; guessed where it is
            empty.
        target_column: Name of the target column, or several separated by
            commas; guessed where it is empty.
        split_column: Name of the column that says train (or valid) and test.
        problem: Name of the problem, see `Task`; guessed if empty.

    Returns:
        The task.

    Raises:
        ValueError: If a column is missing or no row can be used.

    Example:
    >>> path = getfixture("tmp_path") / "a.csv"
    >>> _ = path.write_text("smiles,y\nCCO,0.5\nC1CC,0.1\nCO,1.5\n")
    >>> task = from_file(path)
    >>> task.problem, task.inputs.tolist(), [row for row, _ in task.dropped]
    ('regression', ['CCO', 'CO'], [2])
    """
    path = pathlib.Path(path)
    found = molecules.open_file(path, smiles_column, labels=True)
    columns, where = found.columns, found.smiles
    chosen = _targets(columns, where, target_column)
    if split_column:
        split_column = table.column(columns, "split_column", split_column)
    lines = list(found.rows)
    rows = [dict(zip(columns, cells)) for cells, _ in lines]
    usual = table.USUAL["identifier"]
    named = [c for c in columns if table.plain(c) in usual and c not in chosen]
    named = [c for c in named if c != where][:1]
    return build(
        path.name.split(".")[0],
        [row[where] for row in rows],
        {name: [row[name] for row in rows] for name in chosen},
        problem,
        [row[split_column] for row in rows] if split_column else None,
        [wrong for _, wrong in lines],
        identifiers=[row[named[0]] for row in rows] if named else None,
    )


def _targets(columns: Sequence[str], smiles: str, asked: str) -> list[str]:
    if not asked and columns[-1:] == ["label"]:
        return ["label"]
    others = [name for name in columns if name != smiles]
    if not asked and len(others) == 1:
        return others
    wanted = [asked] if asked in columns else asked.split(",")
    return [
        table.column(columns, "target_column", name.strip()) for name in wanted
    ]


def build(
    name: str,
    smiles: Sequence[str],
    columns: Mapping[str, Sequence],
    problem: str = "",
    split: Sequence[str] | None = None,
    reasons: Sequence[str] | None = None,
    identifiers: Sequence[str] | None = None,
    **about: str,
) -> Task:
    """Makes a task of standardized molecules without duplicates.

    Args:
        name: Name of the task.
        smiles: One SMILES string a row.
        columns: The cells of each target column by its name; None, NaN and
            empty text are missing.
        problem: Name of the problem, see `Task`; guessed if empty.
        split: The given side of each row, see `tasks.splits.SIDES`.
        reasons: Reason why each row is left out, empty for usable rows.
        identifiers: Name of each row; the number of the row where there is
            none.
        **about: `metric`, `unit`, `citation`, `licence`, see `Task`.

    Returns:
        The task; the rows left out are in `dropped`.

    Raises:
        ValueError: If no row can be used.

    Example:
    >>> task = build("toy", ["OCC", "CCO", "CO"], {"y": [1.0, 2.0, 3.5]})
    >>> task.inputs.tolist(), task.targets.tolist()
    (['CCO', 'CO'], [[1.5], [3.5]])
    >>> task.dropped
    ((2, 'the same molecule as row 1, targets averaged'),)
    """
    lengths = {key: len(cells) for key, cells in columns.items()}
    if set(lengths.values()) != {len(smiles)}:
        raise ValueError(
            f"Task {name!r}: {len(smiles)} SMILES need as many targets."
            f" Received: {lengths}."
        )
    found = targets.read(columns, problem)
    parts = map_chunks(smiles_text.read, smiles, chunk=2048)
    standard = [row for part, _ in parts for row in part]
    unread = [reason for _, part in parts for reason in part]
    sides, odd = (None, unread) if split is None else splits.sides(split)
    found_wrong = zip(
        reasons or unread, unread, found.reasons, odd, strict=True
    )
    reasons = [next(filter(None, row), "") for row in found_wrong]
    found = merge(standard, found, reasons, sides)
    names = identifiers or [""] * len(smiles)
    names = [text.strip() or str(i) for i, text in enumerate(names, 1)]
    return build_task(
        name,
        "molecule",
        standard,
        found,
        found.reasons,
        split=sides,
        identifiers=names,
        **about,
    )


def merge(
    keys: Sequence[str],
    found: targets.Targets,
    reasons: Sequence[str],
    sides: Sequence[str] | None = None,
) -> targets.Targets:
    """Keeps each molecule once, in the first of its rows.

    Molecules are the same if their standardized SMILES are. Numbers are
    averaged. Labels must agree: where they do not, the label is missing, and
    a molecule without any label is left out. A molecule on both sides of a
    given split stays in the test rows only.

    Args:
        keys: Identifier of the molecule of each row, for example SMILES.
        found: Targets of the rows.
        reasons: Reason why each row is left out, empty for usable rows.
        sides: The given side of each row.

    Returns:
        The targets with merged values and more reasons.

    Example:
    >>> merge("aab", targets.read({"y": ["0", "1", "1"]}), [""] * 3).reasons[2]
    ''
    """
    values, reasons = found.values.copy(), list(reasons)
    groups: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        if not reasons[row]:
            groups.setdefault(key, []).append(row)
    for rows in groups.values():
        test = [row for row in rows if sides and sides[row] == "test"]
        for row in set(rows) - set(test) if test else ():
            reasons[row] = f"the same molecule as test row {test[0] + 1}"
        first, *others = test or rows
        if not others:
            continue
        values[first], note = _agree(values[[first, *others]], found.problem)
        if np.isnan(values[first]).all():
            reasons[first] = f"the same molecule as row {others[0] + 1}{note}"
        for row in others:
            reasons[row] = f"the same molecule as row {first + 1}{note}"
    return dataclasses.replace(found, values=values, reasons=tuple(reasons))


def _agree(values: np.ndarray, problem: str) -> tuple[np.ndarray, str]:
    if problem == "regression":
        mean = np.ma.masked_invalid(values).mean(axis=0).filled(np.nan)
        return mean, ", targets averaged"
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    note = ", labels conflict" if (low < high).any() else ""
    return np.where(low == high, low, np.nan), note
