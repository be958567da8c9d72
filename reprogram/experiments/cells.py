"""Predictions as the cells of a table."""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from reprogram.predictors.assessment import Assessment

Task = Mapping[str, Any]  # the entry `task` of a record


def columns(
    task: Task, alerts: Sequence[str] = (), taken: Collection[str] = ()
) -> list[str]:
    """Names the columns of predictions.

    Args:
        task: Entry `task` of a record.
        alerts: Names of catalogs of structural alerts.
        taken: Names that are in use. If a name would be among them, all names
            end in `_2`, or the next number that is free.

    Returns:
        `prediction` with `lower` and `upper`, or with `probability_NAME` and
        `set`, with `_NAME` behind them where there are several targets; for
        molecules `in_domain`, `nearest`, `nearest_id`, `nearest_value`,
        `similarity` and `alerts_NAME`; then `reason`.
    """
    names = list(map(str, task["target_names"]))
    problem, found = task["problem"], []
    if problem == "classification":
        found = ["prediction", *(f"probability_{n}" for n in names), "set"]
    else:
        parts = {
            "regression": ("prediction", "lower", "upper"),
            "multilabel": ("prediction", "probability", "set"),
        }[problem]
        for name in names:
            end = f"_{name}" if len(names) > 1 else ""
            found += [f"{part}{end}" for part in parts]
    if task["modality"] == "molecule":
        found += ["in_domain", "nearest", "nearest_id", "nearest_value"]
        found += ["similarity", *(f"alerts_{name}" for name in alerts)]
    found.append("reason")
    number, free = 1, found
    while not set(free).isdisjoint(taken):
        number += 1
        free = [f"{name}_{number}" for name in found]
    return free


def values(task: Task, found: Assessment, row: int) -> list[str]:
    """Writes the prediction of a row with its interval or set.

    Args:
        task: Entry `task` of a record.
        found: Predictions of several rows.
        row: Number of the row among them.
    """
    scores, names = found.prediction[row], task["target_names"]
    if task["problem"] == "classification":
        inside = [] if found.sets is None else found.sets[row]
        members = [str(n) for n, within in zip(names, inside) if within]
        best = str(names[int(scores.argmax())])
        return [best, *map(_text, scores), " | ".join(members)]
    cells: list[str] = []
    for k, value in enumerate(scores):
        if found.lower is not None and found.upper is not None:
            ends = (value, found.lower[row, k], found.upper[row, k])
            cells += [_text(end) for end in ends]
        elif found.sets is not None:
            members = [str(i) for i in (0, 1) if found.sets[row, k][i]]
            cells += [str(int(value > 0.5)), _text(value), " ".join(members)]
    return cells


def neighbor(
    task: Task,
    training: Mapping[str, tuple[str, str]],
    found: Assessment,
    row: int,
) -> list[str]:
    """Writes whether a molecule is in the domain, and its neighbor.

    Args:
        task: Entry `task` of a record.
        training: Identifier and measured values of the training molecules.
        found: Predictions of several rows.
        row: Number of the row among them.

    Returns:
        Five cells, empty where no training molecules are known; none for
        tasks without molecules.
    """
    if task["modality"] != "molecule":
        return []
    if not found.nearest:
        return [""] * 5
    nearest = found.nearest[row]
    return [
        str(bool(found.in_domain[row])).lower(),
        nearest,
        *training.get(nearest, ("", "")),
        _text(found.similarity[row]),
    ]


def _text(number: float | np.floating) -> str:
    return f"{number:.6g}"
