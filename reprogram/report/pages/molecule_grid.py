"""Tables of molecules as SDF, and as a page of pictures."""

import csv
import io
import os
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from rdkit import Chem
from rdkit import rdBase
from rdkit.Chem import rdDepictor

from reprogram import files
from reprogram.report.pages.base import page_template
from reprogram.report.pages.molecules import drawing


def sdf_record(smiles: str, facts: Mapping[str, Any]) -> str:
    """Writes one molecule for an SDF.

    Args:
        smiles: A SMILES string; an invalid one gives a record without atoms.
        facts: Values by name, written as text of one line.

    Example:
    >>> sdf_record("CO", {"id": 7}).splitlines()[-4:]
    ['> <id>', '7', '', '$$$$']
    """
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles) if smiles.strip() else None
    molecule = molecule or Chem.Mol()
    molecule.SetProp("_Name", " ".join(smiles.split()))
    rdDepictor.Compute2DCoords(molecule)
    text = Chem.MolToMolBlock(molecule)
    for name, value in facts.items():
        text += f"> <{name}>\n{' '.join(str(value).split())}\n\n"
    return f"{text}$$$$\n"


def write_sdf(
    path: str | os.PathLike,
    table: str | os.PathLike,
    delimiter: str,
    smiles: str,
    columns: Sequence[str] = (),
) -> None:
    """Writes the rows of a table as the records of an SDF.

    Args:
        path: Path of the SDF; invalid molecules give records without atoms.
        table: Table of predictions.
        delimiter: Character between the cells of the table.
        smiles: Name of the column of SMILES.
        columns: Unused; all columns are written.
    """
    with open(path, "w", encoding="utf-8") as file:
        for row in _rows(table, delimiter):
            file.write(sdf_record(row[smiles], row))


def write_page(
    path: str | os.PathLike,
    table: str | os.PathLike,
    delimiter: str,
    smiles: str,
    columns: Sequence[str],
    limit: int = 200,
) -> None:
    """Draws the first rows of a table on one page.

    Args:
        path: Path of the HTML file to write.
        table: Table of predictions.
        delimiter: Character between the cells of the table.
        smiles: Name of the column of SMILES.
        columns: Names of the columns to write under each picture. One that
            begins with `in_domain` says which molecules are framed.
        limit: Largest number of rows to draw.
    """
    cards, count = [], 0
    for count, row in enumerate(_rows(table, delimiter), 1):
        if count <= limit:
            inside = [row[c] for c in columns if c.startswith("in_domain")]
            shown = [f"{name}: {row[name]}" for name in columns if row[name]]
            cards.append(
                {
                    "smiles": row[smiles],
                    "image": drawing(row[smiles]),
                    "lines": [f"Row {count}", *shown],
                    "outside": inside[:1] == ["false"],
                }
            )
    page = page_template("molecule_grid.html").render(
        title="Predictions",
        heading="Predictions",
        kicker=os.path.basename(table),
        facts=[(f"{count:,}", "rows"), (f"{len(cards):,}", "drawn here")],
        versions=files.versions(),
        made_from=f" from {os.path.basename(table)}",
        molecules=cards,
    )
    files.write_text(path, page)


def _rows(path: str | os.PathLike, delimiter: str) -> Iterator[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter=delimiter)


def results_table(results: Sequence[dict], names: Sequence[str]) -> str:
    """Makes a table of optimized molecules, a row for each start, as text.

    Args:
        results: Results of the starts, as returned by `optimization.optimize`.
        names: Names of the properties.

    Returns:
        CSV: start, best molecule, similarity, values before and after, calls,
        the path between them, and the reason where there is none. Of a search
        without a start the best molecules follow each other.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    before = [f"start_{name}" for name in names]
    writer.writerow(
        ["start", "smiles", *names, *before, "similarity", "calls", "solved"]
        + ["path", "reason"]
    )
    for result in results:
        old = result.get("start_values") or {}
        for entry in entries(result):
            values = entry.get("values") or {}
            writer.writerow(
                [result["start"] or "", entry.get("smiles") or ""]
                + [_cell(values.get(name)) for name in names]
                + [_cell(old.get(name)) for name in names]
                + [_cell(entry.get("similarity")), entry["calls"]]
                + [int(result["solved"]), " ".join(entry.get("path", []))]
                + [_reason(result)]
            )
    return text.getvalue()


def results_sdf(results: Sequence[dict]) -> str:
    """Makes an SDF of the best molecules of `results_table`, as text."""
    return "".join(
        sdf_record(
            entry["smiles"],
            {
                **entry["values"],
                "start": result["start"] or "",
                "calls": entry["calls"],
                "similarity": entry["similarity"],
                "path": " ".join(entry.get("path", [])),
            },
        )
        for result in results
        for entry in entries(result)
        if entry.get("smiles")
    )


def entries(result: dict) -> list[dict]:
    """Returns the molecules to show of a result, each as a result."""
    if result["start"] is None and result.get("top"):
        return [{**entry, "calls": entry["call"]} for entry in result["top"]]
    return [result]


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _reason(result: dict) -> str:
    if result["reason"] or result["smiles"]:
        return result["reason"]
    return f"nothing within the bounds in {result['calls']} calls"
