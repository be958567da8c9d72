"""Molecules to predict for: the rows of a table."""

import csv
import gzip
import pathlib
from collections.abc import Iterator
from collections.abc import Sequence

from reprogram.molecules import smiles
from reprogram.parallel import map_chunks
from reprogram.tasks.readers import table
from reprogram.tasks.readers.rows import Inputs
from reprogram.tasks.readers.rows import Read


def from_table(
    path: pathlib.Path, record: dict, smiles_column: str = ""
) -> Inputs:
    """Opens a table with a column of SMILES.

    Args:
        path: The file, see `stream`.
        record: The record of the run.
        smiles_column: The column; empty for the one the run was trained on,
            or the one with a usual name.

    Returns:
        The rows, with the cells of the table.

    Raises:
        ValueError: If there is no such column or table.
    """
    delimiter, columns, rows = stream(path)
    trained = record["flags"].get("smiles_column")
    name = smiles_column or (trained if trained in columns else "")
    where = columns.index(table.column(columns, "smiles_column", name))
    unread = ((cells, (cells[where], wrong)) for cells, wrong in rows)
    return Inputs(columns, unread, _read, 4096, delimiter)


def _read(rows: Sequence[tuple[str, str]]) -> Read:
    texts = [text for text, _ in rows]
    parts = map_chunks(smiles.read, texts, chunk=1024)
    standard = [row for part, _ in parts for row in part]
    reasons = [reason for _, part in parts for reason in part]
    return standard, [wrong or r for (_, wrong), r in zip(rows, reasons)]


def stream(
    path: pathlib.Path,
) -> tuple[str, list[str], Iterator[tuple[list[str], str]]]:
    r"""Reads a table as `tasks.table.read` does, row by row.

    Args:
        path: The file, `.csv` or `.csv.gz`.

    Returns:
        What stands between the cells; the names of the columns; and the cells
        of each row with what is wrong with it, empty where nothing is.

    Raises:
        ValueError: If the file is not such a table, at once or on the way.

    Example:
    >>> path = getfixture("tmp_path") / "a.csv"
    >>> _ = path.write_text("id;smiles\\n1;CCO\\n2\\n")
    >>> delimiter, columns, rows = stream(path)
    >>> delimiter, columns, list(rows)
    (';', ['id', 'smiles'], [(['1', 'CCO'], ''), (['2', ''], '')])
    """
    lines = _lines(path)
    delimiter, header = next(lines), next(lines, [])
    columns = [name.strip() for name in header]
    if not columns or len(set(columns)) < len(columns):
        raise ValueError(
            f"The first row of {path} must name each column once."
            f" Received: {', '.join(columns) or 'an empty file'}."
        )
    width = len(columns)
    more = f"more cells than the {width} columns"
    rows = (
        ((cells + [""] * width)[:width], more if len(cells) > width else "")
        for cells in lines
    )
    return delimiter, columns, rows


def _lines(path: pathlib.Path) -> Iterator:
    """Yields the delimiter, then the cells of each line that is not blank."""
    opener = gzip.open if path.suffix.casefold() == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            delimiter = max(",;\t", key=file.readline().count)
            yield delimiter
            file.seek(0)
            yield from filter(None, csv.reader(file, delimiter=delimiter))
    except (OSError, EOFError, UnicodeError, csv.Error) as error:
        raise ValueError(
            f"{path} is not a table of UTF-8 text: {error}. Save it as CSV."
        ) from error
