"""Long work that goes on where an interruption, even a kill, has left it."""

import csv
import hashlib
import io
import json
import os
import pathlib
import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np

from reprogram.report import record
from reprogram.report import schema

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
        configuration: What the results depend on.
        free: Names in it that may differ when the run is resumed.

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
    now = schema.plain(
        {k: v for k, v in configuration.items() if k not in free}
    )
    if not path.exists() or list(path.parent.iterdir()) == [path]:
        record.write_text(path, json.dumps(now, indent=1) + "\n")
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
        path: The table.
        header: Names of the columns.
        parts: Given a number of rows to leave out, gives the other rows in
            parts.
        identity: What the rows depend on, as JSON can hold it.
        delimiter: What stands between the cells.
        tell: Called with a line of progress.

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
            record.write_text(notes, json.dumps(safe))
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
