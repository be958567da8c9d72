"""The page of a search for molecules."""

import collections
import pathlib
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from reprogram import files
from reprogram.report.pages.base import page_template
from reprogram.report.pages.figures import ACCENT
from reprogram.report.pages.figures import MUTED
from reprogram.report.pages.figures import drawn
from reprogram.report.pages.figures import row_of
from reprogram.report.pages.molecule_grid import entries
from reprogram.report.pages.molecule_grid import results_sdf
from reprogram.report.pages.molecule_grid import results_table
from reprogram.report.pages.molecules import drawing

MOST_CARDS = 60
MOST_CURVES = 200
SEARCHED = 12  # molecules that are drawn of a search without a start


def write(
    results: Sequence[dict],
    wanted: str,
    names: Sequence[str],
    plan: dict,
    folder: pathlib.Path,
) -> None:
    """Writes `results.csv`, `results.sdf` and `optimization.html`.

    Args:
        results: Results of the starts, as returned by `optimization.optimize`.
        wanted: Description of the objective in a sentence.
        names: Names of the properties of the objective.
        plan: Dict of the fields of the `Plan` and the `command` of the run.
        folder: Path of the folder of the run.
    """
    files.write_text(folder / "results.csv", results_table(results, names))
    files.write_text(folder / "results.sdf", results_sdf(results))
    text = page(results, wanted, names, plan)
    files.write_text(folder / "optimization.html", text)


def page(
    results: Sequence[dict], wanted: str, names: Sequence[str], plan: dict
) -> str:
    """Makes the page as text, see `write`."""
    used = [result for result in results if not result["reason"]]
    shown = [result for result in used if result["smiles"]][:MOST_CARDS]
    verdict, *lines = summary(results, names)
    calls = sum(result["calls"] for result in results)
    unknown = sum(result.get("unknown", 0) for result in results)
    return page_template("optimization.html").render(
        title="Optimized molecules",
        heading="Optimized molecules",
        kicker=wanted,
        verdict=verdict,
        facts=[
            (f"{len(results):,}", "starts"),
            (f"{calls:,}", "calls in all"),
            (f"{unknown:,}", "calls without a value"),
            (plan["search"], f"search, seed {plan['seed']}"),
            (f"{plan['budget']:,}", "calls a start at most"),
        ],
        command=plan.get("command", ""),
        versions=files.versions(),
        made_from=" from ledger.db, which holds every call, its value and time",
        lines=lines,
        proposers=_paid(used),
        curves=_curves(used, names) if used else None,
        change=_change(shown, names) if shown else None,
        properties=names,
        floors=[
            [row["name"], row["feasible"], row["count"], *row["means"]]
            for row in _floors(used, names)
        ],
        refused=[(r["start"], r["reason"]) for r in results if r["reason"]],
        groups=[_group(result) for result in shown],
        count=len(results),
    )


def _paid(results: Sequence[dict]) -> list[str]:
    """States the share of each proposer in the calls and the best molecules."""
    asked: collections.Counter[str] = collections.Counter()
    made: collections.Counter[str] = collections.Counter()
    for result in results:
        asked.update(result.get("proposers", {}))
        tops = (entry.get("proposer") for entry in result.get("top", []))
        made.update(name for name in tops if name)
    return [
        f"{name}: {count:,} calls ({count / asked.total():.0%}),"
        f" {made[name] / max(made.total(), 1):.0%} of the best molecules"
        for name, count in asked.most_common()
    ]


def _floors(results: Sequence[dict], names: Sequence[str]) -> list[dict]:
    tricks = dict.fromkeys(n for r in results for n in r.get("floors") or {})
    rows = []
    for name in tricks:
        tries = [r["floors"][name] for r in results if r.get("floors")]
        values = [[f["values"][n] for n in names] for f in tries]
        rows.append(
            {
                "name": name,
                "count": len(tries),
                "feasible": sum(f["feasible"] for f in tries),
                "means": np.mean(np.array(values, float), axis=0).tolist(),
            }
        )
    return rows


@drawn
def _curves(results: Sequence[dict], names: Sequence[str]) -> Figure:
    figure, panels = row_of(names)
    for column, (name, axes) in enumerate(panels):
        for result in results[:MOST_CURVES]:
            points = [(call, row[column]) for call, row in result["curve"]]
            if points:
                points.append((result["calls"], points[-1][1]))
                axes.step(*zip(*points), where="post", color=ACCENT, alpha=0.4)
        axes.set(xscale="log", xlabel="calls", ylabel=f"{name} of the best")
    return figure


@drawn
def _change(results: Sequence[dict], names: Sequence[str]) -> Figure:
    figure, panels = row_of(names)
    for name, axes in panels:
        starts = [(r["start_values"] or {}).get(name) for r in results]
        old = [value for value in starts if value is not None]
        new = [r["values"][name] for r in results]
        bins = np.histogram_bin_edges([*old, *new], 20).tolist()
        axes.hist(new, bins, color=ACCENT, alpha=0.7, label="best molecules")
        if old:
            axes.hist(old, bins, color=MUTED, alpha=0.7, label="starts")
        axes.set(xlabel=name, ylabel="molecules")
        axes.legend()
    return figure


def _group(result: dict) -> list[dict]:
    """The cards of a start and its best molecule, or of the best ones."""
    start = result["start"]
    cards = [_card(start, result["start_values"], "start")] if start else []
    for entry in entries(result)[:SEARCHED]:
        what = f"{entry['calls']} calls"
        if start:
            what += f", similarity {entry['similarity']:.2f}"
        other = start if entry["smiles"] != start else None
        cards.append(_card(entry["smiles"], entry["values"], what, other))
    return cards


def _card(
    smiles: str, values: dict | None, what: str, start: str | None = None
) -> dict:
    known = {n: v for n, v in (values or {}).items() if v is not None}
    text = ", ".join(f"{name} {value:.3g}" for name, value in known.items())
    image = drawing(smiles, start)
    return {"smiles": smiles, "image": image, "lines": [f"{what}: {text}"]}


def summary(results: Sequence[dict], names: Sequence[str]) -> list[str]:
    """Summarizes the results in some lines, beside those of cheap tricks."""
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
        for name in names:
            mean = np.mean([result["values"][name] for result in good])
            lines.append(f"Mean {name}: {mean:.4g}")
    for row in _floors(used, names):
        means = zip(names, row["means"])
        text = ", ".join(f"{name} {mean:.4g}" for name, mean in means)
        lines.append(
            f"Without a search, {row['name']}: {row['feasible']} of"
            f" {row['count']} within the bounds; mean {text}"
        )
    return lines
