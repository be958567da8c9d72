"""Series tasks: files of the UCR and UEA archives."""

import collections
import pathlib
import re
from collections.abc import Callable
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from reprogram import series as lengths
from reprogram.tasks import targets
from reprogram.tasks.rows import build_task
from reprogram.tasks.task import Task

_SIDE = re.compile(r"_(train|test)$", re.IGNORECASE)


class Row(NamedTuple):
    """One series of a file as text, its channels and its label."""

    channels: Sequence[str]
    label: str


def from_file(path: str | pathlib.Path, problem: str = "") -> Task:
    r"""Reads a task from `.ts` or `.tsv` files of the UCR archive.

    Args:
        path: The file. If it is one of `NAME_TRAIN` and `NAME_TEST`, the
            other is found beside it and the two are the given split; `NAME`
            alone stands for both.
        problem: `"classification"` or `"regression"`; empty for what the
            file says.

    Returns:
        The task. Shorter series are filled up with NaN to the length of the
        longest. Row numbers in `dropped` count through both files.

    Raises:
        ValueError: If the file is not in its format.

    Example:
    >>> path = getfixture("tmp_path") / "toy.tsv"
    >>> _ = path.write_text("-1\t0.5\t0.7\n1\t0.1\t0.3\n")
    >>> task = from_file(path)
    >>> task.inputs.shape, task.target_names
    ((2, 2, 1), ('-1', '1'))

    Reference: Dau et al., The UCR Time Series Archive, 2019.
    """
    parts = _parts(pathlib.Path(path))
    rows, sides = [], []
    for side, file in parts:
        found, stated = read(file)
        rows += found
        sides += [side] * len(found)
    series, reasons = stack([row.channels for row in rows])
    labels = [row.label for row in rows]
    return build_task(
        _SIDE.sub("", pathlib.Path(path).stem),
        "series",
        series,
        targets.read({"target": labels}, problem or stated),
        reasons,
        split=sides if len(parts) > 1 else None,
    )


def read(path: str | pathlib.Path) -> tuple[list[Row], str]:
    r"""Reads the rows of one `.ts` or `.tsv` file.

    Args:
        path: The `.ts` or `.tsv` file.

    Returns:
        The rows, with an empty label where the file has none, and the
        problem that the file states.

    Raises:
        ValueError: If the file is not there or not in its format.

    Example:
    >>> path = getfixture("tmp_path") / "toy.ts"
    >>> _ = path.write_text("@classLabel true a b\n@data\n1,2:3,4:a\n")
    >>> read(path)
    ([Row(channels=['1,2', '3,4'], label='a')], 'classification')
    """
    path = pathlib.Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise ValueError(f"There is no file {path}. Check the path.") from error
    except (OSError, UnicodeError) as error:
        raise ValueError(f"{path} is not UTF-8 text: {error}.") from error
    lines = [line.strip() for line in lines]
    lines = [line for line in lines if line and not line.startswith("#")]
    return READERS[path.suffix.casefold()](path, lines)


def stack(
    rows: Sequence[Sequence[str]],
) -> tuple[list[np.ndarray | None], list[str]]:
    """Turns the text of many series into arrays of one shape.

    Args:
        rows: The channels of each series, numbers separated by commas.

    Returns:
        Arrays of shape `(length, channels)`, shorter ones filled up with NaN,
        None where a series cannot be used; and the reasons, empty where
        there is none.

    Example:
    >>> stack([["1,2", "3,4"], ["1,?", "3,4"]])[1]
    ['', 'missing values']
    """
    found = [_numbers(channels) for channels in rows]
    counts = collections.Counter(len(row) for row in found if row)
    channels = max(counts, key=lambda size: counts[size], default=0)
    series, reasons = [], []
    for row in found:
        sizes = sorted({len(channel) for channel in row})
        reason = "not numbers separated by commas" if not row else ""
        if row and len(row) != channels:
            reason = f"{len(row)} channels where others have {channels}"
        elif len(sizes) > 1:
            reason = f"channels of {sizes[0]} to {sizes[-1]} steps"
        elif row and not np.isfinite(row).all():
            reason = "missing values"
        series.append(None if reason else np.stack(row, axis=-1))
        reasons.append(reason)
    return lengths.joined(series), reasons


def _parts(path: pathlib.Path) -> list[tuple[str, pathlib.Path]]:
    name = _SIDE.sub("", path.stem)
    for train, test in (("_TRAIN", "_TEST"), ("_train", "_test")):
        pair = [
            path.with_name(name + side + path.suffix) for side in (train, test)
        ]
        asked = path in pair or not path.exists()
        if asked and all(file.exists() for file in pair):
            return list(zip(("train", "test"), pair))
    return [("", path)]


def _numbers(channels: Sequence[str]) -> list[np.ndarray]:
    try:
        return [
            np.array(text.replace("?", "nan").split(","), "float32")
            for text in channels
        ]
    except ValueError:
        return []


def _read_ts(path: pathlib.Path, lines: Sequence[str]) -> tuple[list[Row], str]:
    header = {}
    for start, line in enumerate(lines, 1):  # noqa: B007, read behind it
        key, _, value = line.casefold().partition(" ")
        header[key] = value.strip()
        if key == "@data":
            break
    if "@data" not in header:
        raise ValueError(
            f"{path} has no line `@data`: not a .ts file of the UCR archive."
        )
    if header.get("@timestamps", "").startswith("true"):
        raise ValueError(
            f"{path} has time stamps, which are not read. Resample the series"
            " to equal steps and save them without."
        )
    regression = header.get("@targetlabel", "").startswith("true")
    labeled = regression or not header.get("@classlabel", "").startswith(
        "false"
    )
    rows = [
        line.split(":") if labeled else [*line.split(":"), ""]
        for line in lines[start:]
    ]
    found = [Row(row[:-1], row[-1]) for row in rows]
    return found, "regression" if regression else "classification"


def _read_tsv(
    path: pathlib.Path, lines: Sequence[str]
) -> tuple[list[Row], str]:
    rows = []
    for line in lines:
        label, _, values = line.partition("\t")
        # The archive pads short series at their end.
        values = re.sub(r"(\tnan)+$", "", values, flags=re.IGNORECASE)
        rows.append(Row([values.replace("\t", ",")], label))
    return rows, "classification"


READERS: dict[str, Callable] = {".ts": _read_ts, ".tsv": _read_tsv}
