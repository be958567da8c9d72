"""The description of a task in a record, and rows a source cannot read."""

import dataclasses
from collections.abc import Callable

import numpy as np

from reprogram.tasks.splits import similarity_report
from reprogram.tasks.task import Task


def describe(task: Task, train: np.ndarray, test: np.ndarray) -> dict:
    """Describes a task and its split.

    Args:
        task: Task to describe.
        train: Row numbers of the training side.
        test: Row numbers of the test side.

    Returns:
        The entry `task` of a record; for molecules with the similarity of the
        test side to the training side.
    """
    fields = ("name", "modality", "problem", "metric", "unit")
    found = {field: getattr(task, field) for field in fields}
    molecules = task.modality == "molecule"
    return found | {
        "target_names": list(task.target_names),
        "rows": len(task.inputs),
        "train_rows": len(train),
        "test_rows": len(test),
        "dropped": [list(row) for row in task.dropped],
        "similarity": (
            similarity_report(task.inputs[train], task.inputs[test])
            if molecules
            else {}
        ),
        "citation": task.citation,
        "licence": task.licence,
    }


def readable(
    task: Task, explain: Callable[[object], str] | None
) -> tuple[Task, list[str]]:
    """Leaves out the rows that a source cannot read.

    Args:
        task: Task whose rows are checked.
        explain: Function from an input to the reason why it cannot be
            read, empty if it can be read; `None`
            if the source reads everything.

    Returns:
        The task without these rows, and the reasons.

    Raises:
        ValueError: If nothing is left.
    """
    if explain is None:
        return task, []
    reasons = [explain(row) for row in task.inputs]
    keep = np.array([not reason for reason in reasons])
    if not keep.any():
        raise ValueError(
            f"The source reads none of the {len(keep)} rows of"
            f" {task.name!r}. The first: {reasons[0]}"
        )
    split = None if task.split is None else task.split[keep]
    names = task.identifiers
    kept = dataclasses.replace(
        task,
        inputs=task.inputs[keep],
        targets=task.targets[keep],
        split=split,
        identifiers=None if names is None else names[keep],
    )
    return kept, [reason for reason in reasons if reason]
