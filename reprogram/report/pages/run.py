"""The report of a run: one HTML page that needs nothing else."""

import os

import numpy as np

from reprogram import files
from reprogram.report import outcomes
from reprogram.report import record as records
from reprogram.report import schema
from reprogram.report import statistics
from reprogram.report import trust
from reprogram.report.outcomes import Outcomes
from reprogram.report.pages import figures
from reprogram.report.pages import molecules as examples
from reprogram.report.pages import run_context
from reprogram.report.pages.base import page_template
from reprogram.report.verdict import verdict

MOST_DROPPED = 50
MOST_PANELS = 6


def write(path: str | os.PathLike, record: dict) -> None:
    """Writes the report of a run.

    Args:
        path: Path of the file, usually `report.html` in the run's folder.
        record: Record of a run, see `record.load`.

    Raises:
        ValueError: If the record is not complete.
    """
    files.write_text(path, render(record))


def render(record: dict) -> str:
    """Makes the report of a run as text.

    Args:
        record: Record of a run, see `record.load`.

    Returns:
        An HTML document without scripts and without references to other
        files; everything from the record is escaped.

    Raises:
        ValueError: If the record is not complete.
    """
    record = files.plain({"schema": schema.SCHEMA, **record})
    schema.check(record)
    task, test = record["task"], record.get("test") or {"targets": []}
    rows = outcomes.read(record) if test["targets"] else None
    molecules = {}
    if rows and task["modality"] == "molecule":
        molecules = examples.extremes(record, rows)
    saved, source = statistics.saved(record), run_context.source_of(record)
    kicker = saved["name"] if saved else "Predictors compared"
    if source and saved is statistics.find(record, "reprogrammed"):
        kicker = f"Reprogramming {source['name']}"
    made = f", run of {record['created']}" if record["created"] else ""
    return page_template("run.html").render(
        title=f"{task['name']}: report of a run",
        kicker=kicker[:1].upper() + kicker[1:],
        heading=task["name"],
        verdict=record.get("verdict") or verdict(record),
        facts=run_context.facts(record),
        warnings=record.get("warnings") or (),
        command=record["command"],
        versions=record["versions"],
        made_from=f" from record.json{made}, schema {record['schema']}",
        record=record,
        task=task,
        saved=saved,
        metrics=[
            statistics.heading(record, name)
            for name in statistics.metrics(record)
        ],
        models=run_context.result_rows(record),
        notes=records.notes(record),
        legend=records.legend(record),
        results=_results(record),
        promises=trust.promises(record),
        carried=trust.carried(record),
        tests=_tests(record, rows) if rows else [],
        molecules=molecules,
        mapping=run_context.mapping_rows(record),
        dropped=[
            [row, " ".join(map(str, reasons))]
            for row, *reasons in (task.get("dropped") or [])[:MOST_DROPPED]
        ],
        frozen=run_context.frozen(record),
        source=source,
    )


def _figure(src: str, title: str, alt: str, text: str) -> dict[str, str]:
    return {"src": src, "title": title, "alt": alt, "text": text}


def _results(record: dict) -> list[dict[str, str]]:
    metric = statistics.label(record["task"]["metric"])
    names = ", ".join(model["name"] for model in record["models"])
    spread = ", with 95 % confidence intervals"
    intervals = _figure(
        figures.intervals(record),
        f"{metric[:1].upper()}{metric[1:]} of each model",
        f"{metric} of {names}; the numbers are in the table of results.",
        f"Diamonds: means{spread if len(record['seeds']) > 1 else ''}."
        " Dots: seeds.",
    )
    return [
        intervals,
        *_learning_curves(record.get("history") or []),
        *(record.get("pictures") or []),
    ]


def _learning_curves(history: list[dict]) -> list[dict[str, str]]:
    losses = [
        value
        for entry in history
        for key in ("loss", "val_loss")
        for value in entry.get(key) or []
        if value is not None
    ]
    trained = any(len(entry.get("val_loss") or []) > 1 for entry in history)
    if not trained or not losses:
        return []
    curves = _figure(
        figures.learning_curves(history),
        "Learning curves",
        f"Training and validation loss over the epochs of {len(history)} seeds,"
        f" from {max(losses):.3g} at most to {min(losses):.3g} at least.",
        "Thin lines: seeds of the reprogrammed model. Thick: their mean, up to"
        " the last epoch that all of them reached.",
    )
    return [curves]


def _tests(record: dict, rows: Outcomes) -> list[dict[str, str]]:
    if rows.problem == "regression":
        return [_parity(record, rows)]
    shown = []
    curves = outcomes.roc_curves(rows)
    if curves:
        areas = ", ".join(f"{name} {area:.3f}" for name, *_, area in curves)
        text = "Each class or label against the rest; dashed: chance."
        if len(curves) < len(rows.names) > 2:
            text += f" The {len(curves)} smallest areas of {len(rows.names)}."
        src = figures.roc(curves)
        alt = f"ROC curves; areas under the curves: {areas}."
        shown.append(_figure(src, "ROC curves", alt, text))
    if rows.problem == "classification":
        counts = outcomes.confusion(rows)
        right, total = int(np.trace(counts)), int(counts.sum())
        src = figures.confusion(counts, rows.names)
        alt = f"Confusion matrix: {right} of {total} test rows are right."
        text = f"{right:,} of {total:,} right. Color: share of the true class."
        shown.append(_figure(src, "Confusion matrix", alt, text))
    return shown


def _parity(record: dict, rows: Outcomes) -> dict[str, str]:
    unit = record["task"].get("unit") or ""
    errors = outcomes.rmse(rows)[:MOST_PANELS]
    names = rows.names[:MOST_PANELS]
    figure = figures.parity(
        rows.targets[:, :MOST_PANELS],
        rows.predictions[:, :MOST_PANELS],
        names,
        unit,
    )
    named = [f"{name} {error:.3g}" for name, error in zip(names, errors)]
    values = ", ".join(named) if len(rows.names) > 1 else f"{errors[0]:.3g}"
    sentence = f"RMSE of this seed: {values} {unit}".strip()
    text = f"Dashed: perfect prediction. {sentence}."
    if len(rows.names) > MOST_PANELS:
        text += f" The first {MOST_PANELS} of {len(rows.names)} targets."
    alt = f"Predicted over measured values of the test rows. {sentence}."
    return _figure(figure, "Predicted over measured", alt, text)
