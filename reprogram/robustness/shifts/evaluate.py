"""Accuracy and calibration under shifts."""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from reprogram.metrics import calibration_error
from reprogram.metrics import share_interval
from reprogram.robustness.checks import checked
from reprogram.robustness.models import Facts
from reprogram.robustness.models import compiled_scores
from reprogram.robustness.threats import Linf

CLEAN = "clean"


@dataclasses.dataclass(frozen=True)
class Row:
    """Accuracy of a model on inputs under one shift.

    Args:
        shift: Name of the shift; `"clean"` for none.
        severity: Integer from 1 to 5; 0 for the clean inputs.
        accuracy: Share of correctly classified samples.
        interval: 95 % Wilson interval of the accuracy.
        calibration_error: Expected calibration error.
        samples: Number of samples.
    """

    shift: str
    severity: int
    accuracy: float
    interval: tuple[float, float]
    calibration_error: float
    samples: int


@dataclasses.dataclass(frozen=True)
class ShiftReport:
    """Accuracy of a model under several shifts.

    Args:
        rows: Results, of the clean inputs first, then of each shift and
            severity.
        warnings: Reasons why the numbers are hard to trust.
    """

    rows: tuple[Row, ...]
    warnings: tuple[str, ...] = ()

    def errors(self) -> dict[str, np.ndarray]:
        """Returns the error of each shift, by severity."""
        names = dict.fromkeys(row.shift for row in self.rows)
        return {
            name: 1.0
            - np.array([r.accuracy for r in self.rows if r.shift == name])
            for name in names
        }

    def mean_corruption_error(
        self, reference: "ShiftReport | None" = None, relative: bool = False
    ) -> float:
        """Returns the mean error over shifts and severities.

        Args:
            reference: Report of another model on the same shifts; the errors of
                each shift are divided by its errors, as in the paper.
            relative: Whether the errors on clean inputs are subtracted first.

        Raises:
            ValueError: If the reference lacks a shift, or makes no error.
        """
        own = self._sums(relative)
        if reference is None:
            counts = [len(e) for n, e in self.errors().items() if n != CLEAN]
            return float(np.sum(list(own.values())) / np.sum(counts))
        other = reference._sums(relative)
        if set(own) != set(other) or min(other.values()) <= 0:
            raise ValueError(
                "The reference must have the same shifts and err on each of"
                f" them. Received: {other}, for {', '.join(own)}."
            )
        return float(np.mean([own[name] / other[name] for name in own]))

    def _sums(self, relative: bool) -> dict[str, float]:
        errors = self.errors()
        clean = float(errors.pop(CLEAN)[0]) if relative else 0.0
        errors.pop(CLEAN, None)
        return {name: float(np.sum(e - clean)) for name, e in errors.items()}


