"""What a record says of a task, and rows that a source cannot read."""

import numpy as np
import pytest

from reprogram.tasks.describe import describe
from reprogram.tasks.describe import readable
from reprogram.tasks.task import Task


def molecules(**changes):
    about = {
        "name": "toy",
        "modality": "molecule",
        "problem": "regression",
        "inputs": np.array(["CCO", "CCN", "CCCl", "c1ccccc1"], object),
        "targets": np.arange(4, dtype="float32")[:, None],
        "target_names": ("value",),
        "metric": "rmse",
        "unit": "mol/l",
        "dropped": ((2, "empty"),),
        "citation": "nobody, 2026",
        "licence": "CC0",
    }
    return Task(**about | changes)


def test_a_record_of_a_task():
    found = describe(molecules(), np.array([0, 1, 2]), np.array([3]))
    assert found | {"similarity": None} == {
        "name": "toy",
        "modality": "molecule",
        "problem": "regression",
        "metric": "rmse",
        "unit": "mol/l",
        "target_names": ["value"],
        "rows": 4,
        "train_rows": 3,
        "test_rows": 1,
        "dropped": [[2, "empty"]],
        "similarity": None,
        "citation": "nobody, 2026",
        "licence": "CC0",
    }
    assert found["similarity"]


def test_only_molecules_have_a_similarity():
    series = molecules(modality="series", inputs=np.zeros((4, 5, 1), "float32"))
    found = describe(series, np.array([0, 1]), np.array([2, 3]))
    assert found["similarity"] == {}


def no_chlorine(smiles):
    return f"{smiles!r} has chlorine" if "Cl" in smiles else ""


def test_rows_that_cannot_be_read_are_left_out_and_named():
    task = molecules(split=np.array(["train", "train", "test", "test"]))
    kept, reasons = readable(task, no_chlorine)
    assert reasons == ["'CCCl' has chlorine"]
    assert kept.inputs.tolist() == ["CCO", "CCN", "c1ccccc1"]
    assert kept.targets[:, 0].tolist() == [0, 1, 3]
    assert kept.split.tolist() == ["train", "train", "test"]
    assert kept.name == task.name and len(task.inputs) == 4


def test_a_source_that_reads_everything_changes_nothing():
    task = molecules()
    assert readable(task, None) == (task, [])
    kept, reasons = readable(task, lambda row: "")
    assert reasons == [] and (kept.inputs == task.inputs).all()


def test_a_source_that_reads_nothing_is_refused():
    with pytest.raises(ValueError, match="none of the 4 rows of 'toy'.*'CCO'"):
        readable(molecules(), lambda row: f"cannot read {row!r}")
