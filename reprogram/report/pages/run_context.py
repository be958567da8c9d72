"""What the page of a run says, as plain values for its template."""

import math
from typing import Any

from reprogram.report import record as records
from reprogram.report import statistics
from reprogram.report.pages.base import number
from reprogram.report.statistics import Comparison

MOST_SOURCES = 12
LEAST_SHARE = 0.01  # of the vote, for a part that the page names

PHRASES = {
    "better": "better than the",
    "worse": "worse than the",
    "no difference seen": "no difference seen from the",
    "not decided": "not decided against the",
}
DATA = {
    "modality": "modality",
    "problem": "problem",
    "rows": "rows",
    "train_rows": "training rows to draw from",
    "test_rows": "test rows",
    "licence": "licence",
    "citation": "citation",
}


def answers(record: dict) -> list[dict[str, str]]:
    """Compares the saved model with its baselines.

    Args:
        record: A record.

    Returns:
        A dict for each of the trivial baseline, the linear probe and the best
        of the other models: `verdict`, `text`, and `detail`, the paired
        difference over seeds with its interval. Empty without a saved model.
    """
    ours = statistics.saved(record)
    if ours is None:
        return []
    roles = ("trivial", "probe")
    baselines = [statistics.find(record, role) for role in roles]
    taken = [ours, *baselines]
    others = [model for model in record["models"] if model not in taken]
    baselines.append(statistics.best({**record, "models": others}))
    return [
        _answer(record, statistics.compare(record, baseline))
        for baseline in baselines
        if baseline and baseline is not ours
    ]


def _answer(record: dict, result: Comparison) -> dict[str, str]:
    return {
        "verdict": result.verdict,
        "text": f"{PHRASES[result.verdict]} {result.baseline}",
        "detail": result.reason or difference(record, result),
    }


def difference(record: dict, result: Comparison) -> str:
    """Writes a paired difference in the headline metric with its interval."""
    metric = record["task"]["metric"]
    style = statistics.number_format(record, metric)
    sign = "lower" if result.difference < 0 else "higher"
    size = f"{abs(result.difference):{style}} ± {result.half_width:{style}}"
    text = f"{statistics.label(metric)} {sign} by {size}"
    return f"{text} {statistics.unit(record, metric)}".strip()


def facts(record: dict) -> list[tuple[str, str]]:
    """Lists the numbers at the head of the page, each with what it is."""
    ours = statistics.saved(record)
    metric = record["task"]["metric"]
    listed = []
    if ours is not None:
        unit = statistics.unit(record, metric)
        name = f"{statistics.label(metric)}, {ours['name']}"
        value = statistics.estimate(record, ours, metric)
        listed.append((value, f"{name} [{unit}]" if unit else name))
    counts = {
        "labels to train and select on": record["train_size"],
        "trainable parameters": record.get("trainable_parameters"),
        "frozen parameters of the source": source_of(record).get("parameters"),
        "test rows": record["task"].get("test_rows"),
    }
    listed += [(f"{n:,}", name) for name, n in counts.items() if n is not None]
    return [*listed, (duration(record["seconds"]), "for the whole run")]


def source_of(record: dict) -> dict:
    """Returns what a record says of the source; empty without one."""
    return record.get("source") or {}


def duration(seconds: float) -> str:
    """Writes a duration in the unit that a reader would choose."""
    if seconds < 90:
        return f"{seconds:.1f} s"
    if seconds < 5400:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def result_rows(record: dict) -> list[dict[str, Any]]:
    """Lists the rows of the table of results, one a model."""
    ours, best = statistics.saved(record), statistics.best(record)
    names = statistics.metrics(record)
    style = statistics.number_format(record, names[0])
    rows = []
    for model in record["models"]:
        row = {
            "name": model["name"],
            "kind": model.get("kind") or "",
            "saved": model is ours,
            "best": model is best,
            "cells": [statistics.estimate(record, model, n) for n in names],
            "parameters": records.parameters(model),
            "seconds": records.seconds(model),
            "paired": "",
            "verdict": "",
        }
        if ours is not None and model is not ours:
            result = statistics.compare(record, model)
            row["verdict"] = result.verdict
            row["paired"] = result.reason or _signed(result, style)
        rows.append(row)
    return rows


