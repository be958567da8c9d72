"""The script that trains, on tiny tasks of every modality."""

import pathlib
import shutil
import zipfile

import commands
import keras
import numpy as np
import pytest

from reprogram.report import record

FILES = ["flags.json", "model.keras", "program.weights.h5", "record.json"]


@pytest.fixture(scope="module")
def resumed(tmp_path_factory) -> dict[str, tuple]:
    """A run whose second seed was lost, and what later commands make of it."""
    runs = commands.runs()
    folder = tmp_path_factory.mktemp("resumed") / "series"
    shutil.copytree(runs.series, folder)
    (folder / "cells" / "1-reprogrammed.json").unlink()
    times = stamps(folder)
    same = (
        f"--task={runs.waves}",
        "--train_size=20",
        "--epochs=2",
        "--predictor=reprogrammed",
        "--norefit",
        "--compare=trivial,probe",
        f"--output_dir={folder}",
    )
    ended = commands.run(
        "reprogram.scripts.train",
        (*same, "--epochs=3"),
        (*same, "--seeds=2"),
        (*same, "--seeds=3", "--tensorboard"),
    )
    return {"ended": ended, "folder": folder, "before": times}


def stamps(folder: pathlib.Path) -> dict[str, int]:
    names = ["model.keras", "program.weights.h5", "cells/0-reprogrammed.json"]
    return {name: (folder / name).stat().st_mtime_ns for name in names}


@pytest.mark.parametrize("kind", ["molecules", "images", "series"])
def test_folder_of_a_run(kind):
    runs = commands.runs()
    folder = getattr(runs, kind)
    training = ["training.csv"] if kind == "molecules" else []
    assert sorted(path.name for path in folder.iterdir()) == [
        *("cells", FILES[0], "kept.txt", *FILES[1:], "report.html", *training)
    ]
    found = record.load(folder)
    assert found["seeds"] == [0, 1]
    assert len(list((folder / "cells").iterdir())) == 2 * 3
    assert found["predictor"] == "reprogrammed source"
    assert found["refit"].startswith("as fitted to the")
    assert found["verdict"]
    source = found["source"]
    assert source["fingerprint_before"] == source["fingerprint_after"]
    names = [model["name"] for model in found["models"]]
    assert names[-1] == "reprogrammed source" and "linear probe" in names
    for model in found["models"]:
        assert len(model["seconds"]) == 2
        values = model["metrics"][found["task"]["metric"]]
        assert np.isfinite(values).all()
    test = found["test"]
    assert len(test["inputs"]) == found["task"]["test_rows"]
    assert len(test["predictions"]) == len(test["targets"])
    assert [len(h["val_loss"]) for h in found["history"]] == [3, 3]
    assert found["flags"]["seeds"] == 2
    assert "--seeds=2" in found["command"]
    page = (folder / "report.html").read_text()
    assert found["task"]["name"] in page and "reprogrammed source" in page
    assert (folder / "program.weights.h5").stat().st_size < 200_000


def test_table_is_printed():
    for code, out, err in commands.runs().ended:
        assert code == 0, err
        assert "seed 1 (2 of 2): " in out
        assert "trainable parameters  seconds" in out
        assert "Report: " in out
    assert "Saved: ensemble, as fitted to" in commands.runs().ended[3].out
    assert "fitted again to all 40 labels" in commands.runs().ended[4].out


def test_rows_that_cannot_be_used_are_named():
    found = record.load(commands.runs().molecules)
    task = found["task"]
    assert task["rows"] == task["train_rows"] + task["test_rows"] == 40
    assert [row for row, _ in task["dropped"]] == [2, 4, 6]
    reasons = [reason for _, reason in task["dropped"]]
    assert reasons[0].startswith("Not a valid SMILES: 'C1CC'")
    assert reasons[1] == "empty target"
    assert reasons[2] == "target is not a number: 'high'"
    assert found["train_size"] == 20
    assert task["similarity"]["nearest_median"] > 0
    assert task["input_shape"] == []
    assert record.load(commands.runs().images)["task"]["input_shape"] == [
        *(8, 8, 1)
    ]


def test_a_run_goes_on_for_tensorboard(resumed):
    code, _, err = resumed["ended"][2]
    assert code == 0, err
    board = resumed["folder"] / "tensorboard"
    found = {path.parent.name for path in board.rglob("events.out.*")}
    assert found == {"tensorboard", "seed 0", "seed 1", "seed 2"}


def test_other_flags_are_refused(resumed):
    code, _, err = resumed["ended"][0]
    assert code == 2
    assert err == (
        f"Error: The folder {resumed['folder']} holds a run of another"
        " configuration: epochs was 2 and is 3 now. Choose another folder for"
        " the new run, or give what was given before to resume the old one.\n"
    )


def test_only_lost_seeds_run_again(resumed):
    for code, _, err in resumed["ended"][1:]:
        assert code == 0, err
    assert stamps(resumed["folder"]) == resumed["before"]
    found = record.load(resumed["folder"])
    assert found["seeds"] == [0, 1, 2]
    first = record.load(commands.runs().series)
    for again, model in zip(found["models"], first["models"]):
        for name, values in model["metrics"].items():
            np.testing.assert_allclose(again["metrics"][name][:2], values)
    again = [history["val_loss"] for history in found["history"][:2]]
    history = [history["val_loss"] for history in first["history"]]
    np.testing.assert_allclose(again, history, rtol=1e-4)
    assert found["test"] == first["test"]


