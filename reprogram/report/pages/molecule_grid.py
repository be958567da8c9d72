"""A table of predictions as SDF, and as a page of pictures."""

import csv
import html
import os
from collections.abc import Iterator
from collections.abc import Sequence

from rdkit import Chem
from rdkit import rdBase
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

WIDTH, HEIGHT = 240, 180
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>Predictions</title><style>
body { font: 14px system-ui, sans-serif; margin: 1.5em; }
main { display: flex; flex-wrap: wrap; gap: 1em; }
figure { width: 250px; margin: 0; padding: .5em; border: 1px solid #ccc; }
figcaption div { overflow-wrap: anywhere; }
.out { border: 2px solid #c60; } .none { background: #eee; }
</style></head><body>
"""


def _rows(path: str | os.PathLike, delimiter: str) -> Iterator[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter=delimiter)


def _molecule(text: str) -> Chem.Mol | None:
    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(text) if text.strip() else None


def write_sdf(
    path: str | os.PathLike,
    table: str | os.PathLike,
    delimiter: str,
    smiles: str,
    columns: Sequence[str],
) -> None:
    """Writes the rows of a table as the records of an SDF.

    Args:
        path: The SDF. A row that is no molecule is a record without atoms.
        table: The table of predictions.
        delimiter: What stands between its cells.
        smiles: Its column of SMILES.
        columns: Its other columns of interest; all of them are written.
    """
    with open(path, "w", encoding="utf-8") as file:
        for row in _rows(table, delimiter):
            molecule = _molecule(row[smiles]) or Chem.Mol()
            rdDepictor.Compute2DCoords(molecule)
            file.write(Chem.MolToMolBlock(molecule))
            for name, value in row.items():
                text = " ".join(value.split())
                file.write(f"> <{name}>\n{text}\n\n")
            file.write("$$$$\n")


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
        path: The page.
        table: The table of predictions.
        delimiter: What stands between its cells.
        smiles: Its column of SMILES.
        columns: The columns under each picture.
        limit: The most rows to draw.
    """
    with open(path, "w", encoding="utf-8") as file:
        file.write(_PAGE)
        file.write(f"<p>The first {limit} rows at most. Orange: outside the")
        file.write(" domain of the training molecules.</p><main>\n")
        for number, row in enumerate(_rows(table, delimiter), 1):
            if number > limit:
                break
            file.write(_figure(number, row, smiles, columns))
        file.write("</main></body></html>\n")


def _figure(
    number: int, row: dict[str, str], smiles: str, columns: Sequence[str]
) -> str:
    inside = next((row[c] for c in columns if c.startswith("in_domain")), "")
    kind = {"true": "", "false": " class=out"}.get(inside, " class=none")
    lines = "".join(
        f"<div><b>{html.escape(name)}</b> {html.escape(row[name])}</div>"
        for name in columns
        if row[name]
    )
    molecule = _molecule(row[smiles])
    picture = "" if molecule is None else _draw(molecule)
    title = f"<div>{number}. {html.escape(row[smiles])}</div>"
    caption = f"<figcaption>{title}{lines}</figcaption>"
    return f"<figure{kind}>{picture}{caption}</figure>\n"


def _draw(molecule: Chem.Mol) -> str:
    drawer = rdMolDraw2D.MolDraw2DSVG(WIDTH, HEIGHT)
    rdMolDraw2D.PrepareAndDrawMolecule(drawer, molecule)
    drawer.FinishDrawing()
    text = drawer.GetDrawingText()
    return text[text.index("<svg") :]
