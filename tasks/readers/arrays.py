"""Images and series to predict for."""

import functools
import pathlib
import zipfile
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np

from reprogram import series as lengths
from reprogram.tasks import images
from reprogram.tasks import series
from reprogram.tasks.arrays import wrong
from reprogram.tasks.readers.rows import Inputs
from reprogram.tasks.readers.rows import Read

Shape = tuple[int, ...]
_UNREADABLE = (
    AttributeError,
    EOFError,
    OSError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
)


def from_folder(path: pathlib.Path, shape: Shape) -> Inputs:
    """Lists the files of a folder and its sub-folders, hidden ones left out.

    Args:
        path: Folder of image files.
        shape: Shape `(height, width, channels)` of the resized images.

    Returns:
        A row for each file.

    Raises:
        ValueError: If there is no file.
    """
    names = [file.relative_to(path) for file in path.rglob("*")]
    names = sorted(
        name
        for name in names
        if (path / name).is_file()
        and not any(part.startswith(".") for part in name.parts)
    )
    if not names:
        raise ValueError(f"There is no file in {path}. Put images into it.")

    def read(files: Sequence[pathlib.Path]) -> Read:
        found, reasons = images.read(files, shape[:2], shape[2])
        return found, _compare(found, reasons, shape)

    rows = [([name.as_posix()], path / name) for name in names]
    return Inputs(["file"], rows, read, 256)


def from_series(
    path: pathlib.Path, shape: Shape, shorter: bool = False
) -> Inputs:
    """Reads the series of a `.ts` or `.tsv` file; labels are not used.

    Args:
        path: The `.ts` or `.tsv` file.
        shape: Shape `(length, channels)` of an input of the run.
        shorter: Whether the run was trained on series of unequal lengths.

    Returns:
        A row for each series.

    Raises:
        ValueError: If the file is not in its format.
    """
    found, _ = series.read(path)

    def read(rows: Sequence[Sequence[str]]) -> Read:
        parts = [series.stack([row]) for row in rows]
        values = [
            None if value is None else _ended(value, shape, shorter)
            for (value,), _ in parts
        ]
        reasons = [reason for _, (reason,) in parts]
        return values, _compare(values, reasons, shape)

    return Inputs(["row"], _numbered(r.channels for r in found), read, 1024)


def from_npz(path: pathlib.Path, shape: Shape, shorter: bool = False) -> Inputs:
    """Reads images or series from an array, alone in its file or named x.

    Args:
        path: The `.npz` file.
        shape: Shape of an input of the run.
        shorter: Whether the run was trained on series of unequal lengths.

    Returns:
        A row for each row of the array.

    Raises:
        ValueError: If there is no such array of numbers, or if images are
            scaled to 1.

    Example:
    >>> path = getfixture("tmp_path") / "a.npz"
    >>> np.savez(path, x=[[1, 2, 3], [4, 5, np.nan]])
    >>> next(from_npz(path, (3, 1)).parts())[2]
    ['', 'missing values']
    """
    array = _array(path)
    highest = np.max(array, initial=0, where=np.isfinite(array))
    if len(shape) == 3 and 0 < highest <= 1:
        raise ValueError(
            f"{path}: images hold values from 0 to 255. Received: values up to"
            f" {highest:g}. Scale them."
        )
    read = functools.partial(_read, shape, shorter)
    return Inputs(["row"], _numbered(array), read, 256)


def _array(path: pathlib.Path) -> np.ndarray:
    try:
        # numpy leaves a broken archive open.
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            names = file.files
            name = "x" if "x" in names or len(names) != 1 else names[0]
            array = file[name] if name in names else np.array("")
    except _UNREADABLE as error:
        raise ValueError(
            f"{path} is not an .npz file of plain arrays: {error}. Save it"
            " with numpy.savez."
        ) from error
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise ValueError(
            f"{path} must hold one array of numbers, or one named x, with a"
            f" row for each input. Received: {', '.join(names)}."
        )
    return array


def _read(shape: Shape, shorter: bool, rows: Sequence[np.ndarray]) -> Read:
    found = [np.asarray(row, "float32") for row in rows]
    found = [r if r.ndim == len(shape) else r[..., None] for r in found]
    found = [_ended(row, shape, shorter) for row in found]
    reasons = [_wrong(row, len(shape) == 3, shorter) for row in found]
    return found, _compare(found, reasons, shape)


def _ended(x: np.ndarray, shape: Shape, shorter: bool) -> np.ndarray:
    fits = x.ndim == 2 and len(x) < shape[0]
    return lengths.ended(x, shape[0]) if shorter and fits else x


def _wrong(values: np.ndarray, image: bool, shorter: bool) -> str:
    if not shorter and not np.isfinite(values).all():
        return "missing values"
    if wrong(values):
        return wrong(values)
    low, high = values.min(initial=0), values.max(initial=0)
    if image and (low < 0 or high > 255):
        return f"values from {low:g} to {high:g} where images have 0 to 255"
    return ""


def _compare(
    found: Sequence[np.ndarray | None], reasons: Sequence[str], shape: Shape
) -> list[str]:
    return [
        reason
        if reason or value is None or value.shape == shape
        else _differ(value.shape, shape)
        for value, reason in zip(found, reasons)
    ]


def _differ(received: Shape, expected: Shape) -> str:
    sizes = [" x ".join(map(str, shape)) for shape in (received, expected)]
    return f"{sizes[0]} values where the run was trained on {sizes[1]}"


def _numbered(values: Iterable) -> Iterator[tuple[list[str], object]]:
    return (([str(row)], value) for row, value in enumerate(values, 1))
