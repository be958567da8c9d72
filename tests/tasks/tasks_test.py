"""Tasks: what ships, files of Python, and what a task refuses."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from reprogram import tasks


def write(path: pathlib.Path, *lines: str) -> pathlib.Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_nav17():
    task = tasks.load("nav17")
    assert task.inputs.shape == (1017,)
    assert task.targets.shape == (1017, 1)
    assert len(set(task.inputs)) == 1017 and task.dropped == ()
    assert task.targets.mean() == pytest.approx(6.550924, abs=1e-5)
    assert task.targets.min() == pytest.approx(4.27)
    assert task.targets.max() == pytest.approx(9.22)
    assert (task.metric, task.target_names) == ("rmse", ("pIC50",))
    first = "N#Cc1cc(S(=O)(=O)Nc2cccs2)ccc1Oc1ccccc1-c1ccccc1"
    assert task.inputs[0] == first
    assert task.targets[0, 0] == pytest.approx(5.48)


def test_digits():
    task = tasks.load("digits")
    assert task.inputs.shape == (1797, 8, 8, 1)
    assert (task.inputs.min(), task.inputs.max()) == (0, 255)
    assert np.bincount(task.targets).tolist() == [
        *(178, 182, 177, 183, 181),
        *(182, 181, 179, 174, 180),
    ]
    assert task.metric == "balanced_accuracy"


def test_tasks_import_neither_tensorflow_nor_keras():
    code = "import sys, tasks; tasks.load('digits'); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "reprogram.tasks.series" in loaded
    assert not {"tensorflow", "keras", "jax"} & set(loaded)


def test_documented_python_file(tmp_path):
    example = tasks.__doc__.split("```python\n")[1].split("```")[0]
    assert len(example.splitlines()) <= 22
    write(tmp_path / "solubility.txt", "CCO 1.10", "OCC 1.30", "CC -2.5")
    task = tasks.load(write(tmp_path / "my_task.py", example), metric="mae")
    assert (task.name, task.metric) == ("solubility", "mae")
    np.testing.assert_allclose(task.targets, [[1.2], [-2.5]], rtol=1e-6)
    assert len(task.dropped) == 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("", "must define load.*AttributeError"),
        ("def load(): return 3", "must return a tasks.Task. Received: int"),
        ("def load(): return 1 / 0", "ZeroDivisionError: division by zero"),
        ("def load(:", "SyntaxError"),
    ],
)
def test_python_file_errors(tmp_path, code, message):
    with pytest.raises(ValueError, match=message):
        tasks.load(write(tmp_path / "my_task.py", code))


def test_names_that_are_not_known(tmp_path):
    with pytest.raises(ValueError, match="'nav18'. Choose one of nav17"):
        tasks.load("nav18")
    with pytest.raises(ValueError, match="not a readable .xlsx file"):
        tasks.load(write(tmp_path / "a.xlsx", "smiles,y"))
    with pytest.raises(ValueError, match="the kind '.mol2', which no reader"):
        tasks.load(write(tmp_path / "a.mol2", "smiles,y"))
    with pytest.raises(ValueError, match="There is no file"):
        tasks.load(tmp_path / "none.py")
    with pytest.raises(ValueError, match="nav17 does not take smiles_column"):
        tasks.load("nav17", smiles_column="smiles")


GOOD = {
    "name": "toy",
    "modality": "series",
    "problem": "classification",
    "inputs": np.zeros((2, 4, 1)),
    "targets": [0, 1],
    "target_names": ["no", "yes"],
    "metric": "roc_auc",
}


def test_task_brings_its_arrays_into_form():
    task = tasks.Task(**GOOD)
    assert task.inputs.dtype == "float32" and task.targets.dtype == "int64"
    assert task.target_names == ("no", "yes")
    json.dumps([task.dropped, task.target_names, task.targets.tolist()])


IMAGES = {"modality": "image", "inputs": np.full((2, 3, 3, 1), 7.0)}
COLUMN = {"problem": "regression", "target_names": ["y"]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"modality": "text"}, "`modality` must be one of molecule, series"),
        ({"problem": "ranking"}, "`problem` must be one of classification"),
        ({"inputs": np.zeros((2, 4))}, r"shape \(rows, length, channels\)"),
        ({"inputs": [[[1]], [[1], [2]]]}, "Received something that is not"),
        ({"inputs": np.full((2, 4, 1), np.nan)}, "Received: 2 that are not"),
        ({"modality": "molecule", "inputs": ["C", None]}, "a SMILES string"),
        (IMAGES | {"inputs": np.ones((2, 3, 3, 1))}, "from 0 to 255.*Scale"),
        (IMAGES | {"inputs": np.full((2, 3, 3, 1), -1)}, "from -1 to -1"),
        ({"targets": [0, 1, 1]}, r"2 inputs need as many targets.*\(3,\)"),
        ({"targets": [0.0, 1.0]}, "integers of shape .*float64"),
        ({"targets": [1, 2]}, "run from 0 to 1. Received: 1 to 2"),
        ({"targets": [1, 1]}, r"one class \(yes\)"),
        (COLUMN | {"targets": [0.5, 1]}, r"shape \(rows, 1\)"),
        (COLUMN | {"targets": [["a"], ["b"]]}, "Received something that is"),
        (COLUMN | {"targets": [[1], [np.inf]]}, "targets hold infinity"),
        (COLUMN | {"targets": [[1], [np.nan]]}, "no target at all"),
        (COLUMN | {"targets": [[1], [1]]}, "fewer than two different"),
        (
            COLUMN | {"problem": "multilabel", "targets": [[0], [2]]},
            "0, 1 or NaN",
        ),
        ({"split": ["train", "dev"]}, "says train or test.* dev, train"),
        ({"split": ["train"]}, "each of the 2 rows"),
    ],
)
def test_task_errors(change, message):
    with pytest.raises(ValueError, match=message):
        tasks.Task(**(GOOD | change))
