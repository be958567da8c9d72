"""Long work that goes on where an interruption, even a kill, has left it."""

import csv
import hashlib
import importlib.metadata
import io
import json
import math
import os
import pathlib
import platform
import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import numpy as np

Rows = Sequence[Sequence[str]]


def claim(
    folder: str | os.PathLike,
    configuration: dict,
    free: Collection[str] = (),
) -> None:
    """Makes a folder the place of one configuration, in its `flags.json`.

    A folder that holds nothing else can be claimed again.

    Args:
        folder: The folder of a run; made if there is none.
        configuration: Settings that the results depend on, by name.
        free: Names of settings that may differ when the run is resumed.

    Raises:
        ValueError: If the folder belongs to another configuration; the
            message names what differs.

    Example:
    >>> folder = getfixture("tmp_path")
    >>> claim(folder, {"epochs": 5})
    >>> (folder / "results").touch()
    >>> claim(folder, {"epochs": 6})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: ... epochs was 5 and is 6 now. Choose another folder ...
    """
    path = pathlib.Path(folder) / "flags.json"
    now = plain({k: v for k, v in configuration.items() if k not in free})
    if not path.exists() or list(path.parent.iterdir()) == [path]:
        write_text(path, json.dumps(now, indent=1) + "\n")
        return
    then = json.loads(path.read_text("utf-8"))
    differences = [
        f"{name} was {then.get(name)!r} and is {now.get(name)!r} now"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
    if differences:
        raise ValueError(
            f"The folder {folder} holds a run of another configuration:"
            f" {'; '.join(differences)}. Choose another folder for the new"
            " run, or give what was given before to resume the old one."
        )


def check_writable(folder: str | os.PathLike) -> None:
    """Refuses a folder in which nothing can be written, before any work.

    Args:
        folder: The folder, or one that can be made.

    Raises:
        OSError: If it, or what lies above it, is a file or is protected.
    """
    path = pathlib.Path(folder).absolute()
    while not path.exists():
        path = path.parent
    if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK):
        raise OSError(
            f"Nothing can be written into {folder}: {path} is"
            f" {'protected' if path.is_dir() else 'no folder'}. Choose another"
            " folder for the results."
        )


def digest(*arrays: np.ndarray) -> str:
    """Hashes the values and shapes of arrays.

    Args:
        *arrays: Arrays of numbers, or of text as objects.

    Returns:
        The SHA-256 in hexadecimal.

    Example:
    >>> digest(np.arange(3))[:8] == digest(np.arange(1, 4))[:8]
    False
    """
    found = hashlib.sha256()
    for array in map(np.asarray, arrays):
        found.update(f"{array.shape}{array.dtype}".encode())
        text = array.dtype == object
        found.update(
            json.dumps(array.tolist()).encode() if text else array.tobytes()
        )
    return found.hexdigest()


def stamp(path: str | os.PathLike) -> str:
    """Hashes the name, size and time of a file, or of all files of a folder.

    Args:
        path: The file or folder.

    Returns:
        The SHA-256 in hexadecimal.
    """
    path = pathlib.Path(path)
    found = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        about = file.stat()
        if not file.is_dir():
            entry = [str(file), about.st_size, about.st_mtime_ns]
            found.update(json.dumps(entry).encode())
    return found.hexdigest()


def write_table(
    path: str | os.PathLike,
    header: Sequence[str],
    parts: Callable[[int], Iterable[Rows]],
    identity: dict,
    delimiter: str = ",",
    tell: Callable[[str], None] = print,
) -> int:
    """Writes a table part by part; the file appears when it is complete.

    Until then the rows are in `<path>.part`, and `<path>.part.json` says how
    many of them are safe. The next call with the same identity goes on there.

    Args:
        path: Path of the table to write.
        header: Names of the columns.
        parts: Function from a number of rows to skip to an iterator of
            parts of the other rows.
        identity: Settings that the rows depend on, ready for JSON.
        delimiter: Character between the cells.
        tell: Function that receives lines of progress.

    Returns:
        The number of rows.

    Example:
    >>> path = getfixture("tmp_path") / "squares.csv"
    >>> parts = lambda start: ([[str(i), str(i * i)]] for i in range(start, 3))
    >>> write_table(path, ["i", "square"], parts, {}, tell=lambda line: None)
    3
    >>> path.read_text().split()
    ['i,square', '0,0', '1,1', '2,4']
    """
    path = pathlib.Path(path)
    part = path.with_name(f"{path.name}.part")
    notes = path.with_name(f"{part.name}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    rows, size = _safe(part, notes, identity)
    before, start = rows, time.monotonic()
    with open(part, "r+b" if size else "wb") as file:
        file.truncate(size)
        file.seek(size)
        if size:
            tell(f"goes on after the {rows:,} rows of {part}")
        else:
            file.write(_text([header], delimiter))
        for found in parts(rows):
            file.write(_text(found, delimiter))
            file.flush()
            os.fsync(file.fileno())
            rows += len(found)
            safe = {"identity": identity, "rows": rows, "bytes": file.tell()}
            write_text(notes, json.dumps(safe))
            rate = (rows - before) / (time.monotonic() - start)
            tell(f"{rows:,} rows, {rate:,.0f} a second")
    os.replace(part, path)
    notes.unlink(missing_ok=True)
    return rows


def _safe(
    part: pathlib.Path, notes: pathlib.Path, identity: dict
) -> tuple[int, int]:
    """Returns how many rows of a part can be kept, and their bytes."""
    if not part.exists() or not notes.exists():
        return 0, 0
    found = json.loads(notes.read_text("utf-8"))
    whole = part.stat().st_size >= found["bytes"]
    same = found["identity"] == json.loads(json.dumps(identity))
    return (found["rows"], found["bytes"]) if whole and same else (0, 0)


def _text(rows: Rows, delimiter: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerows(rows)
    # File names need not be valid text.
    return text.getvalue().encode("utf-8", "surrogateescape")


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a file so that a reader never sees half of it.

    Args:
        path: The file; its folder is made if there is none.
        text: The content, written as UTF-8.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def plain(value: Any, path: str = "record") -> Any:
    """Turns a record into values that JSON can hold.

    Args:
        value: A record or a part of one; NumPy arrays and scalars, tuples and
            paths are allowed.
        path: The name of this part in error messages.

    Returns:
        A copy made of dict, list, str, int, float, bool and None. NaN and
        infinite numbers become None.

    Raises:
        TypeError: If a part is of any other type.

    Example:
    >>> plain({"rmse": (0.5, float("nan"))})
    {'rmse': [0.5, None]}
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(k): plain(v, f"{path}.{k}") for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v, f"{path}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(
        f"`{path}` cannot be written as JSON. Received: {value!r}"
        f" ({type(value).__name__}). Make it a number, text, list or dict."
    )


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that matter."""
    found = {"python": platform.python_version()}
    for name in ("reprogram", "keras", "tensorflow", "jax", "numpy", "rdkit"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