def evaluate(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    shifts: Mapping[str, Callable],
    severities: Sequence[int] = (1, 2, 3, 4, 5),
    bounds: tuple | None = None,
    batch_size: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> ShiftReport:
    """Measures accuracy and calibration under each shift and severity.

    Args:
        model: Function from inputs `(n, ...)` to scores `(n, classes)`.
        x: Inputs `(n, ...)`.
        y: Class ids, `(n,)`.
        shifts: Functions of inputs, `severity` and `seed`, for images also of
            `bounds`, such as `SHIFTS["images"]` or `SHIFTS["series"]`.
        severities: Integers from 1 to 5.
        bounds: Lowest and highest value of an image; leave out for series.
        batch_size: Number of samples in a batch.
        seed: Seed of the random draws of the shifts.
        tell: Function that is called with a line of progress.

    Returns:
        One row for the clean inputs and each shift and severity.

    Raises:
        ValueError: If the inputs do not fit.

    Example:
    >>> from reprogram.robustness.shifts import SHIFTS
    >>> x = np.full((4, 8, 8, 1), 0.4, "float32")
    >>> def model(x):
    ...     return ops.stack([ops.mean(x, (1, 2, 3)), 0.45 + 0 * x[:, 0, 0, 0]],
    ...                      1)
    >>> shifts = {"brightness": SHIFTS["images"]["brightness"]}
    >>> found = evaluate(model, x, np.array([1, 1, 1, 1]), shifts, (1, 5),
    ...                  bounds=(0, 1))
    >>> [(row.severity, row.accuracy) for row in found.rows]
    [(0, 1.0), (1, 0.0), (5, 0.0)]

    Reference: Hendrycks and Dietterich, Benchmarking Neural Network
    Robustness to Common Corruptions and Perturbations, 2019.
    """
    if not shifts or not len(severities):
        raise ValueError("Expected one shift and one severity at least.")
    x, y, facts = checked(model, x, y, Linf(0.0, bounds or _range(x)))
    answer = compiled_scores(model)
    more = {} if bounds is None else {"bounds": bounds}

    def row(name: str, severity: int) -> Row:
        scores = []
        for first in range(0, len(x), batch_size):
            part = x[first : first + batch_size]
            if severity:
                part = shifts[name](
                    part, severity=severity, seed=seed + first, **more
                )
            scores.append(ops.convert_to_numpy(answer(part)))
        found = _row(name, severity, np.concatenate(scores), y, facts)
        if tell is not None:
            tell(f"{name} {severity}: accuracy {found.accuracy:.1%}")
        return found

    rows = [row(CLEAN, 0)]
    rows += [row(name, s) for name in shifts for s in severities]
    warnings = [text for text in facts.warnings if "gradient" not in text]
    return ShiftReport(tuple(rows), tuple(warnings))


def by_group(
    model: Callable, x: np.ndarray, y: np.ndarray, groups: Sequence[Any]
) -> ShiftReport:
    """Measures accuracy in each group, such as scaffolds or years.

    Args:
        model: Function from inputs `(n, ...)` to scores `(n, classes)`.
        x: Inputs `(n, ...)`.
        y: Class ids, `(n,)`.
        groups: Group of each sample, `(n,)`, such as whether its scaffold was
            in the training data, or the year of its measurement.

    Returns:
        One row for all samples and one for each group, in sorted order.

    Raises:
        ValueError: If the inputs do not fit.

    Example:
    >>> x = np.array([[0.1, 0.9], [0.8, 0.2]], "float32")
    >>> found = by_group(lambda x: x, x, np.array([1, 1]), ["old", "new"])
    >>> {row.shift: row.accuracy for row in found.rows}
    {'clean': 0.5, 'new': 0.0, 'old': 1.0}
    """
    x, y, facts = checked(model, x, y, Linf(0.0, _range(x)))
    owners = np.asarray(groups)
    if owners.shape != (len(x),):
        raise ValueError(
            f"`groups` holds one a sample, ({len(x)},). Received shape"
            f" {owners.shape}."
        )
    scores = ops.convert_to_numpy(compiled_scores(model)(x))
    rows = [_row(CLEAN, 0, scores, y, facts)]
    for name in np.unique(owners):
        own = owners == name
        rows.append(_row(str(name), 0, scores[own], y[own], facts))
    return ShiftReport(tuple(rows))


def _row(
    name: str, severity: int, scores: np.ndarray, y: np.ndarray, facts: Facts
) -> Row:
    from scipy import special

    hits = scores.argmax(axis=1) == y
    if facts.answers == "logits":
        scores = special.softmax(scores, axis=1)
    return Row(
        name,
        severity,
        float(hits.mean()),
        share_interval(int(hits.sum()), len(hits)),
        calibration_error(hits, np.clip(scores.max(axis=1), 0, 1)),
        len(hits),
    )


def _range(x: np.ndarray) -> tuple[float, float]:
    low, high = float(np.nanmin(x)), float(np.nanmax(x))
    return low, max(high, low + 1e-6)
