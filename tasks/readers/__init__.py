"""Files to predict for, read in order, some rows at a time."""

import pathlib
from collections.abc import Callable

from reprogram.tasks.readers import arrays
from reprogram.tasks.readers import molecules
from reprogram.tasks.readers import table
from reprogram.tasks.readers.rows import Inputs
from reprogram.tasks.readers.table import smiles_column as smiles_column

READERS: dict[str, dict[str, Callable[..., Inputs]]] = {
    "image": {"a folder": arrays.from_folder, ".npz": arrays.from_npz},
    "series": {
        ".ts": arrays.from_series,
        ".tsv": arrays.from_series,
        ".npz": arrays.from_npz,
    },
}


def load(
    path: str | pathlib.Path, record: dict, smiles_column: str | None = None
) -> Inputs:
    r"""Opens a file to predict for.

    Args:
        path: For a run on molecules any file of molecules, see
            `molecules.open_file`; on images a folder, whose files are the
            rows, or `.npz`; on series `.ts`, `.tsv` or `.npz`.
        record: Record of the run.
        smiles_column: Name of the column of SMILES; `None` for the one the
            run was trained on, or the one with a usual name.

    Returns:
        The rows.

    Raises:
        ValueError: If the file is not there, does not suit the run, or cannot
            be read.

    Example:
    >>> path = getfixture("tmp_path") / "a.csv"
    >>> _ = path.write_text("id,smiles\n1,OCC\n2,C1CC\n")
    >>> found = load(path, {"task": {"modality": "molecule"}, "flags": {}})
    >>> cells, inputs, reasons = next(found.parts())
    >>> cells, inputs, reasons[0]
    ((['1', 'OCC'], ['2', 'C1CC']), ['CCO', None], '')
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise ValueError(f"There is no file or folder {path}. Check the path.")
    modality = record["task"]["modality"]
    if modality == "molecule":
        return _molecules(path, record, smiles_column or "")
    kind = "a folder" if path.is_dir() else path.suffix.casefold()
    reader = READERS[modality].get(kind)
    if reader is None:
        raise ValueError(
            f"The run was trained on {modality} inputs and predicts for"
            f" {' or '.join(READERS[modality])}. Received: {path}."
        )
    if smiles_column:
        raise ValueError(
            f"The run was trained on {modality} inputs, which have no SMILES."
            f" Received: smiles_column={smiles_column!r}. Leave it out."
        )
    shape = record["task"].get("input_shape")
    if not shape:
        raise ValueError(
            "The record of the run does not say the `input_shape` of its task."
            " Train again with this version."
        )
    if modality == "series":
        shorter = bool(record["task"].get("shorter"))
        return reader(path, tuple(shape), shorter)
    return reader(path, tuple(shape))


def _molecules(path: pathlib.Path, record: dict, name: str) -> Inputs:
    flags = record.get("flags", {})
    kind = path.name.casefold().removesuffix(".gz")
    if path.is_dir() or not kind.endswith(molecules.ENDINGS):
        raise ValueError(
            "The run was trained on molecule inputs and predicts for files"
            f" {', '.join(molecules.ENDINGS)}. Received: {path}."
        )
    trained = flags.get("smiles_column") or ""
    if not name and trained and kind.endswith(molecules.TABLES):
        _, columns, _ = table.stream(path)
        name = trained if trained in columns else ""
    standard = record["task"].get("standard", flags.get("standard", True))
    return molecules.load(path, name, standard)
