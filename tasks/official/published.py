"""Published tasks of molecules, whose SMILES are not standardized.

Official tables are scored row by row, so molecules keep charges, salts and
stereo, unlike in `tasks.molecules.build`.
"""

import hashlib
import os
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence

from rdkit import Chem

from reprogram import files
from reprogram.molecules import smiles as smiles_text
from reprogram.parallel import map_chunks
from reprogram.tasks import molecules
from reprogram.tasks import targets
from reprogram.tasks.rows import build_task
from reprogram.tasks.task import Task

CACHE = pathlib.Path("~/.keras/datasets/reprogram").expanduser()


def build(
    name: str,
    smiles: Sequence[str],
    columns: Mapping[str, Sequence],
    problem: str = "",
    split: Sequence[str] | None = None,
    **about: str,
) -> Task:
    """Makes a task of molecules without standardizing them.

    Args:
        name: Name of the task.
        smiles: One SMILES string a row.
        columns: The cells of each target column by its name.
        problem: Name of the problem, see `Task`; guessed if empty.
        split: `"train"` or `"test"` for each row. Such a task keeps repeated
            molecules; without a split they are merged.
        **about: `metric`, `unit`, `citation`, `licence`, see `Task`.

    Returns:
        The task, with canonical SMILES; the rows left out are in `dropped`.

    Example:
    >>> task = build("toy", ["C[NH3+]", "CCO", "OCC"], {"y": [1.0, 2.0, 3.0]})
    >>> task.inputs.tolist(), task.targets.tolist()
    (['C[NH3+]', 'CCO'], [[1.0], [2.5]])
    """
    found = targets.read(columns, problem)
    parts = map_chunks(_canonical, smiles, chunk=2048)
    rows = [row for part, _ in parts for row in part]
    reasons = [reason for _, part in parts for reason in part]
    if split is None:
        found = molecules.merge(rows, found, reasons)
        reasons = list(found.reasons)
    return build_task(
        name, "molecule", rows, found, reasons, split=split, **about
    )


def _canonical(smiles: Sequence[str]) -> tuple[list[str], list[str]]:
    rows, reasons = [], []
    for text in smiles:
        try:
            rows.append(Chem.MolToSmiles(smiles_text.parse(text)))
            reasons.append("")
        except ValueError as error:
            rows.append("")
            reasons.append(str(error))
    return rows, reasons


def find(
    names: Sequence[str],
    data_dir: str | os.PathLike | None,
    url: str,
    sha256: str = "",
) -> pathlib.Path:
    """Finds an official file, or downloads it once.

    A file whose checksum is not known is trusted on its first download; its
    checksum is written beside it and verified from then on.

    Args:
        names: Paths that the file may have inside `data_dir`.
        data_dir: A folder of files at hand; None to download.
        url: URL of the published file.
        sha256: SHA-256 checksum of the file; empty if unknown.

    Returns:
        The path of the file.

    Raises:
        ValueError: If it is neither in the folder nor can be downloaded, or
            has another checksum.
    """
    if data_dir:
        root = pathlib.Path(data_dir)
        for name in names:
            if (root / name).is_file():
                return root / name
        raise ValueError(
            f"There is no {' or '.join(names)} in {root}. Put the file there"
            f" (it is published at {url}), or leave out the folder to"
            " download it."
        )
    path = _download(names[0], url)
    _verify(path, url, sha256)
    return path


def _download(name: str, url: str) -> pathlib.Path:
    import keras

    path = CACHE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return path
    try:
        found = keras.utils.get_file(
            path.name, url, cache_dir=path.parent, cache_subdir=""
        )
    except Exception as error:
        raise ValueError(
            f"{url} cannot be downloaded: {error}. Download it by hand and"
            " name its folder as `data_dir`."
        ) from error
    return pathlib.Path(found)


def _verify(path: pathlib.Path, url: str, sha256: str) -> None:
    received = hashlib.sha256(path.read_bytes()).hexdigest()
    note = path.with_name(f"{path.name}.sha256")
    if not sha256 and note.exists():
        sha256 = note.read_text("utf-8").split()[0]
    if sha256 and received != sha256:
        raise ValueError(
            f"{path} has the checksum {received[:12]}, expected"
            f" {sha256[:12]}. Delete it and download {url} again, or look at"
            " what has changed."
        )
    files.write_text(note, f"{received}\n")
