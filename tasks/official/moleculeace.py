"""MoleculeACE: potencies at 30 targets, with activity cliffs.

The links are those of the authors' repository and could not be tried here;
15 of the sets were at hand.
"""

import functools
import os
from collections.abc import Callable

import numpy as np

from reprogram.tasks.official import published
from reprogram.tasks.readers import table
from reprogram.tasks.task import Task

URL = (
    "https://raw.githubusercontent.com/molML/MoleculeACE/main/MoleculeACE/"
    "Data/benchmark_data/"
)
CITATION = "van Tilborg et al., Exposing the Limitations of Molecular Machine"
SETS = tuple(
    f"CHEMBL{name}"
    for name in [
        "1862_Ki",
        "1871_Ki",
        "2034_Ki",
        "2047_EC50",
        "204_Ki",
        "2147_Ki",
        "214_Ki",
        "218_EC50",
        "219_Ki",
        "228_Ki",
        "231_Ki",
        "233_Ki",
        "234_Ki",
        "235_EC50",
        "236_Ki",
        "237_EC50",
        "237_Ki",
        "238_Ki",
        "239_EC50",
        "244_Ki",
        "262_Ki",
        "264_Ki",
        "2835_Ki",
        "287_Ki",
        "2971_Ki",
        "3979_EC50",
        "4005_Ki",
        "4203_Ki",
        "4616_EC50",
        "4792_Ki",
    ]
)


def load(name: str, data_dir: str | os.PathLike | None = None) -> Task:
    """Loads the potencies at a target, with their official split.

    Args:
        name: One of `SETS`.
        data_dir: A folder with the file, or with a folder `moleculeace` that
            has it; None to download it once.

    Returns:
        A regression of pKi or pEC50.

    Raises:
        ValueError: If there is no such task, file or download.
    """
    rows = _rows(name, data_dir)
    return published.build(
        name,
        [row["smiles"] for row in rows],
        {"y": [row["y"] for row in rows]},
        "regression",
        [row["split"] for row in rows],
        unit="log10 units",
        citation=f"{CITATION} Learning with Activity Cliffs, 2022",
    )


def cliffs(name: str, data_dir: str | os.PathLike | None = None) -> np.ndarray:
    """Says which molecules of a set are on an activity cliff.

    Args:
        name: One of `SETS`.
        data_dir: Folder with the file, see `load`; None to download it.

    Returns:
        True or false for each row of the task `(rows,)`.
    """
    rows = _rows(name, data_dir)
    return np.array([row["cliff_mol"] == "1" for row in rows])


def _rows(name: str, data_dir: str | os.PathLike | None) -> list[dict]:
    if name not in SETS:
        raise ValueError(
            f"There is no MoleculeACE task {name!r}. Choose one of"
            f" {', '.join(SETS)}."
        )
    names = [f"moleculeace/{name}.csv", f"{name}.csv"]
    path = published.find(names, data_dir, f"{URL}{name}.csv")
    return table.read(path)[1]


TASKS: dict[str, Callable[..., Task]] = {
    f"moleculeace-{name}": functools.partial(load, name) for name in SETS
}
