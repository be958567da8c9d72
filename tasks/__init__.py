'''Tasks: data, targets and a metric, ready to split and to learn from.

`load` takes the name of a task that ships with the project (`TASKS`), a table
of molecules (`.csv`), a folder of images, series (`.ts`, `.tsv`), arrays
(`.npz`), or a Python file of your own whose `load()` returns a `Task`:

```python
"""Which of my molecules dissolve: my_task.py."""

import pathlib

from reprogram.tasks import molecules


def load():
    path = pathlib.Path(__file__).with_name("solubility.txt")
    lines = [line.split() for line in path.read_text().splitlines()]
    return molecules.build(
        name="solubility",
        smiles=[smiles for smiles, _ in lines],
        columns={"logS": [value for _, value in lines]},
        problem="regression",
        unit="log mol/l",
        citation="our laboratory, 2026",
    )
```

`molecules.build` standardizes the SMILES, merges repeated molecules and names
the rows that it leaves out; for images and series return `Task(...)` itself.
'''

import dataclasses
import importlib.util
import inspect
import pathlib
from collections.abc import Callable
from typing import Any

from reprogram.tasks import arrays
from reprogram.tasks import images
from reprogram.tasks import molecules
from reprogram.tasks import series
from reprogram.tasks.official import moleculeace
from reprogram.tasks.official import moleculenet
from reprogram.tasks.official import peptides
from reprogram.tasks.official import tdc
from reprogram.tasks.readers import molecules as molecule_files
from reprogram.tasks.readers import table
from reprogram.tasks.task import Task

# Official tasks keep molecules as they were published.
AS_PUBLISHED = frozenset(
    (*moleculenet.TASKS, *peptides.TASKS, *tdc.TASKS, *moleculeace.TASKS)
)
TASKS: dict[str, Callable[[], Task]] = {
    "nav17": molecules.nav17,
    "digits": images.digits,
    **moleculenet.TASKS,
    **peptides.TASKS,
    **tdc.TASKS,
    **moleculeace.TASKS,
}
# Default number of labels that a named task draws.
LABELS = {"nav17": 128}
_ABOUT = ("name", "metric", "unit", "citation", "licence")


def load(name_or_path: str | pathlib.Path, **options: Any) -> Task:
    """Loads a task by its name or from a file of the user.

    Args:
        name_or_path: A name in `TASKS`; or the path of a file of molecules
            (`.csv`, `.tsv`, `.xlsx`, `.parquet`, `.smi`, `.txt`, `.sdf`), a
            folder of images, a `.ts`, `.tsv` or `.npz`, or a `.py` with a
            function `load()`.
        **options: Arguments of the reader of that kind of file, see
            `tasks.molecules.from_file`, `tasks.images.from_folder`,
            `tasks.series.from_file` and `tasks.arrays.from_npz`; and `name`,
            `metric`, `unit`, `citation` and `licence` of any task. An option
            that is None or empty is not given.

    Returns:
        The task.

    Raises:
        ValueError: If there is no such task or file, or it cannot be read.

    Example:
    >>> task = load("nav17")
    >>> task.inputs.shape, task.target_names, task.metric
    ((1017,), ('pIC50',), 'rmse')
    """
    options = {k: v for k, v in options.items() if v not in (None, "")}
    about = {k: options.pop(k) for k in _ABOUT if k in options}
    reader, arguments, note = _reader(name_or_path)
    known = list(inspect.signature(reader).parameters)[len(arguments) :]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ValueError(
            f"The task {name_or_path} does not take {', '.join(unknown)}."
            f" Its options are: {', '.join([*known, *_ABOUT])}."
        )
    task = reader(*arguments, **options)
    notes = (*task.notes, *([note] if note else []))
    return dataclasses.replace(task, notes=notes, **about)


def _reader(
    name_or_path: str | pathlib.Path,
) -> tuple[Callable[..., Task], list, str]:
    if str(name_or_path) in TASKS:
        return TASKS[str(name_or_path)], [], ""
    path = pathlib.Path(name_or_path)
    if path.is_dir():
        return images.from_folder, [path], ""
    name = path.name.casefold()
    ending = pathlib.Path(name.removesuffix(".gz")).suffix
    reader = _READERS.get(ending)
    if reader is None and path.exists():
        raise ValueError(
            f"{path} is a file of the kind {ending or 'without an ending'!r},"
            f" which no reader reads. Expected one of {', '.join(_READERS)}, or"
            " a folder of images."
        )
    if reader is None:
        raise ValueError(
            f"There is no task or folder {str(name_or_path)!r}. Choose one of"
            f" {', '.join(TASKS)}, a folder of images, or a file"
            f" ({', '.join(_READERS)})."
        )
    if ending == ".tsv" and path.exists() and name.endswith(".tsv"):
        reader, why = _of_tsv(path)
        return reader, [path], f"{path.name} {why}."
    return reader, [path], ""


def _from_python(path: pathlib.Path) -> Task:
    if not path.exists():
        raise ValueError(f"There is no file {path}. Check the path.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None  # it ends in .py
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        task = module.load()
    except Exception as error:
        raise ValueError(
            f"{path} must define load() and return a tasks.Task. It failed:"
            f" {type(error).__name__}: {error}"
        ) from error
    if not isinstance(task, Task):
        raise ValueError(
            f"load() of {path} must return a tasks.Task."
            f" Received: {type(task).__name__}."
        )
    return task


def _of_tsv(path: pathlib.Path) -> tuple[Callable[..., Task], str]:
    """Chooses the reader of a .tsv by its first lines, and says why."""
    rows = [line.split("\t") for line in molecule_files.head(path, 2)]
    cells = [cell.strip() for row in rows for cell in row[1:]]
    if cells and all(map(_is_number, cells)):
        return series.from_file, "holds numbers behind labels: series"
    names = [name.strip() for name in rows[0]] if rows else []
    if any(table.plain(n) in table.USUAL["smiles_column"] for n in names):
        return molecules.from_file, "names a column of SMILES: molecules"
    raise ValueError(
        f"{path} is neither a UCR file of series, where numbers follow a"
        " label, nor a table of molecules, whose first row names a column of"
        f" SMILES. Its first row: {', '.join(names[:5]) or 'empty'}."
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return cell == "?"
    return True


_READERS: dict[str, Callable[..., Task]] = {
    **dict.fromkeys(molecule_files.ENDINGS, molecules.from_file),
    ".ts": series.from_file,
    ".tsv": series.from_file,  # or molecules, see `_of_tsv`
    ".npz": arrays.from_npz,
    ".py": _from_python,
}
