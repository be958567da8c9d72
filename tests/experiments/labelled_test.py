"""Tasks made ready, and the runs that wait for them."""

import numpy as np
import pytest

from reprogram import files
from reprogram.experiments import labelled

RANDOM = ("random", 0.2)


def test_an_interrupted_run_is_found_by_its_configuration(tmp_path):
    wanted = {"epochs": 5, "seeds": 3}
    for name, epochs in (("a-1", 5), ("a-2", 6), ("a-3", 5), ("b-1", 5)):
        files.claim(tmp_path / name, {"epochs": epochs}, ())
    (tmp_path / "a-3" / "record.json").touch()
    assert (
        labelled.unfinished(tmp_path, "a-*", wanted, ("seeds",))
        == tmp_path / "a-1"
    )
    assert labelled.unfinished(tmp_path, "a-*", {"epochs": 7}) is None
    assert labelled.unfinished(tmp_path / "no", "a-*", wanted) is None


def test_a_named_task_sets_its_labels_and_a_file_takes_all(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"C{i},{'C' * (i + 1)}O,{i + 0.5}" for i in range(30)]
    path.write_text("\n".join(["id,smiles,y", *rows]) + "\n")
    rows = labelled.prepare(str(path), {}, split=RANDOM, seeds=1)
    assert rows.train_size == 24
    assert not rows.limited
    assert sum(map(len, rows.everything())) == 30
    few = labelled.prepare(str(path), {}, split=RANDOM, train_size=10, seeds=1)
    assert few.limited
    assert few.everything() is None
    assert labelled.tasks.LABELS["nav17"] == 128


def test_training_molecules_are_kept_with_their_names(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"C{i},{'C' * (i + 1)}O,{i + 0.5}" for i in range(30)]
    path.write_text("\n".join(["id,smiles,y", *rows]) + "\n")
    rows = labelled.prepare(str(path), {}, split=RANDOM, seeds=1)
    rows.save_training(tmp_path, rows.everything())
    kept = labelled.read_training(tmp_path)
    assert kept["CCO"] == ("C1", "1.5")
    assert len(kept) == 30
    assert labelled.read_training(tmp_path / "none") == {}


def test_predictors_of_the_modality_are_the_default(tmp_path):
    rows = labelled.prepare("digits", {}, train_size=50, seeds=1)
    name, rivals = rows.predictors(None, None)
    assert name == "reprogrammed"
    assert "probe" in rivals
    assert rows.predictors("probe", ["none"]) == ("probe", [])
    with pytest.raises(ValueError, match="Labels|labels"):
        labelled.prepare("digits", {}, train_size=3, seeds=1)
    assert np.concatenate(rows.data.draws[0]).size == 50
