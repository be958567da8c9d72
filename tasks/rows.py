"""Makes tasks of the usable rows of files."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from reprogram.tasks.targets import Targets
from reprogram.tasks.task import Task


def build_task(
    name: str,
    modality: str,
    inputs: Sequence,
    targets: Targets,
    reasons: Sequence[str],
    **fields: Any,
) -> Task:
    """Makes a task of the rows that can be used and lists the others.

    Args:
        name: Name of the task.
        modality: `"molecule"`, `"image"` or `"series"`.
        inputs: One input a row; ignored where the row has a reason.
        targets: Targets of the same rows.
        reasons: Reason why each row is left out, empty for usable rows.
        **fields: Other fields of `Task`; `split` and `identifiers` are for
            all rows.

    Returns:
        The task.

    Raises:
        ValueError: If no row can be used, or there is only one class.

    Example:
    >>> from reprogram.tasks.targets import read
    >>> targets = read({"y": ["0.5", "", "1.5"]})
    >>> rows = ["C", "CC", "CO"]
    >>> build_task("toy", "molecule", rows, targets, [""] * 3).dropped
    ((2, 'empty target'),)
    """
    reasons = [a or b for a, b in zip(reasons, targets.reasons, strict=True)]
    keep = [row for row, reason in enumerate(reasons) if not reason]
    dropped = tuple((row, why) for row, why in enumerate(reasons, 1) if why)
    if not keep:
        found = "; ".join(f"row {row}: {why}" for row, why in dropped[:3])
        raise ValueError(
            f"Task {name!r}: none of the {len(reasons)} rows can be used"
            f" ({found or 'the file has no rows'}). Correct the file."
        )
    values, names = targets.values[keep], targets.names
    if targets.problem == "classification":
        present, codes = np.unique(values[:, 0], return_inverse=True)
        names = tuple(names[int(code)] for code in present)
        values = codes.astype("int64")
    for field in ("split", "identifiers"):
        if fields.get(field) is not None:
            fields[field] = [fields[field][row] for row in keep]
    fields = {"metric": default_metric(targets.problem, names)} | fields
    fields |= {"targets": values, "target_names": names, "dropped": dropped}
    kept: Any = [inputs[row] for row in keep]  # `Task` makes an array of it
    return Task(name, modality, targets.problem, kept, **fields)


def default_metric(problem: str, names: Sequence[str]) -> str:
    """Names the default metric of a problem.

    Args:
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        names: Names of its classes or columns.

    Returns:
        `"rmse"`, `"roc_auc"`, or `"balanced_accuracy"` beyond two classes.

    Example:
    >>> default_metric("classification", ("no", "yes"))
    'roc_auc'
    """
    if problem == "regression":
        return "rmse"
    if problem == "classification" and len(names) > 2:
        return "balanced_accuracy"
    return "roc_auc"
