"""Optimized molecules as a table and as structures."""

import csv
import io
from collections.abc import Sequence

from rdkit import Chem

from reprogram.optimization.objective import Objective


def table(results: Sequence[dict], objective: Objective) -> str:
    """Makes a table with a row for each start, as text.

    Args:
        results: See `write`.
        objective: See `write`.

    Returns:
        CSV: start, best molecule, similarity, values before and after, calls,
        the path between them, and the reason where there is none. Of a search
        without a start the best molecules follow each other.
    """
    names = objective.properties
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    before = [f"start_{name}" for name in names]
    writer.writerow(
        ["start", "smiles", *names, *before, "similarity", "calls", "solved"]
        + ["path", "reason"]
    )
    for result in results:
        for entry in entries(result):
            values = entry.get("values") or {}
            old = result.get("start_values") or {}
            writer.writerow(
                [result["start"] or "", entry.get("smiles") or ""]
                + [_cell(values.get(name)) for name in names]
                + [_cell(old.get(name)) for name in names]
                + [_cell(entry.get("similarity")), entry["calls"]]
                + [int(result["solved"]), " ".join(entry.get("path", []))]
                + [_reason(result)]
            )
    return text.getvalue()


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


def structures(results: Sequence[dict]) -> str:
    """Makes an SD file of the best molecules, as text."""
    text = io.StringIO()
    writer = Chem.SDWriter(text)
    for result in results:
        for entry in entries(result):
            if not entry.get("smiles"):
                continue
            molecule = Chem.MolFromSmiles(entry["smiles"])
            molecule.SetProp("_Name", entry["smiles"])
            facts = {
                **entry["values"],
                "start": result["start"] or "",
                "calls": entry["calls"],
                "similarity": entry["similarity"],
                "path": " ".join(entry.get("path", [])),
            }
            for name, value in facts.items():
                molecule.SetProp(name, str(value))
            writer.write(molecule)
    writer.close()
    return text.getvalue()
