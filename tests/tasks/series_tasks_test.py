"""Series and arrays: the formats of the UCR archive, splits, errors."""

import pathlib

import numpy as np
import pytest

from reprogram import tasks
from reprogram.tasks import readers


def write(path: pathlib.Path, *lines: str) -> pathlib.Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


HEADER = ("# a note", "@problemName toy", "@classLabel true -1 1", "@data")


def test_ts_of_two_files_and_two_channels(tmp_path):
    train = ("1,2,3:4,5,6:1", "1,1,1:2,2,2:-1", "1,2,3:1", "1,?,3:4,5,6:1")
    write(tmp_path / "Toy_TRAIN.ts", *HEADER, *train)
    write(tmp_path / "Toy_TEST.ts", *HEADER, "7,8,9:1,1,1:-1", "0,0,0:x,0,0:1")
    for name in ("Toy_TRAIN.ts", "Toy_TEST.ts", "Toy.ts"):
        task = tasks.load(tmp_path / name)
        assert (task.name, task.inputs.shape) == ("Toy", (3, 3, 2))
        assert task.inputs[0].tolist() == [[1, 4], [2, 5], [3, 6]]
        assert task.target_names == ("-1", "1")
        assert task.targets.tolist() == [1, 0, 0]
        assert task.split.tolist() == ["train", "train", "test"]
        assert task.dropped == (
            (3, "1 channels where others have 2"),
            (4, "missing values"),
            (6, "not numbers separated by commas"),
        )


def test_ts_states_its_problem(tmp_path):
    rows = ["1,2:0.5", "2,3:1.5"]
    path = write(tmp_path / "a.ts", "@targetLabel true", "@data", *rows)
    assert tasks.load(path).problem == "regression"
    path = write(tmp_path / "b.ts", *HEADER, *rows)
    task = tasks.load(path)
    assert task.target_names == ("0.5", "1.5") and task.split is None
    assert tasks.load(path, problem="regression").metric == "rmse"


def test_tsv_labels(tmp_path):
    rows = ["1.0000e+00\t0.5\t1e-1", "-1\t2\t3", "1\t4\t5"]
    task = tasks.load(write(tmp_path / "a.tsv", *rows))
    assert task.inputs.shape == (3, 2, 1)
    assert task.target_names == ("-1", "1")
    assert task.targets.tolist() == [1, 0, 1]


def test_shorter_series_end_in_nan(tmp_path):
    ts = [*HEADER, "1,2:3,4:1", "1,2,3:4,5,6:-1", "1,2:3:1", "1,?,3:4,5,6:1"]
    task = tasks.load(write(tmp_path / "a.ts", *ts))
    expected = [[[1, 3], [2, 4], [np.nan] * 2], [[1, 4], [2, 5], [3, 6]]]
    np.testing.assert_array_equal(task.inputs, expected)
    reasons = ((3, "channels of 1 to 2 steps"), (4, "missing values"))
    assert task.dropped == reasons
    tsv = ["1\t1\t2\t3", "2\t1\t2\tNaN", "2\t1\tNaN\t3"]
    task = tasks.load(write(tmp_path / "a.tsv", *tsv))
    np.testing.assert_array_equal(task.inputs[1, :, 0], [1, 2, np.nan])
    assert task.dropped == ((3, "missing values"),)
    x = np.array([[1, 2, 3], [1, 2, np.nan], [np.nan, 2, 3], [1, np.nan, 3]])
    np.savez(tmp_path / "a.npz", x=x, y=[0, 1, 0, 1])
    task = tasks.load(tmp_path / "a.npz")
    np.testing.assert_array_equal(task.inputs[1, :, 0], [1, 2, np.nan])
    assert task.dropped == ((3, "missing values"), (4, "missing values"))


def test_predicted_series_may_be_shorter_where_the_run_knew_such(tmp_path):
    path = write(tmp_path / "a.ts", *HEADER, "1,2:1", "1,2,3:1", "1,2,3,4:1")
    np.savez(tmp_path / "a.npz", x=[[1, 2, 3], [1, 2, np.nan]])
    task = {"modality": "series", "input_shape": [3, 1]}
    for shorter, reason in ((True, ""), (False, "2 x 1 values where the run")):
        record = {"task": task | {"shorter": shorter}, "flags": {}}
        _, values, reasons = next(readers.load(path, record).parts())
        assert reasons[0].startswith(reason) and not reasons[1]
        assert reasons[2].startswith("4 x 1 values where the run was trained")
        assert len(values[0]) == (3 if shorter else 2)
        _, _, reasons = next(readers.load(tmp_path / "a.npz", record).parts())
        assert reasons == ["", "" if shorter else "missing values"]


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        ("a.ts", ["1,2:1"], "no line `@data`"),
        ("a.ts", ["@timestamps true", "@data"], "time stamps"),
        ("a.ts", ["@classLabel false", "@data", "1,2"], "empty target"),
        ("a.tsv", ["1,2,3"], "neither a UCR file of series"),
        ("a.tsv", ["a\t1", "b\tx,y"], "neither a UCR file of series"),
        ("a.ts", [*HEADER, "1,2:1", "3,4:1"], "one class"),
    ],
)
def test_series_errors(tmp_path, name, lines, message):
    with pytest.raises(ValueError, match=message):
        tasks.load(write(tmp_path / name, *lines))


