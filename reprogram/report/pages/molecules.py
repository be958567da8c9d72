"""The test molecules that were predicted best and worst, drawn."""

from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem import rdFMCS
from rdkit.Chem.Draw import rdMolDraw2D

from reprogram.molecules import smiles as molecules
from reprogram.report import outcomes
from reprogram.report.outcomes import Outcomes
from reprogram.report.pages import figures

SHOWN = 6
WIDTH, HEIGHT = 300, 200
DARK = {9: (0.1, 0.5, 0.3), 16: (0.6, 0.45, 0.0), 17: (0.1, 0.5, 0.1)}


def extremes(record: dict, rows: Outcomes) -> dict[str, list[dict]]:
    """Picks the molecules with the largest and the smallest errors.

    Args:
        record: Record of a molecular task, with SMILES as test inputs.
        rows: Test rows of the same record.

    Returns:
        Lists `worst` and `best` of at most `SHOWN` cards that share no row: a
        dict of `smiles`, `image` (a data URI, None if the molecule cannot be
        drawn) and `lines`, the target and the prediction.
    """
    wrong = outcomes.errors(rows)
    order = np.argsort(-wrong, kind="stable")
    order = order[np.isfinite(wrong[order])]
    count = min(SHOWN, -(-len(order) // 2))
    picked = {"worst": order[:count], "best": order[count:][::-1][:count]}
    inputs, unit = record["test"]["inputs"], record["task"].get("unit") or ""
    return {
        name: [_card(str(inputs[i]), caption(rows, i, unit)) for i in indices]
        for name, indices in picked.items()
    }


def _card(smiles: str, lines: list[str]) -> dict:
    return {"smiles": smiles, "image": drawing(smiles), "lines": lines}


def drawing(smiles: str, start: str | None = None) -> str | None:
    """Draws one molecule.

    Args:
        smiles: SMILES of the molecule.
        start: SMILES of the molecule that it was made from; the common part is
            drawn alike, and changed atoms are marked.

    Returns:
        The data URI of an SVG image; None if RDKit cannot read the molecule.
    """
    try:
        molecule = molecules.parse(smiles)
    except ValueError:
        return None
    changed = _align(molecule, molecules.parse(start)) if start else []
    canvas = rdMolDraw2D.MolDraw2DSVG(WIDTH, HEIGHT)
    options: Any = canvas.drawOptions()  # whose stubs do not know its setters
    options.clearBackground = False
    options.fixedBondLength = 28
    options.updateAtomPalette(DARK)
    rdMolDraw2D.PrepareAndDrawMolecule(canvas, molecule, highlightAtoms=changed)
    canvas.FinishDrawing()
    return figures.svg_uri(canvas.GetDrawingText())


def _align(molecule: Chem.Mol, start: Chem.Mol) -> list[int]:
    """Gives a molecule the coordinates of another; returns its other atoms."""
    shared = rdFMCS.FindMCS(
        [molecule, start],
        timeout=2,
        ringMatchesRingOnly=True,
        completeRingsOnly=True,
    )
    if not shared.numAtoms:
        return []
    pattern = Chem.MolFromSmarts(shared.smartsString)
    rdDepictor.Compute2DCoords(start)
    rdDepictor.GenerateDepictionMatching2DStructure(
        molecule, start, refPatt=pattern, acceptFailure=True
    )
    same = set(molecule.GetSubstructMatch(pattern))
    return [i for i in range(molecule.GetNumAtoms()) if i not in same]


def caption(rows: Outcomes, index: int, unit: str = "") -> list[str]:
    """Writes the target and the prediction of one row.

    Args:
        rows: Test rows of a record.
        index: Index of the row.
        unit: Unit of a regression target.

    Returns:
        Lines of text; of many columns the three that are most wrong.
    """
    guess = rows.predictions[index]
    names = [figures.short(name) for name in rows.names]
    if rows.problem == "classification":
        target = names[int(rows.targets[index, 0])]
        best = f"{names[guess.argmax()]} ({guess.max():.2f})"
        return [f"target {target}", f"predicted {best}"]
    if len(guess) == 1:
        return [f"{text} {unit}".strip() for text in _pair(rows, index, 0)]
    wrong = outcomes.column_errors(rows)[index].filled(-1)
    known = np.argsort(-wrong, kind="stable")[: (wrong >= 0).sum()]
    lines = [
        f"{names[i]}: {', '.join(_pair(rows, index, i))}" for i in known[:3]
    ]
    more = len(known) - len(lines)
    noun = "target" if more == 1 else "targets"
    return lines + ([f"and {more} more {noun}"] if more else [])


def _pair(rows: Outcomes, index: int, column: int) -> tuple[str, str]:
    truth = rows.targets[index, column]
    guess = rows.predictions[index, column]
    if rows.problem == "multilabel":
        return f"target {truth:.0f}", f"predicted {guess:.2f}"
    spread = np.nanstd(rows.targets[:, column])
    exponent = np.floor(np.log10(spread)) if spread > 0 else 0
    decimals = int(np.clip(1 - exponent, 0, 8))
    return f"target {truth:z.{decimals}f}", f"predicted {guess:z.{decimals}f}"
