"""The record of a run: saved, loaded, and shown as a table."""

import json
import math
import os
import pathlib

import numpy as np

from reprogram import files
from reprogram.report import schema
from reprogram.report import statistics
from reprogram.report import trust
from reprogram.report.statistics import interval as interval
from reprogram.report.verdict import verdict as verdict


def save(path: str | os.PathLike, record: dict) -> None:
    """Checks a record and writes it as JSON, whole or not at all.

    Args:
        path: Path of the file, usually `record.json` in the run's folder.
        record: Dict with the fields of `record.schema.json`; NumPy values are
            converted and NaN becomes null. `schema` is filled in, and so is
            `verdict` where it is missing.

    Raises:
        TypeError: If a value cannot be written as JSON.
        ValueError: If a field is missing or wrong.
    """
    record = files.plain({"schema": schema.SCHEMA, **record})
    schema.check(record)
    record["verdict"] = record.get("verdict") or verdict(record)
    files.write_text(path, json.dumps(record, indent=1, allow_nan=False) + "\n")


def load(path: str | os.PathLike) -> dict:
    """Reads and checks a record.

    Args:
        path: Path of a `record.json`, or of the run's folder that holds it.

    Returns:
        The record.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not JSON or not a complete record.
    """
    path = pathlib.Path(path)
    path = path / "record.json" if path.is_dir() else path
    if not path.exists():
        raise FileNotFoundError(
            f"No record at {path}. Give the folder of a finished run, or its"
            " record.json."
        )
    try:
        record = files.plain(json.loads(path.read_text("utf-8")))
        schema.check(record)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is not JSON ({error}). It was changed or cut off after"
            " it was written; run again."
        ) from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return record


def table(record: dict) -> str:
    """Writes the results as a table for the terminal.

    Args:
        record: Record of a run; its `seeds`, `task` and `models` are read.

    Returns:
        Lines of text, the verdict first. Only the headline metric has
        intervals, for want of space. `*` marks its best mean; the lines below
        say which models that is not shown to beat, why a value is n/a, and
        what the saved model says of itself, see `trust`.

    Example:
    >>> models = [{"name": "linear probe", "metrics": {"rmse": [0.5]}}]
    >>> task = {"name": "nav17", "metric": "rmse"}
    >>> text = table({"seeds": [0], "task": task, "models": models})
    >>> print(text.splitlines()[3])
    * linear probe          0.500                     -        -
    """
    names = statistics.metrics(record)
    seeds = _count(len(record["seeds"]), "seed")
    rows = [["  model", *(f"{name} ({seeds})" for name in names)]]
    rows[0] += ["trainable parameters", "seconds"]
    best = statistics.best(record)
    for model in record["models"]:
        row = [("* " if model is best else "  ") + _line(model["name"])]
        row += [
            statistics.estimate(record, model, name, name != names[0])
            for name in names
        ]
        rows.append([*row, parameters(model), seconds(model)])
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [_line(record.get("verdict") or verdict(record))]
    lines += [_line(f"{record['task']['name']}: {legend(record)}")]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    about = [_line(line) for line in trust.lines(record)]
    return "\n".join([*lines, *notes(record), *about])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def parameters(model: dict) -> str:
    """Writes the number of trainable parameters; `-` where it is unknown."""
    number = model.get("parameters")
    return "-" if number is None else f"{number:,}"


def seconds(model: dict) -> str:
    """Writes the mean number of seconds a seed; `-` where it is unknown."""
    mean, _ = interval(model.get("seconds") or [])
    return "-" if math.isnan(mean) else f"{mean:.1f}"


def _missing(values: np.ndarray) -> str:
    lost = int(np.isnan(values).sum())
    some = 0 < lost < len(values)
    return f"is missing for {lost} of {len(values)} seeds" if some else "is n/a"


def legend(record: dict) -> str:
    """Explains the numbers of a table."""
    metric = record["task"]["metric"]
    lower = statistics.direction(metric) < 0
    text = "mean over seeds (its 95 % confidence interval, within the range of"
    text += " the metric)"
    if len(record["seeds"]) == 1:
        text = "one seed, so no confidence intervals over seeds"
    shares = [n for n in statistics.metrics(record) if n in statistics.SHARES]
    if shares and record["task"].get("test_rows"):
        text += f"; {shares[0]}: at least Wilson's interval for the test rows"
    name = statistics.heading(record, metric)
    return f"{text}; {name}: {'lower' if lower else 'higher'} is better"


def notes(record: dict) -> list[str]:
    """Says what the best mean is worth, and why values are missing."""
    best = statistics.best(record)
    lines = []
    if best and len(record["seeds"]) == 1:
        lines.append("* best value; one seed cannot tell it from chance")
    elif best:
        results = [
            statistics.compare(record, model, best)
            for model in record["models"]
            if model is not best
        ]
        rivals = [r.baseline for r in results if r.verdict != "better"]
        meaning = "better than every other model, paired over seeds"
        meaning = meaning if results else "there is no other model"
        if rivals:
            meaning = f"not shown to be better than {'; '.join(rivals)}"
        lines.append(f"* best mean; {meaning}")
    for name in statistics.metrics(record):
        for model in record["models"]:
            why = statistics.reason(model, name)
            if why:
                share = _missing(statistics.scores(model, name))
                lines.append(f"{name} of {model['name']} {share}: {why}")
    return [_line(line) for line in lines]
