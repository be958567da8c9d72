"""Tables of `benchmarks.molecules`: means, ranks and published scores."""

import csv
import pathlib
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from benchmarks import molecule_cells as cells


def figures(
    suite: str, done: list[dict], reference: pathlib.Path
) -> Iterator[dict]:
    """All figures of a suite, the ranks last."""
    from reprogram.report import record

    table: dict = defaultdict(lambda: defaultdict(dict))
    trust: dict = defaultdict(list)
    for cell in done:
        key = (cell["size"], cell["task"], cell["metric"])
        table[key][cell["model"]][cell["seed"]] = cell[cell["metric"]]
        if cell.get("coverage") is not None:
            trust[cell["size"], cell["model"]].append(cell["coverage"])
        if "cliff_rmse" in cell:
            steep = (cell["size"], cell["task"], "cliff_rmse")
            table[steep][cell["model"]][cell["seed"]] = cell["cliff_rmse"]
    for (size, task, metric), rows in table.items():
        best = published(suite, task, metric, reference)
        for model, values in rows.items():
            mean, half = record.interval(list(values.values()))
            yield {
                "name": f"{task}, {size or 'all'} labels, {model}",
                "value": mean,
                "half_width": half,
                "deviation": float(np.std(list(values.values()), ddof=1))
                if len(values) > 1
                else None,
                "seeds": len(values),
                "unit": metric,
                "published": best,
            }
    yield from means(table)
    yield from ranks(table)
    for (size, model), values in trust.items():
        yield {
            "name": f"coverage at 0.9, {size or 'all'} labels, {model}",
            "value": float(np.mean(values)),
            "unit": "share",
        }


def ranks(table: dict) -> Iterator[dict]:
    """Mean rank of each model over the tasks of a size; 1 is the best."""
    from scipy.stats import rankdata

    for size in sorted({key[0] for key in table}):
        rows = {k: v for k, v in table.items() if k[0] == size}
        rows = {k: v for k, v in rows.items() if k[2] != "cliff_rmse"}
        shared = set.intersection(*(set(v) for v in rows.values()))
        names = sorted(shared)
        found = []
        for (_, _, metric), models in rows.items():
            values = [np.mean(list(models[name].values())) for name in names]
            sign = -1 if cells.METRICS[metric] == "higher" else 1
            found.append(rankdata(sign * np.array(values)))
        for name, value in zip(names, np.mean(found, axis=0)):
            yield {
                "name": f"mean rank, {size or 'all'} labels, {name}",
                "value": float(value),
                "unit": f"of {len(names)} models, {len(rows)} tasks",
            }


def means(table: dict) -> Iterator[dict]:
    """Means over the tasks of one metric, where there are several."""
    groups: dict = defaultdict(list)
    for (size, _, metric), models in table.items():
        for model, values in models.items():
            mean = np.mean(list(values.values()))
            groups[size, metric, model].append(mean)
    for (size, metric, model), values in groups.items():
        if len(values) > 1:
            yield {
                "name": f"mean of {len(values)} tasks, {size or 'all'} labels,"
                f" {model}",
                "value": float(np.mean(values)),
                "unit": metric,
            }


def published(suite: str, task: str, metric: str, folder: pathlib.Path) -> list:
    """The three best published scores, each a model and its value."""
    files = {
        "tdc": ("TDC_ADMET_Benchmark_Performance_by_Model.csv", "Dataset"),
        "moleculeace": ("moleculeace_results.csv", "dataset"),
    }
    if suite not in files or not (folder / files[suite][0]).exists():
        return []
    name, column = files[suite]
    with open(folder / name, encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r[column] == task]
    if suite == "tdc":
        pairs = [(r["Model"], r["Score_Mean"]) for r in rows]
    else:
        pairs = [
            (f"{r['algorithm']} {r['descriptor']}", r[metric]) for r in rows
        ]
    pairs = [(model, float(value)) for model, value in pairs if value]
    sign = -1 if cells.METRICS.get(metric) == "higher" else 1
    return sorted(pairs, key=lambda pair: sign * pair[1])[:3]
