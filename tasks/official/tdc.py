"""The 22 ADMET tasks of Therapeutics Data Commons, with official splits.

The link is that of the official archive; it could not be tried here, so its
checksum is recorded on the first download.
"""

import functools
import os
import pathlib
import zipfile
from collections.abc import Callable

from reprogram.tasks.official import published
from reprogram.tasks.readers import table
from reprogram.tasks.task import Task

URL = "https://dataverse.harvard.edu/api/access/datafile/4426004"
CITATION = "Huang et al., Therapeutics Data Commons, 2021"
METRICS = {
    "caco2_wang": "mae",
    "hia_hou": "roc_auc",
    "pgp_broccatelli": "roc_auc",
    "bioavailability_ma": "roc_auc",
    "lipophilicity_astrazeneca": "mae",
    "solubility_aqsoldb": "mae",
    "bbb_martins": "roc_auc",
    "ppbr_az": "mae",
    "vdss_lombardo": "spearman",
    "cyp2d6_veith": "average_precision",
    "cyp3a4_veith": "average_precision",
    "cyp2c9_veith": "average_precision",
    "cyp2d6_substrate_carbonmangels": "average_precision",
    "cyp3a4_substrate_carbonmangels": "roc_auc",
    "cyp2c9_substrate_carbonmangels": "average_precision",
    "half_life_obach": "spearman",
    "clearance_microsome_az": "spearman",
    "clearance_hepatocyte_az": "spearman",
    "herg": "roc_auc",
    "ames": "roc_auc",
    "dili": "roc_auc",
    "ld50_zhu": "mae",
}


def load(name: str, data_dir: str | os.PathLike | None = None) -> Task:
    """Loads an ADMET task with its official split and metric.

    Args:
        name: A key of `METRICS`.
        data_dir: A folder with a folder of that name, or with a folder
            `tdc_admet` or `admet_group` that has it; None to download the
            official archive once.

    Returns:
        The task. Where the metric is the average precision, it is a task of
        one label.

    Raises:
        ValueError: If there is no such task, file or download.
    """
    if name not in METRICS:
        raise ValueError(
            f"There is no TDC task {name!r}. Choose one of"
            f" {', '.join(METRICS)}."
        )
    smiles, values, split = [], [], []
    for side, part in (("train", "train_val"), ("test", "test")):
        _, rows, _ = table.read(_file(name, part, data_dir))
        smiles += [row["Drug"] for row in rows]
        values += [row["Y"] for row in rows]
        split += [side] * len(rows)
    metric = METRICS[name]
    problem = {"roc_auc": "classification", "average_precision": "multilabel"}
    if metric == "average_precision":
        values = [str(int(float(value))) for value in values]
    return published.build(
        name,
        smiles,
        {"Y": values},
        problem.get(metric, "regression"),
        split,
        metric=metric,
        citation=CITATION,
    )


def _file(
    name: str, part: str, data_dir: str | os.PathLike | None
) -> pathlib.Path:
    file = f"{name}/{part}.csv"
    if not data_dir:
        return _unpacked() / "admet_group" / file
    names = [file, f"tdc_admet/{file}", f"admet_group/{file}"]
    names += [f"{path}.gz" for path in names]
    return published.find(names, data_dir, URL)


def _unpacked() -> pathlib.Path:
    archive = published.find(["tdc/admet_group.zip"], None, URL)
    folder = archive.with_suffix("")
    if not folder.is_dir():
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
    return folder


TASKS: dict[str, Callable[..., Task]] = {
    f"tdc-{name}": functools.partial(load, name) for name in METRICS
}
