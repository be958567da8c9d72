"""Target columns read from text: their problem and their values."""

import dataclasses
import math
import re
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from reprogram.tasks.task import PROBLEMS

MISSING = frozenset({"", "na", "n/a", "nan", "null", "?"})
_BOOLEANS = {"true": 1.0, "false": 0.0}


@dataclasses.dataclass(frozen=True, eq=False)
class Targets:
    """Targets of all rows of a file, with a reason where there is none.

    Args:
        problem: Name of the problem, see `Task`.
        values: Floats of shape `(rows, columns)`, NaN where missing; class
            numbers in one column for classification.
        names: Names of the classes, or of the columns.
        reasons: Reason why each row is left out, empty for usable rows.
    """

    problem: str
    values: np.ndarray
    names: tuple[str, ...]
    reasons: tuple[str, ...]


def number(text: str) -> float:
    """Reads one cell as a number.

    Args:
        text: The cell; empty, NA, N/A, NaN, null and ? mean missing, true
            and false mean 1 and 0.

    Returns:
        The number, NaN where it is missing.

    Raises:
        ValueError: If the cell is neither missing nor a finite number.

    Example:
    >>> number(" 5.48"), number("NA")
    (5.48, nan)
    """
    text = text.strip().casefold()
    if text in MISSING:
        return math.nan
    value = _BOOLEANS[text] if text in _BOOLEANS else float(text)
    if not math.isfinite(value):
        raise ValueError(f"Not a finite number: {text}.")
    return value


def label(text: str) -> str:
    """Spells a class label in one way: `1`, `1.0` and ` 1e0` are one class.

    Args:
        text: The label as written.

    Returns:
        The label as it is named in reports.

    Example:
    >>> label("-1.0000000e+00"), label("01"), label(" active ")
    ('-1', '01', 'active')
    """
    text = text.strip()
    try:
        value = float(text)
    except ValueError:
        return text
    if re.fullmatch(r"[+-]?\d+", text) or not math.isfinite(value):
        return text
    return str(int(value)) if value.is_integer() else repr(value)


def guess(columns: Sequence[Sequence[str]]) -> str:
    """Guesses the problem that target columns pose.

    One column of text, of 0 and 1, or of few different integers is a
    classification; several columns of 0 and 1 are a multilabel problem; the
    rest is a regression.

    Args:
        columns: The cells of each column.

    Returns:
        The name of the problem.

    Example:
    >>> guess([["active", "inactive"]]), guess([["5.1", "4.8", "6.0"]])
    ('classification', 'regression')
    >>> guess([["1", "0"], ["", "1"]])
    'multilabel'
    """
    cells = [
        cell
        for column in columns
        for cell in column
        if cell.strip().casefold() not in MISSING
    ]
    numbers = [value for value in map(_try, cells) if value is not None]
    distinct = set(numbers)
    if len(columns) > 1:
        return "multilabel" if distinct <= {0.0, 1.0} else "regression"
    if 2 * len(numbers) < len(cells):
        return "classification"
    few = max(2, min(10, len(numbers) // 2))
    integers = all(value.is_integer() for value in distinct)
    if integers and len(distinct) <= few:
        return "classification"
    return "regression"


def read(columns: Mapping[str, Sequence], problem: str = "") -> Targets:
    """Reads target columns and names the rows that cannot be used.

    Args:
        columns: The cells of each column by its name.
        problem: Name of the problem; guessed if empty, see `guess`.

    Returns:
        The targets of all rows.

    Raises:
        ValueError: If the problem is unknown or does not fit the columns.

    Example:
    >>> read({"y": ["-1", "1", ""]}).names
    ('-1', '1')
    """
    texts = {
        name: ["" if cell is None else str(cell) for cell in column]
        for name, column in columns.items()
    }
    problem = problem or guess(list(texts.values()))
    if problem not in PROBLEMS:
        raise ValueError(
            f"`problem` must be one of {', '.join(PROBLEMS)}."
            f" Received: {problem!r}."
        )
    if problem != "classification":
        return _numbers(texts, problem)
    if len(texts) != 1:
        raise ValueError(
            "A classification has one target column; several columns are a"
            f" multilabel or a regression problem. Received: {list(texts)}."
        )
    return classes(
        None if cell.strip().casefold() in MISSING else label(cell)
        for cell in next(iter(texts.values()))
    )


def classes(labels: Iterable[str | None]) -> Targets:
    """Numbers the classes: numeric labels by value, then text by alphabet.

    Args:
        labels: The label of each row, taken as it is; None where missing.

    Returns:
        The targets of a classification.

    Example:
    >>> classes(["10", "-1", "9"]).names
    ('-1', '9', '10')
    """
    labels = list(labels)
    names = sorted({name for name in labels if name is not None}, key=_order)
    codes = {name: code for code, name in enumerate(names)}
    numbers = [np.nan if name is None else codes[name] for name in labels]
    values = np.array(numbers, "float64")
    reasons = tuple("empty target" if name is None else "" for name in labels)
    return Targets("classification", values[:, None], tuple(names), reasons)


def _try(text: str) -> float | None:
    try:
        return number(text)
    except ValueError:
        return None


def _numbers(columns: Mapping[str, Sequence[str]], problem: str) -> Targets:
    reasons = [""] * len(next(iter(columns.values())))
    values = np.full((len(reasons), len(columns)), np.nan)
    for column, (name, cells) in enumerate(columns.items()):
        for row, cell in enumerate(cells):
            value = _try(cell)
            if value is None:
                reasons[row] = f"{name} is not a number: {cell!r}"
            elif math.isnan(value):
                continue
            elif problem == "multilabel" and value not in (0, 1):
                reasons[row] = f"{name} is not 0, 1 or empty: {cell!r}"
            else:
                values[row, column] = value
    for row in np.flatnonzero(np.isnan(values).all(axis=1)).tolist():
        reasons[row] = reasons[row] or "empty target"
    return Targets(problem, values, tuple(columns), tuple(reasons))


def _order(name: str) -> tuple[bool, float, str]:
    value = _try(name)
    if value is None or math.isnan(value):
        return (True, 0.0, name)
    return (False, value, name)