def test_series_that_are_not_there(tmp_path):
    with pytest.raises(ValueError, match="There is no file"):
        tasks.load(tmp_path / "Toy_TRAIN.ts")
    (tmp_path / "a.tsv").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ValueError, match="not UTF-8 text"):
        tasks.load(tmp_path / "a.tsv")


def test_npz_of_series_with_a_prefix(tmp_path):
    x = np.arange(12.0).reshape(4, 3)
    x[1, 1] = np.nan
    parts = {"x_train": x, "x_test": x[2:] + 1, "y_train": list("abab")}
    parts["y_test"] = np.array([b"a", b"b"])
    named = {f"Toy_{name}": array for name, array in parts.items()}
    np.savez(tmp_path / "ucr.npz", **named)
    task = tasks.load(tmp_path / "ucr.npz", prefix="Toy")
    assert (task.name, task.inputs.shape) == ("ucr-Toy", (5, 3, 1))
    assert task.targets.tolist() == [0, 0, 1, 0, 1]
    assert task.split.tolist() == ["train"] * 3 + ["test"] * 2
    assert task.dropped == ((2, "missing values"),)


def test_npz_of_images(tmp_path):
    x = np.arange(64, dtype="uint8").reshape(4, 4, 4)
    y = np.array([[0], [1], [1], [0]])
    names = ("train_images", "val_images", "test_images")
    labels = ("train_labels", "val_labels", "test_labels")
    np.savez(
        tmp_path / "medical.npz",
        **dict.fromkeys(names, x),
        **dict.fromkeys(labels, y),
    )
    task = tasks.load(tmp_path / "medical.npz")
    assert (task.modality, task.inputs.shape) == ("image", (12, 4, 4, 1))
    assert task.split.tolist() == ["train"] * 8 + ["test"] * 4
    task = tasks.load(tmp_path / "medical.npz", modality="series")
    assert task.inputs.shape == (12, 4, 4)


def test_npz_targets(tmp_path):
    x = np.random.default_rng(0).normal(size=(80, 6, 2))
    for y, problem, columns in [
        (np.arange(80) % 40, "classification", 40),
        (np.arange(80) / 7, "regression", 1),
        (np.eye(2)[np.arange(80) % 2], "multilabel", 2),
    ]:
        np.savez(tmp_path / "a.npz", x=x, y=y)
        task = tasks.load(tmp_path / "a.npz")
        assert task.problem == problem and task.split is None
        assert len(task.target_names) == columns


def test_npz_that_looks_transposed(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((2, 3, 50)), y=[0, 1])
    with pytest.warns(UserWarning, match="3 steps in 50 channels"):
        tasks.load(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"data": [1]}, "needs the arrays x_train.*Received: data"),
        (
            {"x": np.zeros((3, 2)), "y": [0, 1]},
            r"\(3, 2\) and targets",
        ),
        (
            {"x": np.zeros((2, 2, 2, 2, 2)), "y": [0, 1]},
            "series are numbers",
        ),
        ({"x": np.array([["a"], ["b"]]), "y": [0, 1]}, "series are numbers"),
        (
            {"x": np.array([[1], [1, 2]], object), "y": [0, 1]},
            "up with NaN",
        ),
        (
            {"x_train": np.zeros((2, 3)), "y_train": [0, 1]}
            | {"x_test": np.zeros((2, 4)), "y_test": [0, 1]},
            "do not fit together",
        ),
    ],
)
def test_npz_errors(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        tasks.load(tmp_path / "a.npz")


def test_npz_that_is_none(tmp_path):
    with pytest.raises(ValueError, match="There is no file"):
        tasks.load(tmp_path / "a.npz")
    for content in (b"", b"text", b"PK\x03\x04broken"):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(ValueError, match="not an .npz file"):
            tasks.load(tmp_path / "a.npz")
    np.save(tmp_path / "b", np.zeros(3))
    (tmp_path / "b.npy").rename(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="not an .npz file"):
        tasks.load(tmp_path / "a.npz")
