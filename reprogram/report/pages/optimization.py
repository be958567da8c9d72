"""The page of a search for molecules."""

import collections
import pathlib
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem import rdFMCS
from rdkit.Chem.Draw import rdMolDraw2D

from reprogram import files
from reprogram.optimization.objective import Objective
from reprogram.report.pages.figures import ACCENT
from reprogram.report.pages.figures import MUTED
from reprogram.report.pages.figures import drawn
from reprogram.report.pages.figures import svg_uri
from reprogram.report.pages.molecule_files import entries
from reprogram.report.pages.molecule_files import structures
from reprogram.report.pages.molecule_files import table
from reprogram.report.pages.run import page_template

MOST_CARDS = 60
MOST_CURVES = 200
SEARCHED = 12  # molecules that are drawn of a search without a start


def write(
    results: Sequence[dict],
    objective: Objective,
    plan: dict,
    folder: pathlib.Path,
) -> None:
    """Writes `results.csv`, `results.sdf` and `optimization.html`.

    Args:
        results: What `molecules.optimization.optimize` returned.
        objective: What was wanted.
        plan: The fields of the `Plan`.
        folder: Where.
    """
    files.write_text(folder / "results.csv", table(results, objective))
    files.write_text(folder / "results.sdf", structures(results))
    files.write_text(
        folder / "optimization.html", page(results, objective, plan)
    )


def page(results: Sequence[dict], objective: Objective, plan: dict) -> str:
    """Makes the page as text, see `write`."""
    used = [result for result in results if not result["reason"]]
    shown = [result for result in used if result["smiles"]][:MOST_CARDS]
    return page_template("optimization.html").render(
        results=results,
        plan=plan,
        wanted=describe(objective),
        properties=objective.properties,
        found=sum(bool(result["smiles"]) for result in results),
        refused=[result for result in results if result["reason"]],
        calls=sum(result["calls"] for result in results),
        unknown=sum(result.get("unknown", 0) for result in results),
        proposers=_paid(used),
        curves=_curves(used, objective) if used else None,
        properties_figure=_change(shown, objective) if shown else None,
        floors=_floors(used, objective),
        cards=[_card(result) for result in shown],
    )


def _paid(results: Sequence[dict]) -> list[str]:
    """Says how much each proposer asked, and how much of the best it made."""
    asked, made = collections.Counter(), collections.Counter()
    for result in results:
        asked.update(result.get("proposers", {}))
        tops = (entry.get("proposer") for entry in result.get("top", []))
        made.update(filter(None, tops))
    return [
        f"{name}: {count:,} calls ({count / asked.total():.0%}),"
        f" {made[name] / max(made.total(), 1):.0%} of the best molecules"
        for name, count in asked.most_common()
    ]


def describe(objective: Objective) -> str:
    """Says what was wanted in a sentence."""
    parts = [f"raise {name}" for name in objective.maximise]
    parts += [f"lower {name}" for name in objective.minimise]
    parts += [f"{n} at least {v:g}" for n, v in objective.at_least.items()]
    parts += [f"{n} at most {v:g}" for n, v in objective.at_most.items()]
    if objective.similarity:
        kind = "counts" if objective.counts else "bits"
        parts.append(
            f"similarity to the start at least {objective.similarity:g} (ECFP4"
            f" {kind})"
        )
    if objective.max_heavy_atoms:
        parts.append(f"at most {objective.max_heavy_atoms} heavy atoms")
    return f"Wanted: {', '.join(parts)}."


def _floors(results: Sequence[dict], objective: Objective) -> list[dict]:
    names = dict.fromkeys(n for r in results for n in r.get("floors") or {})
    rows = []
    for name in names:
        found = [r["floors"][name] for r in results if r.get("floors")]
        values = [[f["values"][p] for p in objective.properties] for f in found]
        rows.append(
            {
                "name": name,
                "count": len(found),
                "feasible": sum(f["feasible"] for f in found),
                "means": np.mean(np.array(values, float), axis=0).tolist(),
            }
        )
    return rows


