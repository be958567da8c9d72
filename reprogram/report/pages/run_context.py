"""The content of the page of a run, as plain values for its template."""

from typing import Any

from reprogram.report import record as records
from reprogram.report import statistics
from reprogram.report.pages.base import number

MOST_SOURCES = 12


def facts(record: dict) -> list[tuple[str, str]]:
    """Lists the numbers at the head of the page with their names."""
    saved, metric = statistics.saved(record), record["task"]["metric"]
    listed = []
    if saved is not None:
        value = statistics.estimate(record, saved, metric)
        name = f"{statistics.heading(record, metric)}, {saved['name']}"
        listed.append((value, name))
    counts = {
        "labels to train and select on": record["train_size"],
        "trainable parameters": (saved or {}).get("parameters"),
        "frozen parameters of the source": source_of(record).get("parameters"),
        "test rows": record["task"].get("test_rows"),
    }
    listed += [(f"{n:,}", name) for name, n in counts.items() if n is not None]
    return [*listed, (duration(record["seconds"]), "for the whole run")]


def source_of(record: dict) -> dict:
    """Returns the facts about the source in a record; empty without one."""
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
    saved, best = statistics.saved(record), statistics.best(record)
    names = statistics.metrics(record)
    rows = []
    for model in record["models"]:
        result = None
        if saved is not None and model is not saved:
            result = statistics.compare(record, model)
        rows.append(
            {
                "name": model["name"],
                "kind": model.get("kind") or "",
                "saved": model is saved,
                "best": model is best,
                "cells": [statistics.estimate(record, model, n) for n in names],
                "parameters": records.parameters(model),
                "seconds": records.seconds(model),
                "paired": statistics.paired(record, result) if result else "",
                "verdict": result.verdict if result else "",
            }
        )
    return rows


def frozen(record: dict) -> str:
    """Says if the source stayed the `same`, `changed`, or it is `unknown`."""
    source = source_of(record)
    ends = [source.get(f"fingerprint_{end}") for end in ("before", "after")]
    if not all(ends):
        return "unknown"
    return "same" if ends[0] == ends[1] else "changed"


def mapping_rows(record: dict) -> list[dict[str, Any]]:
    """Lists the label mapping: a target, its sources, and how many more."""
    rows: list[dict[str, Any]] = []
    for target, *sources in record.get("mapping") or []:
        if len(sources) == 1 and isinstance(sources[0], list):
            sources = sources[0]
        shown = [_source(entry) for entry in sources[:MOST_SOURCES]]
        more = len(sources) - len(shown)
        row = {"target": number(target), "sources": shown, "more": more}
        rows.append(row)
    return rows


def _source(entry: Any) -> str:
    parts = entry if isinstance(entry, list) else [entry]
    return " × ".join(map(number, parts))
