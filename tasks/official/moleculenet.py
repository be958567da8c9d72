"""MoleculeNet: eleven tasks of physiology, biophysics and solvation.

Only the sets whose checksum is given were at hand; the links are those that
DeepChem publishes and could not be tried here.
"""

import dataclasses
import functools
import os
from collections.abc import Callable

from reprogram.tasks.official import published as official
from reprogram.tasks.readers import table
from reprogram.tasks.task import Task

URL = "https://deepchemdata.s3-us-west-1.amazonaws.com/datasets/"
CITATION = "Wu et al., MoleculeNet, 2018"


@dataclasses.dataclass(frozen=True)
class Set:
    """A published table.

    Args:
        files: File names of the table; the first is the published one.
        targets: Names of the target columns; empty for all other columns.
        unit: Unit of the target of a regression.
        sha256: Checksum of the plain file; empty where it is not known.
        smiles: Name of the column of SMILES.
        others: Names of columns that are neither targets nor SMILES.
    """

    files: tuple[str, ...]
    targets: tuple[str, ...] = ()
    unit: str = ""
    sha256: str = ""
    smiles: str = "smiles"
    others: tuple[str, ...] = ()


SETS = {
    "bbbp": Set(
        ("BBBP.csv",),
        ("p_np",),
        sha256="d07a38487aeac5cee5508413e468043ef3097451d2a112701c2d60be9ec6b"
        "662",
    ),
    "bace": Set(
        ("bace.csv",),
        ("Class",),
        smiles="mol",
    ),
    "clintox": Set(("clintox.csv.gz", "clintox.csv"), ("CT_TOX",)),
    "tox21": Set(("tox21.csv.gz", "tox21.csv"), others=("mol_id",)),
    "sider": Set(("sider.csv.gz", "sider.csv")),
    "hiv": Set(("HIV.csv",), ("HIV_active",)),
    "muv": Set(("muv.csv.gz", "muv.csv"), others=("mol_id",)),
    "toxcast": Set(("toxcast_data.csv.gz", "toxcast_data.csv")),
    "esol": Set(
        ("delaney-processed.csv", "ESOL_delaney-processed.csv"),
        ("measured log solubility in mols per litre",),
        unit="log mol/l",
        sha256="8c06a76f0c6487d29ab0f903e6a7a7139f189ab3c1178f159c8be8964602f"
        "189",
    ),
    "freesolv": Set(
        ("SAMPL.csv", "FreeSolv_SAMPL.csv"),
        ("expt",),
        unit="kcal/mol",
        sha256="ab5895d914ee87cb563bd7b9611e869527bba45bec6b014d34dc495a0f9dc"
        "b72",
    ),
    "lipophilicity": Set(
        ("Lipophilicity.csv",),
        ("exp",),
        unit="logD",
        sha256="aed41590cb30609d51d8e08ad3ff06495a76e80e211358801f596b10da69b"
        "acd",
    ),
}


def load(name: str, data_dir: str | os.PathLike | None = None) -> Task:
    """Loads a task of MoleculeNet; labels that are missing stay missing.

    Args:
        name: A key of `SETS`. ClinTox is the label CT_TOX.
        data_dir: A folder with the file, or with a folder `moleculenet` that
            has it; None to download it once.

    Returns:
        The task. Molecules that are the same are merged.

    Raises:
        ValueError: If there is no such task, file or download.
    """
    if name not in SETS:
        raise ValueError(
            f"There is no MoleculeNet task {name!r}. Choose one of"
            f" {', '.join(SETS)}."
        )
    found = SETS[name]
    names = [*found.files, *(f"moleculenet/{file}" for file in found.files)]
    path = official.find(names, data_dir, URL + found.files[0], found.sha256)
    columns, rows, _ = table.read(path)
    smiles = found.smiles if found.smiles in columns else "smiles"
    targets = found.targets or [
        column for column in columns if column not in (smiles, *found.others)
    ]
    problem = "regression" if found.unit else ""
    if len(targets) > 1:
        problem = "multilabel"
    return official.build(
        name,
        [row[smiles] for row in rows],
        {column: [row[column] for row in rows] for column in targets},
        problem or "classification",
        unit=found.unit,
        citation=CITATION,
    )


TASKS: dict[str, Callable[..., Task]] = {
    name: functools.partial(load, name) for name in SETS
}