def test_a_finished_run_says_so(resumed):
    assert "holds a finished run" in resumed["ended"][1].out


def test_a_folder_that_cannot_be_written_is_refused_before_any_work():
    (ended,) = commands.run(
        "reprogram.scripts.train",
        ("--task=digits", "--output_dir=/dev/null/x"),
    )
    assert ended.code == 2
    assert "/dev/null" in ended.err
    assert not ended.out


def write_tables(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    rows = commands.molecules(40)
    bad = "\n".join(["smiles,y", *("C1CC,1.5" for _ in rows)])
    one = "\n".join(["smiles,y", *(f"{s},active" for s, _ in rows)])
    side = [
        f"{s},{i % 2 * (i < 20)},{'train' if i < 30 else 'test'}"
        for i, (s, _) in enumerate(rows)
    ]
    tables = {
        "bad": bad,
        "one": one,
        "side": "\n".join(["smiles,y,side", *side]),
        "lead": "smiles,y\n" + "[Pb],1.5\n[Pt],2.5\n",
        "words": "smiles,y\nCCO,high\nCCN,low\n",
    }
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    return {name: folder / f"{name}.csv" for name in tables}


def write_sources(folder: pathlib.Path) -> None:
    inputs = keras.Input((32, 32, 1))
    x = keras.layers.Flatten()(keras.layers.Lambda(lambda x: 2 * x)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(3)(x))
    model.save(folder / "lambda.keras")
    (folder / "text.keras").write_text("no model")
    with zipfile.ZipFile(folder / "other.keras", "w") as archive:
        archive.writestr("a.txt", "no model")
    labels = np.arange(20) % 2
    np.savez(folder / "flat.npz", x=np.zeros((20, 3)), y=labels)


def test_bad_input_ends_with_code_2(tmp_path):
    table = commands.write_molecules(tmp_path / "mol.csv")
    bad = write_tables(tmp_path)
    write_sources(tmp_path)
    digits = ("--task=digits", "--train_size=40")
    cases = [
        (["--task=nav18"], "There is no task or folder 'nav18'"),
        ([f"--csv={tmp_path}/no.csv"], "There is no file"),
        ([f"--csv={table}", "--smiles_column=x"], "`smiles_column` named 'x'"),
        ([f"--csv={table}", "--target_column=x"], "`target_column` named 'x'"),
        ([f"--csv={bad['bad']}"], "none of the 40 rows can be used (row 1: N"),
        ([f"--csv={bad['one']}"], "all rows belong to one class (active)"),
        ([f"--csv={bad['lead']}"], "The source reads none of the 2 rows"),
        (
            [f"--csv={bad['words']}", "--problem=regression"],
            "row 1: y is not a number: 'high'",
        ),
        (
            [f"--csv={bad['side']}", "--split_column=side"],
            "with 1 different targets on the test side; at least 2 needed",
        ),
        ([f"--csv={table}", "--train_size=128"], "Received: size=128. Choose"),
        ([], "--task is missing: give the name of a task, such as nav17"),
        ([*digits, "--compare=prob"], "There is no predictor 'prob'"),
        ([*digits, "--predictor=ensemble"], "reads molecules. Received"),
        ([*digits, "--split=scaffold"], "only molecules have scaffolds"),
        ([*digits, "--source=nope"], "There is no source 'nope'"),
        ([*digits, f"--source={tmp_path}/text.keras"], "is damaged or not a"),
        ([*digits, f"--source={tmp_path}/other.keras"], "but not a Keras mod"),
        ([*digits, f"--source={tmp_path}/lambda.keras"], "a `Lambda` layer"),
        ([*digits, "--mapping=nope"], "nope"),
        ([*digits, "--transform=soft_prompt"], "which layer the transform"),
        (
            [f"--task={tmp_path}/flat.npz", "--train_size=40"],
            "no more than the 16 training rows there are",
        ),
        (["--seeds=0"], "flag --seeds=0: 0 is not a positive integer"),
        (["--epoch=5"], "There is no flag --epoch. Did you mean --epochs?"),
    ]
    output = f"--output_dir={tmp_path}/run"
    words = [[*case, f"{output}{i}"] for i, (case, _) in enumerate(cases)]
    ended = commands.run("reprogram.scripts.train", *words)
    for (_, message), (code, _, err) in zip(cases, ended, strict=True):
        assert (code, message in err) == (2, True), err
        lines = [line for line in err.splitlines() if "Warning" not in line]
        assert lines[-1].startswith("Error: ")
        assert "Traceback" not in err
    assert not list(tmp_path.glob("run*/record.json"))


def test_real_command_has_an_exit_code():
    found = commands.python("-m", "reprogram.scripts.train", "--train_size=few")
    assert found.returncode == 2
    assert found.stderr.startswith("Error: flag --train_size=few: ")
