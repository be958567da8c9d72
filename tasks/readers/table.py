"""Tables of text with named columns, and the choice of a column."""

import csv
import gzip
import pathlib
from collections.abc import Iterator
from collections.abc import Sequence

USUAL = {
    "smiles_column": (
        "smiles",
        "canonical_smiles",
        "isomeric_smiles",
        "standard_smiles",
        "drug",
        "mol",
        "molecule",
        "compound",
        "structure",
    ),
    "target_column": (
        "y",
        "target",
        "targets",
        "label",
        "labels",
        "class",
        "activity",
        "active",
        "value",
        "exp",
        "expt",
        "measured",
        "pic50",
        "pec50",
        "pki",
        "pchembl_value",
        "act",
    ),
    "split_column": (),
    "identifier": (
        "id",
        "name",
        "compound",
        "compound_id",
        "compound_name",
        "molecule_id",
        "molecule_name",
        "molecule_chembl_id",
        "mol_id",
        "drug_id",
        "cas",
    ),
}


def read(
    path: str | pathlib.Path,
) -> tuple[list[str], list[dict[str, str]], list[str]]:
    r"""Reads a whole table.

    Args:
        path: The file, see `stream`.

    Returns:
        The names of the columns; the rows as dicts of text; and for each row
        what is wrong with it, empty where nothing is.

    Raises:
        ValueError: If the file is not there or not such a table.

    Example:
    >>> folder = getfixture("tmp_path")
    >>> _ = (folder / "a.csv").write_text("smiles,y\nCCO,1\n")
    >>> read(folder / "a.csv")
    (['smiles', 'y'], [{'smiles': 'CCO', 'y': '1'}], [''])
    """
    _, columns, lines = stream(pathlib.Path(path))
    rows = list(lines)
    return (
        columns,
        [dict(zip(columns, cells)) for cells, _ in rows],
        [wrong for _, wrong in rows],
    )


def stream(
    path: pathlib.Path,
) -> tuple[str, list[str], Iterator[tuple[list[str], str]]]:
    r"""Reads a table row by row.

    Args:
        path: The file: text separated by commas, semicolons or tabs, in UTF-8
            and perhaps compressed (`.gz`), `.xlsx` or `.parquet`. Its first
            row names the columns; blank lines are not rows.

    Returns:
        The delimiter of the cells; the names of the columns; and the cells
        of each row with what is wrong with it, empty where nothing is.

    Raises:
        ValueError: If the file is not such a table, at once or on the way.

    Example:
    >>> path = getfixture("tmp_path") / "a.csv"
    >>> _ = path.write_text("id;smiles\n1;CCO\n2\n")
    >>> delimiter, columns, rows = stream(path)
    >>> delimiter, columns, list(rows)
    (';', ['id', 'smiles'], [(['1', 'CCO'], ''), (['2', ''], '')])
    """
    lines = _lines(path)
    delimiter = next(lines)
    header: list[str] = next(lines, [])
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
    if not path.is_file():
        raise ValueError(f"There is no file {path}. Check the path.")
    if path.suffix.casefold() in (".xlsx", ".parquet"):
        yield ","
        yield from _sheet(path)
        return
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


def _sheet(path: pathlib.Path) -> Iterator[list[str]]:
    """Yields the cells of a sheet of Excel or of a Parquet file as text."""
    kind = path.suffix.casefold()
    try:
        import pandas

        reader = pandas.read_excel if kind == ".xlsx" else pandas.read_parquet
        frame = reader(path)
    except ImportError as error:
        raise ImportError(
            f"Reading {path} needs pandas with"
            f" {'openpyxl' if kind == '.xlsx' else 'pyarrow'}: pip install"
            ' "reprogram[excel]", or save the table as CSV.'
        ) from error
    except Exception as error:
        raise ValueError(
            f"{path} is not a readable {kind} file: {error}. Save it as CSV."
        ) from error
    yield list(map(str, frame.columns))
    for row in frame.itertuples(index=False):
        yield ["" if pandas.isna(cell) else str(cell) for cell in row]


def smiles_column(columns: Sequence[str], name: str = "") -> str:
    """Finds the column of SMILES; one of that name wins over other names.

    Args:
        columns: Names of the columns of the table.
        name: Name of the wanted column; empty to guess.

    Returns:
        The name of the column as the file spells it.

    Raises:
        ValueError: If there is no such column, or the guess is not clear.

    Example:
    >>> smiles_column(["Compound", "SMILES", "pIC50"])
    'SMILES'
    """
    named = [c for c in columns if plain(c) == "smiles"]
    if not name and len(named) == 1:
        return named[0]
    return column(columns, "smiles_column", name)


def column(columns: Sequence[str], option: str, name: str = "") -> str:
    """Finds a column by its name, or by a usual name.

    Args:
        columns: Names of the columns of the table.
        option: Purpose of the column, a key of `USUAL`.
        name: Name of the wanted column; empty to guess.

    Returns:
        The name of the column as the file spells it.

    Raises:
        ValueError: If there is no such column, or the guess is not clear.

    Example:
    >>> column(["Drug_ID", "Drug", "Y"], "target_column")
    'Y'
    """
    there = f"The columns are: {', '.join(columns)}."
    if name and name not in columns:
        raise ValueError(f"There is no `{option}` named {name!r}. {there}")
    found = [name] if name else []
    found = found or [c for c in columns if plain(c) in USUAL[option]]
    if len(found) == 1:
        return found[0]
    clue = f"{' or '.join(found)}?" if found else "no name is a usual one."
    raise ValueError(f"Say which column is the `{option}`: {clue} {there}")


def plain(name: str) -> str:
    """Writes the name of a column in small letters, without spaces."""
    return name.casefold().replace(" ", "_")
