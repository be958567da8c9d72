"""Molecules to predict for: tables, lists of SMILES, and SDF."""

import functools
import gzip
import pathlib
import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

from rdkit import Chem
from rdkit import rdBase

from reprogram.molecules import smiles
from reprogram.parallel import map_chunks
from reprogram.tasks.readers import table
from reprogram.tasks.readers.molecule_table import stream
from reprogram.tasks.readers.rows import Inputs
from reprogram.tasks.readers.rows import Read

PROPERTY = re.compile(r"^>.*?<(.+?)>.*\n(.*)", re.MULTILINE)
ENDINGS = (".csv", ".csv.gz", ".tsv", ".smi", ".smiles", ".txt", ".sdf", ".sd")
SIZE = 2048


def load(
    path: str | pathlib.Path, smiles_column: str = "", standard: bool = True
) -> Inputs:
    r"""Opens a file of molecules; every row of it stays a row.

    Args:
        path: A table (`.csv`, `.csv.gz`, `.tsv`); a list with a SMILES and,
            behind a space or tab, a name in each line (`.smi`, `.smiles`,
            `.txt`); or an SDF (`.sdf`, `.sd`), plain or compressed (`.gz`).
        smiles_column: Of a table; empty for the one with a usual name.
        standard: Whether to bring molecules into their standard form, see
            `molecules.standardize`; else they stay as they are given.

    Returns:
        The rows.

    Raises:
        ValueError: If the file is not there or not of such a kind.

    Example:
    >>> path = getfixture("tmp_path") / "a.smi"
    >>> _ = path.write_text("OCC ethanol\\nC1CC\\n")
    >>> cells, found, reasons = next(load(path).parts())
    >>> cells, found, bool(reasons[1])
    ((['OCC', 'ethanol'], ['C1CC', '']), ['CCO', None], True)
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ValueError(f"There is no file {path}. Check the path.")
    kind = path.name.casefold().removesuffix(".gz")
    read = functools.partial(_read, standard)
    if kind.endswith((".csv", ".tsv")):
        delimiter, columns, rows = stream(path)
        where = columns.index(column_of(columns, smiles_column))
        unread = ((cells, (cells[where], wrong)) for cells, wrong in rows)
        return Inputs(columns, unread, read, SIZE, delimiter)
    if smiles_column:
        raise ValueError(
            f"Only tables have a column of SMILES. Received: {path} and"
            f" smiles_column={smiles_column!r}. Leave it out."
        )
    if kind.endswith((".sdf", ".sd")):
        names = _properties(path)
        return Inputs(
            ["name", "smiles", *names], _blocks(path, names), read, SIZE
        )
    if kind.endswith((".smi", ".smiles", ".txt")):
        return Inputs(["smiles", "name"], _lines(path), read, SIZE)
    raise ValueError(
        f"Molecules come in files {', '.join(ENDINGS)}. Received: {path}."
    )


def column_of(columns: Sequence[str], name: str = "") -> str:
    """Finds the column of SMILES, see `tasks.table.column`.

    Args:
        columns: The names of all columns.
        name: The name asked for; empty to guess.

    Returns:
        Its name.

    Raises:
        ValueError: If there is none, or several may be meant.
    """
    if not name and "smiles" in columns:
        return "smiles"
    return table.column(columns, "smiles_column", name)


def _read(standard: bool, rows: Sequence[tuple[str, str]]) -> Read:
    texts = [text for text, _ in rows]
    function = smiles.read if standard else canonical
    parts = map_chunks(function, texts)
    found = [row for part, _ in parts for row in part]
    reasons = [reason for _, part in parts for reason in part]
    return found, [wrong or r for (_, wrong), r in zip(rows, reasons)]


def canonical(rows: Sequence[str]) -> tuple[list[str | None], list[str]]:
    """Reads molecules as they are given and keeps every row.

    Args:
        rows: SMILES strings.

    Returns:
        Canonical SMILES, `None` where the row is not a molecule; and the
        reasons, empty where there is none.

    Example:
    >>> canonical(["OCC[NH3+]", "C1CC"])[0]
    ['[NH3+]CCO', None]
    """
    found, reasons = [], []
    for text in rows:
        try:
            found.append(Chem.MolToSmiles(smiles.parse(text)))
            reasons.append("")
        except ValueError as error:
            found.append(None)
            reasons.append(str(error))
    return found, reasons


def _text(path: pathlib.Path) -> Iterator[str]:
    opener: Callable = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig") as file:
            yield from file
    except (OSError, EOFError, UnicodeError) as error:
        raise ValueError(
            f"{path} is not UTF-8 text: {error}. Save it as such."
        ) from error


def _lines(path: pathlib.Path) -> Iterator[tuple[list[str], tuple]]:
    for line in _text(path):
        if line.strip():
            text, _, name = line.strip().partition(" ")
            if "\t" in text:
                text, _, name = line.strip().partition("\t")
            yield [text, name.strip()], (text, "")


def _records(path: pathlib.Path) -> Iterator[str]:
    lines: list[str] = []
    for line in _text(path):
        if line.startswith("$$$$"):
            yield "".join(lines)
            lines = []
        else:
            lines.append(line)
    if "".join(lines).strip():
        yield "".join(lines)


def _properties(path: pathlib.Path) -> list[str]:
    found: dict[str, None] = {}
    for record in _records(path):
        found.update((name, None) for name, _ in PROPERTY.findall(record))
    return [name for name in found if name not in ("name", "smiles")]


def _blocks(
    path: pathlib.Path, names: Sequence[str]
) -> Iterator[tuple[list[str], tuple]]:
    for record in _records(path):
        known = dict(PROPERTY.findall(record))
        with rdBase.BlockLogs():
            molecule = Chem.MolFromMolBlock(record)
        text = Chem.MolToSmiles(molecule) if molecule is not None else ""
        wrong = "" if text else "RDKit cannot read this record of the SDF"
        title = record.partition("\n")[0].strip()
        cells = [title, text, *(known.get(name, "").strip() for name in names)]
        yield cells, (text, wrong)
