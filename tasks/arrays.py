"""Image and series tasks from the arrays of an `.npz` file."""

import pathlib
import warnings
import zipfile
from collections.abc import Mapping

import numpy as np

from reprogram import series as lengths
from reprogram.tasks import splits
from reprogram.tasks import targets
from reprogram.tasks.rows import build_task
from reprogram.tasks.task import Task

_PATTERNS = (
    ("{prefix}x_{side}", "{prefix}y_{side}"),
    ("{prefix}{side}_images", "{prefix}{side}_labels"),
    ("{prefix}x", "{prefix}y"),
)
_UNREADABLE = (
    AttributeError,
    EOFError,
    OSError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
)
Part = tuple[str, np.ndarray, np.ndarray]


def from_npz(
    path: str | pathlib.Path,
    prefix: str = "",
    modality: str = "",
    problem: str = "",
) -> Task:
    """Reads a task from the arrays of an `.npz` file.

    Args:
        path: A file with `x_train`, `y_train`, `x_test` and `y_test`; with
            `train_images`, `train_labels` and so on; or with `x` and `y`.
            Validation arrays count as training rows.
        prefix: Text in front of these names, without the last `_`.
        modality: `"image"` for `(rows, height, width[, channels])`, `"series"`
            for `(rows, length[, channels])`. Guessed where it is empty:
            images have four axes, or three and bytes.
        problem: Name of the problem, see `Task`; guessed if empty.

    Returns:
        The task. Row numbers in `dropped` count through all arrays.

    Raises:
        ValueError: If the arrays are missing or do not fit together.

    Example:
    >>> path = getfixture("tmp_path") / "toy.npz"
    >>> np.savez(path, x=np.eye(4), y=[-1, 1, 1, -1])
    >>> task = from_npz(path)
    >>> task.modality, task.inputs.shape, task.target_names
    ('series', (4, 4, 1), ('-1', '1'))
    """
    path = pathlib.Path(path)
    parts = _parts(path, prefix)
    try:
        x = np.concatenate([x for _, x, _ in parts])
        y = np.concatenate([y.reshape(len(y), -1) for _, _, y in parts])
    except ValueError as error:
        raise ValueError(
            f"The arrays of {path} do not fit together: {error}."
        ) from error
    inputs, modality = _inputs(path, x, modality)
    sides = [side for side, x, _ in parts for _ in x]
    return build_task(
        f"{path.stem}-{prefix}" if prefix else path.stem,
        modality,
        list(inputs),
        _targets(y, problem),
        [wrong(row) for row in inputs],
        split=sides if any(sides) else None,
    )


def wrong(values: np.ndarray) -> str:
    """Says whether values are missing, apart from the end of a series."""
    try:
        if values.ndim == 2:
            lengths.known(values[None])
        elif not np.isfinite(values).all():
            return "missing values"
    except ValueError:
        return "missing values"
    return ""


def _parts(path: pathlib.Path, prefix: str) -> list[Part]:
    try:
        # numpy leaves a broken archive open.
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            names = file.files
            parts = _find(file, f"{prefix}_" if prefix else "")
    except FileNotFoundError as error:
        raise ValueError(f"There is no file {path}. Check the path.") from error
    except _UNREADABLE as error:
        raise ValueError(
            f"{path} is not an .npz file of plain arrays: {error}. Save it"
            " with numpy.savez; fill shorter series up with NaN."
        ) from error
    if not parts:
        raise ValueError(
            f"{path} needs the arrays x_train, y_train, x_test and y_test, or"
            f" x and y, after the `prefix` {prefix!r}. Received:"
            f" {', '.join(names)}."
        )
    for side, x, y in parts:
        if not x.ndim or not y.ndim or len(x) != len(y):
            raise ValueError(
                f"{path}: {side or 'x'} has inputs of shape {x.shape} and"
                f" targets of shape {y.shape}; as many rows are needed."
            )
    return parts


def _find(file: Mapping[str, np.ndarray], prefix: str) -> list[Part]:
    for inputs, labels in _PATTERNS:
        sides = splits.SIDES if "{side}" in inputs else {"": ""}
        parts = []
        for name, side in sides.items():
            x = inputs.format(prefix=prefix, side=name)
            y = labels.format(prefix=prefix, side=name)
            if x in file and y in file:
                parts.append((side, file[x], file[y]))
        if parts:
            return parts
    return []


def _inputs(
    path: pathlib.Path, x: np.ndarray, modality: str
) -> tuple[np.ndarray, str]:
    guessed = x.ndim == 4 or (x.ndim == 3 and x.dtype == np.uint8)
    modality = modality or ("image" if guessed else "series")
    rank = {"series": 3, "image": 4}.get(modality)
    if (
        rank is None
        or x.ndim not in (rank - 1, rank)
        or x.dtype.kind not in "biuf"
    ):
        raise ValueError(
            f"{path}: series are numbers of shape (rows, length[, channels]),"
            " images of shape (rows, height, width[, channels])."
            f" Received: {x.dtype} {x.shape} as {modality}."
        )
    x = x if x.ndim == rank else x[..., None]
    if modality == "series" and x.shape[2] > x.shape[1]:
        warnings.warn(
            f"{path} has series of {x.shape[1]} steps in {x.shape[2]} channels."
            " If it is the other way round, save them transposed.",
            stacklevel=3,
        )
    return x.astype("float32"), modality


def _targets(y: np.ndarray, problem: str) -> targets.Targets:
    whole = y.dtype.kind != "f" or (y[np.isfinite(y)] % 1 == 0).all()
    if y.shape[1] == 1:
        problem = problem or ("classification" if whole else "regression")
        return targets.read({"y": y[:, 0].astype(str).tolist()}, problem)
    columns = {
        f"y{i}": column.astype(str).tolist() for i, column in enumerate(y.T, 1)
    }
    return targets.read(columns, problem)
