"""Tables of text: rows under named columns, and which column is meant."""

import csv
import gzip
import pathlib
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
}


def read(
    path: str | pathlib.Path,
) -> tuple[list[str], list[dict[str, str]], list[str]]:
    r"""Reads a table separated by commas, semicolons or tabs.

    Args:
        path: The file, `.csv` or `.csv.gz`, in UTF-8, its first row the
            names of the columns. Blank lines are not rows.

    Returns:
        The names of the columns; the rows as dicts of text; and for each row
        what is wrong with it, empty where nothing is.

    Raises:
        ValueError: If the file is not there or not such a table.

    Example:
    >>> folder = getfixture("tmp_path")
    >>> _ = (folder / "a.csv").write_text("smiles,y\\nCCO,1\\n")
    >>> read(folder / "a.csv")
    (['smiles', 'y'], [{'smiles': 'CCO', 'y': '1'}], [''])
    """
    path = pathlib.Path(path)
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            delimiter = max(",;\t", key=header.count)
            file.seek(0)
            reader = csv.DictReader(file, delimiter=delimiter, restval="")
            columns = [name.strip() for name in reader.fieldnames or ()]
            rows = list(reader)
    except FileNotFoundError as error:
        raise ValueError(f"There is no file {path}. Check the path.") from error
    except (OSError, EOFError, UnicodeError, csv.Error) as error:
        raise ValueError(
            f"{path} is not a table of UTF-8 text: {error}. Save it as CSV."
        ) from error
    if not columns or len(set(columns)) < len(columns):
        raise ValueError(
            f"The first row of {path} must name each column once."
            f" Received: {', '.join(columns) or 'an empty file'}."
        )
    reasons = [
        f"more cells than the {len(columns)} columns" if None in row else ""
        for row in rows
    ]
    return columns, [dict(zip(columns, r.values())) for r in rows], reasons


def column(columns: Sequence[str], option: str, name: str = "") -> str:
    """Finds the column that is asked for, or the one with a usual name.

    Args:
        columns: The names of the columns that there are.
        option: What the column is for, a key of `USUAL`.
        name: The name asked for; empty to guess.

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
    found = found or [c for c in columns if _plain(c) in USUAL[option]]
    if len(found) == 1:
        return found[0]
    clue = f"{' or '.join(found)}?" if found else "no name is a usual one."
    raise ValueError(f"Say which column is the `{option}`: {clue} {there}")


def _plain(name: str) -> str:
    return name.casefold().replace(" ", "_")
