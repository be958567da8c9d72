"""Files of molecules: tables, lists of SMILES, and SDF."""

import functools
import gzip
import itertools
import pathlib
import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

from rdkit import Chem
from rdkit import rdBase

from reprogram.molecules import smiles
from reprogram.parallel import map_chunks
from reprogram.tasks.readers import table
from reprogram.tasks.readers.rows import Inputs
from reprogram.tasks.readers.rows import Read

PROPERTY = re.compile(r"^>.*?<(.+?)>.*\n(.*)", re.MULTILINE)
TABLES = (".csv", ".tsv", ".xlsx", ".parquet")
ENDINGS = (*TABLES, ".smi", ".smiles", ".txt", ".sdf", ".sd")
SIZE = 2048


class Rows(NamedTuple):
    """The rows of a file of molecules.

    Args:
        columns: Names of the cells of a row.
        smiles: Name of the column of SMILES.
        rows: The cells of each row and what is wrong with it, empty where
            nothing is.
        delimiter: Delimiter of the cells.
    """

    columns: list[str]
    smiles: str
    rows: Iterator[tuple[list[str], str]]
    delimiter: str = ","


def open_file(
    path: str | pathlib.Path, smiles_column: str = "", labels: bool = False
) -> Rows:
    """Opens a file of molecules; every row of it stays a row.

    Args:
        path: A table (`.csv`, `.tsv`, `.xlsx`, `.parquet`); a list with a
            SMILES and, behind a space or tab, a name in each line (`.smi`,
            `.smiles`, `.txt`); or an SDF (`.sdf`, `.sd`). Text may be
            compressed (`.gz`).
        smiles_column: Name of the column of SMILES of a table; empty for the
            one with a usual name.
        labels: Whether the last word of a line of a list is a label.

    Returns:
        The rows.

    Raises:
        ValueError: If the file is not there or not of such a kind.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ValueError(f"There is no file {path}. Check the path.")
    kind = path.name.casefold().removesuffix(".gz")
    if kind.endswith(TABLES):
        delimiter, columns, rows = table.stream(path)
        where = table.smiles_column(columns, smiles_column)
        return Rows(columns, where, rows, delimiter)
    if smiles_column:
        raise ValueError(
            f"Only tables have a column of SMILES. Received: {path} and"
            f" smiles_column={smiles_column!r}. Leave it out."
        )
    if kind.endswith((".sdf", ".sd")):
        names = _properties(path)
        columns = ["name", "smiles", *names]
        return Rows(columns, "smiles", _blocks(path, names))
    if kind.endswith((".smi", ".smiles", ".txt")):
        columns = ["smiles", "name", *(["label"] if labels else [])]
        return Rows(columns, "smiles", _lines(path, labels))
    raise ValueError(
        f"Molecules come in files {', '.join(ENDINGS)}. Received: {path}."
    )


def load(
    path: str | pathlib.Path, smiles_column: str = "", standard: bool = True
) -> Inputs:
    r"""Opens a file of molecules to predict for.

    Args:
        path: The file, see `open_file`.
        smiles_column: Name of the column of SMILES; empty for the one with a
            usual name.
        standard: Whether to bring molecules into their standard form, see
            `molecules.standardize`; else they stay as they are given.

    Returns:
        The rows.

    Raises:
        ValueError: If the file is not there or not of such a kind.

    Example:
    >>> path = getfixture("tmp_path") / "a.smi"
    >>> _ = path.write_text("OCC ethanol\nC1CC\n")
    >>> cells, found, reasons = next(load(path).parts())
    >>> cells, found, bool(reasons[1])
    ((['OCC', 'ethanol'], ['C1CC', '']), ['CCO', None], True)
    """
    found = open_file(path, smiles_column)
    where = found.columns.index(found.smiles)
    read = functools.partial(_read, standard)
    unread = ((cells, (cells[where], wrong)) for cells, wrong in found.rows)
    return Inputs(found.columns, unread, read, SIZE, found.delimiter)


def _read(standard: bool, rows: Sequence[tuple[str, str]]) -> Read:
    texts = [text for text, _ in rows]
    function = smiles.read if standard else canonical
    parts = map_chunks(function, texts)
    found = [row for part, _ in parts for row in part]
    reasons = [reason for _, part in parts for reason in part]
    return found, [wrong or r for (_, wrong), r in zip(rows, reasons)]


def canonical(rows: Sequence[str]) -> tuple[list[str | None], list[str]]:
    """Reads molecules without standardizing them and keeps every row.

    Args:
        rows: SMILES string of each row.

    Returns:
        Canonical SMILES, `None` where the row is not a molecule; and the
        reasons, empty where there is none.

    Example:
    >>> canonical(["OCC[NH3+]", "C1CC"])[0]
    ['[NH3+]CCO', None]
    """
    found: list[str | None] = []
    reasons: list[str] = []
    for text in rows:
        try:
            found.append(Chem.MolToSmiles(smiles.parse(text)))
            reasons.append("")
        except ValueError as error:
            found.append(None)
            reasons.append(str(error))
    return found, reasons


def head(path: pathlib.Path, count: int) -> list[str]:
    """Returns the first lines of a file that are not blank."""
    lines = (line.strip("\r\n") for line in _text(path))
    return list(itertools.islice(filter(str.strip, lines), count))


def _text(path: pathlib.Path) -> Iterator[str]:
    opener: Callable = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig") as file:
            yield from file
    except (OSError, EOFError, UnicodeError) as error:
        raise ValueError(
            f"{path} is not UTF-8 text: {error}. Save it as such."
        ) from error


def _lines(path: pathlib.Path, labels: bool) -> Iterator[tuple[list[str], str]]:
    for line in filter(None, map(str.strip, _text(path))):
        if labels:
            text, *words = line.split()
            label = words.pop() if words else ""
            yield [text, " ".join(words), label], ""
            continue
        text, _, name = line.partition(" ")
        if "\t" in text:
            text, _, name = line.partition("\t")
        yield [text, name.strip()], ""


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
) -> Iterator[tuple[list[str], str]]:
    for record in _records(path):
        known = dict(PROPERTY.findall(record))
        with rdBase.BlockLogs():
            molecule = Chem.MolFromMolBlock(record)
        text = Chem.MolToSmiles(molecule) if molecule is not None else ""
        wrong = "" if text else "RDKit cannot read this record of the SDF"
        title = record.partition("\n")[0].strip()
        cells = [title, text, *(known.get(name, "").strip() for name in names)]
        yield cells, wrong