@drawn
def _curves(results: Sequence[dict], objective: Objective) -> Figure:
    names = objective.properties
    figure = Figure((4.5 * min(len(names), 3), 3), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(names))).ravel()
    for column, (axis, name) in enumerate(zip(axes, names)):
        for result in results[:MOST_CURVES]:
            points = [(call, row[column]) for call, row in result["curve"]]
            if points:
                points.append((result["calls"], points[-1][1]))
                axis.step(*zip(*points), where="post", color=ACCENT, alpha=0.4)
        axis.set(xscale="log", xlabel="calls", ylabel=f"{name} of the best")
    return figure


@drawn
def _change(results: Sequence[dict], objective: Objective) -> Figure:
    names = objective.properties
    figure = Figure((4.5 * min(len(names), 3), 3), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(names))).ravel()
    for axis, name in zip(axes, names):
        old = [
            r["start_values"][name]
            for r in results
            if (r["start_values"] or {}).get(name) is not None
        ]
        new = [r["values"][name] for r in results]
        bins = np.histogram_bin_edges([*old, *new], 20)
        axis.hist(new, bins, color=ACCENT, alpha=0.7, label="found")
        if old:
            axis.hist(old, bins, color=MUTED, alpha=0.7, label="start")
        axis.set(xlabel=name, ylabel="molecules")
        axis.legend()
    return figure


def _card(result: dict) -> list[dict]:
    """Drawings of a start and its best molecule, or of the best ones."""
    shown = entries(result)[:SEARCHED]
    rows = [(result["start"], result.get("start_values"), "start")]
    rows = rows if result["start"] else []
    for entry in shown:
        what = f"{entry['calls']} calls"
        if result["start"]:
            what += f", similarity {entry['similarity']:.2f}"
        rows.append((entry["smiles"], entry["values"], what))
    start = result["start"] and Chem.MolFromSmiles(result["start"])
    found = []
    for smiles, values, what in rows:
        molecule = Chem.MolFromSmiles(smiles)
        known = {n: v for n, v in (values or {}).items() if v is not None}
        text = ", ".join(f"{name} {value:.3g}" for name, value in known.items())
        other = start if start and smiles != result["start"] else None
        image = svg_uri(_draw(molecule, other))
        caption = f"{what}: {text}"
        found.append({"smiles": smiles, "image": image, "caption": caption})
    return found


def _draw(molecule: Chem.Mol, start: Chem.Mol | None) -> str:
    changed = []
    if start is not None:
        shared = rdFMCS.FindMCS(
            [molecule, start],
            timeout=2,
            ringMatchesRingOnly=True,
            completeRingsOnly=True,
        )
        if shared.numAtoms:
            pattern = Chem.MolFromSmarts(shared.smartsString)
            rdDepictor.Compute2DCoords(start)
            rdDepictor.GenerateDepictionMatching2DStructure(
                molecule, start, refPatt=pattern, acceptFailure=True
            )
            same = set(molecule.GetSubstructMatch(pattern))
            changed = [
                a.GetIdx()
                for a in molecule.GetAtoms()
                if a.GetIdx() not in same
            ]
    drawing = rdMolDraw2D.MolDraw2DSVG(280, 220)
    rdMolDraw2D.PrepareAndDrawMolecule(
        drawing, molecule, highlightAtoms=changed
    )
    drawing.FinishDrawing()
    return drawing.GetDrawingText()


def summary(results: Sequence[dict], objective: Objective) -> list[str]:
    """Says in some lines what came out, with the cheap tricks beside it."""
    used = [result for result in results if not result["reason"]]
    good = [result for result in used if result["smiles"]]
    calls = [result["calls"] for result in good]
    lines = [
        f"{len(good)} of {len(results)} starts have a molecule within the"
        f" bounds, {len(results) - len(used)} could not be used."
    ]
    if calls:
        lines.append(
            f"Calls: median {np.median(calls):g}, in all"
            f" {sum(result['calls'] for result in results):,}."
        )
        for name in objective.properties:
            mean = np.mean([result["values"][name] for result in good])
            lines.append(f"Mean {name}: {mean:.4g}")
    for row in _floors(used, objective):
        means = zip(objective.properties, row["means"])
        text = ", ".join(f"{name} {mean:.4g}" for name, mean in means)
        lines.append(
            f"Without a search, {row['name']}: {row['feasible']} of"
            f" {row['count']} within the bounds; mean {text}"
        )
    return lines