def _signed(result: Comparison, style: str) -> str:
    size = f"{result.difference:+{style}}".replace("-", "\u2212")
    return f"{size} ± {result.half_width:{style}}"


def promises(record: dict) -> list[tuple[str, str]]:
    """Lists what the saved model says of its own predictions, and if it held.

    Args:
        record: A record, of which the saved model may have the metrics
            `coverage`, `coverage in domain` and `in domain`.

    Returns:
        Pairs of name and text; empty where nothing was promised.
    """
    model = statistics.saved(record)
    if model is None:
        return []
    names = {
        "coverage": "test values that they held",
        "coverage in domain": "held inside the domain",
        "in domain": "test rows inside the domain of the training rows",
    }
    listed = [
        (name, _percent(*statistics.ends(record, model, metric)))
        for metric, name in names.items()
        if metric in model["metrics"]
    ]
    if "coverage" in model["metrics"]:
        kind = "intervals"
        if record["task"]["problem"] == "classification":
            kind = "sets"
        promised = statistics.confidence(record)
        listed.insert(0, (f"promised by the {kind}", _percent(promised)))
    return listed


def _percent(mean: float, low: float = math.nan, high: float = math.nan) -> str:
    if math.isnan(mean):
        return "n/a"
    ends = f" ({100 * low:.1f} to {100 * high:.1f})"
    return f"{100 * mean:.1f} %{'' if math.isnan(low) else ends}"


def carried(record: dict) -> list[tuple[str, list[list]]]:
    """Lists the parts of an ensemble for each target, the largest first."""
    columns = record.get("carried") or []
    names = record["task"].get("target_names") or []
    listed = []
    for place, parts in enumerate(columns):
        name = names[place] if place < len(names) else str(place)
        rows = [
            [part, round(100 * value["share"], 1), value.get("error")]
            for part, value in parts.items()
            if value["share"] >= LEAST_SHARE
        ]
        listed.append((name, sorted(rows, key=lambda row: -row[1])))
    return listed


def frozen(record: dict) -> dict[str, str]:
    """States whether the source is proven to have stayed the same."""
    source = source_of(record)
    before = source.get("fingerprint_before")
    after = source.get("fingerprint_after")
    state = "same" if before == after else "changed"
    if not before or not after:
        state = "unknown"
    return {"state": state, "before": before or "", "after": after or ""}


def about(record: dict) -> dict[str, list[tuple[str, Any]]]:
    """Lists the facts on the data, on the source and on the settings."""
    task, source = record["task"], source_of(record)
    seeds = ", ".join(map(str, record["seeds"]))
    similarity = (task.get("similarity") or {}).items()
    flags = sorted(record["flags"].items())
    return {
        "data": [(name, task.get(key)) for key, name in DATA.items()],
        "similarity": [(k.replace("_", " "), v) for k, v in similarity],
        "source": [
            (key.replace("_", " "), source.get(key))
            for key in (
                *("name", "parameters", "fingerprint_before"),
                *("fingerprint_after", "licence", "citation"),
            )
            if source
        ],
        "settings": [
            ("seed" if len(record["seeds"]) == 1 else "seeds", seeds),
            *((k, "–" if v is None else str(v)) for k, v in flags),
        ],
    }


def mapping_rows(record: dict) -> list[dict[str, Any]]:
    """Lists the label mapping: a target, its sources, and how many more."""
    rows: list[dict[str, Any]] = []
    for target, *sources in record.get("mapping") or []:
        if len(sources) == 1 and isinstance(sources[0], list):
            sources = sources[0]
        shown = [_source(entry) for entry in sources[:MOST_SOURCES]]
        rows.append(
            {
                "target": number(target),
                "sources": shown,
                "more": len(sources) - len(shown),
            }
        )
    return rows


def _source(entry: Any) -> str:
    if isinstance(entry, list):
        return " × ".join(number(part) for part in entry)
    return number(entry)
