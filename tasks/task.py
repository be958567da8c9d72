"""Tasks: inputs, targets, a metric, and the rows left out."""

import dataclasses
from collections.abc import Collection
from typing import Any

import numpy as np

from reprogram import series as lengths

MODALITIES = {
    "molecule": ("(rows,)", object, 1),
    "series": ("(rows, length, channels)", "float32", 3),
    "image": ("(rows, height, width, channels)", "float32", 4),
}
PROBLEMS = ("classification", "multilabel", "regression")


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """Data to learn from, checked once when it is built.

    Args:
        name: Name of the task.
        modality: `"molecule"`, `"image"` or `"series"`.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        inputs: Molecules: standardized SMILES of shape `(rows,)`. Images:
            `(rows, height, width, channels)` in [0, 255]. Series:
            `(rows, length, channels)`.
        targets: Classification: class numbers of shape `(rows,)`. Otherwise
            floats of shape `(rows, columns)`, NaN where a value is missing;
            0 and 1 for multilabel.
        target_names: The names of the classes, or of the columns.
        metric: Name of the metric for selection and for the headline.
        unit: The unit of a regression target.
        dropped: `(row, reason)` of every row left out; the first row is 1.
        split: The given split, `"train"` or `"test"` of shape `(rows,)`.
        citation: Citation of the origin of the data.
        licence: Licence of the data.
        identifiers: Text that names each row, such as an identifier of the
            file or the number of the row, of shape `(rows,)`.
        notes: Guesses made when the data were read, with their reasons.

    Raises:
        ValueError: If the parts do not fit together.

    Example:
    >>> task = Task("toy", "molecule", "regression", ["CO", "CCO"],
    ...             [[-0.8], [-0.3]], ("logP",), "rmse")
    >>> task.targets.shape
    (2, 1)
    """

    name: str
    modality: str
    problem: str
    inputs: np.ndarray
    targets: np.ndarray
    target_names: tuple[str, ...]
    metric: str
    unit: str = ""
    dropped: tuple[tuple[int, str], ...] = ()
    split: np.ndarray | None = None
    citation: str = ""
    licence: str = ""
    identifiers: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check_choice("modality", MODALITIES)
        self._check_choice("problem", PROBLEMS)
        shape, dtype, _ = MODALITIES[self.modality]
        self._set("inputs", _array("inputs", self.inputs, dtype, shape))
        self._set("target_names", tuple(self.target_names))
        if self.problem == "classification":
            self._set("targets", _array("targets", self.targets))
        else:
            targets = _array("targets", self.targets, "float32")
            self._set("targets", targets)
        if self.split is not None:
            self._set("split", _array("split", self.split, str))
        if self.identifiers is not None:
            self._set(
                "identifiers", _array("identifiers", self.identifiers, str)
            )
        self._check_inputs()
        self._check_targets()
        self._check_split()

    def _set(self, field: str, value: object) -> None:
        object.__setattr__(self, field, value)

    def _fail(self, message: str) -> None:
        raise ValueError(f"Task {self.name!r}: {message}")

    def _check_choice(self, field: str, choices: Collection[str]) -> None:
        if getattr(self, field) not in choices:
            self._fail(
                f"`{field}` must be one of {', '.join(choices)}."
                f" Received: {getattr(self, field)!r}."
            )

    def _check_inputs(self) -> None:
        shape, _, rank = MODALITIES[self.modality]
        rows = len(self.inputs) if self.inputs.ndim else 0
        if self.inputs.ndim != rank or not self.inputs.size:
            self._fail(
                f"the inputs of a {self.modality} task have the shape {shape}"
                f" and at least one row. Received: {self.inputs.shape}."
            )
        if self.targets.ndim == 0 or len(self.targets) != rows:
            self._fail(
                f"{rows} inputs need as many targets."
                f" Received targets of shape {self.targets.shape}."
            )
        if self.modality == "molecule":
            if not all(isinstance(row, str) and row for row in self.inputs):
                self._fail("every input must be a SMILES string.")
        elif self.modality == "series":
            try:
                lengths.known(self.inputs)
            except ValueError as error:
                self._fail(str(error))
        elif not np.isfinite(self.inputs).all():
            self._fail("the inputs hold NaN or infinity; leave those rows out.")
        if self.modality == "image":
            self._check_range()

    def _check_range(self) -> None:
        low, high = float(self.inputs.min()), float(self.inputs.max())
        if low < 0 or high > 255 or 0 < high <= 1:
            self._fail(
                "images hold values from 0 to 255. Received: values from"
                f" {low:g} to {high:g}. Scale them."
            )

    def _check_targets(self) -> None:
        columns = len(self.target_names)
        if self.problem == "classification":
            return self._check_classes(columns)
        if self.targets.ndim != 2 or self.targets.shape[1] != columns:
            self._fail(
                f"{self.problem} targets have the shape (rows, {columns}), a"
                " column for each of `target_names`. Received:"
                f" {self.targets.shape}."
            )
        missing = np.isnan(self.targets)
        if missing.all(axis=1).any():
            self._fail("some rows have no target at all; leave them out.")
        found = self.targets[~missing]
        if not np.isfinite(found).all():
            self._fail("the targets hold infinity; NaN is a missing value.")
        if self.problem == "multilabel" and not np.isin(found, (0, 1)).all():
            self._fail("multilabel targets are 0, 1 or NaN (missing).")
        if len(np.unique(found)) < 2:
            self._fail(
                "the targets have fewer than two different values, so there"
                f" is nothing to learn. Received: {np.unique(found)}."
            )
        return None

    def _check_classes(self, classes: int) -> None:
        if self.targets.ndim != 1 or self.targets.dtype.kind not in "iu":
            self._fail(
                "classification targets are integers of shape (rows,)."
                f" Received: {self.targets.dtype} {self.targets.shape}."
            )
        self._set("targets", self.targets.astype("int64"))
        found = np.unique(self.targets)
        if found[0] < 0 or found[-1] >= classes:
            self._fail(
                f"with {classes} target names the targets run from 0 to"
                f" {classes - 1}. Received: {found[0]} to {found[-1]}."
            )
        if len(found) < 2:
            self._fail(
                "all rows belong to one class"
                f" ({self.target_names[found[0]]}); at least two are needed."
            )

    def _check_split(self) -> None:
        if self.split is None:
            return
        if (
            self.split.shape != self.targets.shape[:1]
            or not np.isin(self.split, ("train", "test")).all()
        ):
            self._fail(
                "`split` says train or test for each of the"
                f" {len(self.targets)} rows. Received: {self.split.shape} with"
                f" {', '.join(map(str, np.unique(self.split)[:5]))}."
            )


def _array(
    field: str,
    value: Any,
    dtype: Any = None,
    shape: str = "of numbers, a row for each input",
) -> np.ndarray:
    try:
        return np.asarray(value, dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The {field} of a task are an array {shape}. Received something"
            f" that is not: {error}"
        ) from error
