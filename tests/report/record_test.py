"""Records: checked, saved whole, and loaded."""

import math
import os
import pathlib

import jsonschema
import numpy as np
import pytest
from sample_records import small

from reprogram.report import record as records
from reprogram.report import schema


def test_save_and_load_are_inverse(tmp_path):
    record = small() | {"verdict": "Use it."}
    records.save(tmp_path / "deep" / "record.json", record)
    assert records.load(tmp_path / "deep" / "record.json") == record
    assert records.load(tmp_path / "deep") == record


def test_save_converts_numpy_and_missing_values(tmp_path):
    record = small()
    del record["schema"]
    metrics = {"rmse": np.array([np.nan, 0.5], "float32"), "r2": (1, math.inf)}
    record["models"][0]["metrics"] = metrics
    record["flags"]["output_dir"] = pathlib.PurePosixPath("runs/a")
    record["flags"]["size"] = np.int64(3)
    records.save(tmp_path / "record.json", record)
    text = (tmp_path / "record.json").read_text()
    assert "NaN" not in text and "Infinity" not in text
    loaded = records.load(tmp_path)
    expected = {"rmse": [None, 0.5], "r2": [1, None]}
    assert loaded["models"][0]["metrics"] == expected
    assert loaded["flags"]["output_dir"] == "runs/a"
    assert loaded["flags"]["size"] == 3
    assert loaded["schema"] == "reprogram.record/1"


def test_save_names_what_json_cannot_hold(tmp_path):
    record = small() | {"flags": {"task": {1, 2}}}
    with pytest.raises(TypeError, match=r"`record\.flags\.task` cannot be"):
        records.save(tmp_path / "record.json", record)
    assert not os.listdir(tmp_path)


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "record.json"
    records.save(path, small())

    def fail(*_) -> None:
        raise OSError("disk is full")

    monkeypatch.setattr(records.os, "replace", fail)
    with pytest.raises(OSError, match="disk is full"):
        records.save(path, small() | {"seconds": 99.0})
    assert records.load(path)["seconds"] == 12.5
    assert os.listdir(tmp_path) == ["record.json"]


def test_load_names_a_missing_or_broken_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="No record at .*record.json"):
        records.load(tmp_path)
    path = tmp_path / "record.json"
    path.write_text('{"schema": ')
    with pytest.raises(ValueError, match="is not JSON .*run again"):
        records.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is not JSON"):
        records.load(path)
    path.write_text('{"schema": "reprogram.record/9"}')
    with pytest.raises(
        ValueError, match="record.json: This version .*record/9"
    ):
        records.load(path)
    path.write_text("[1]")
    with pytest.raises(ValueError, match=r"Not a record.*Received: \[1\]"):
        records.load(path)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("command", 3, "`command` must be text, received 3"),
        ("seeds", [0, 0], r"`seeds` must name each entry once"),
        ("seeds", [], r"`seeds` must have at least 1 entries, received \[\]"),
        ("seeds", [True, 1], r"`seeds\[0\]` must be an integer"),
        ("seeds", 2, "`seeds` must be a list, received 2"),
        ("task", [], r"`task` must be an object, received \[\]"),
        ("task.problem", "ranking", "must be one of classification, multi"),
        ("task.modality", None, "must be one of molecule, image, series"),
        ("task.metric", "mae", "model 'mean predictor' has no value of `mae`"),
        ("source.fingerprint_after", 1, "must be text or null, received 1"),
        ("seconds", "1", "`seconds` must be a number, received '1'"),
        ("models", [], "`models` must have at least 1 entries"),
        ("models.1.name", "reprogrammed", "`models` must have different"),
        ("models.0.metrics.rmse", [1.0], r"one value a seed \(2\), received 1"),
        ("models.0.metrics.rmse", 1.0, "must be a list, received 1.0"),
        ("models.0.metrics.rmse", ["a", 1], "a number or null, received 'a'"),
        ("models.0.seconds", [1.0], "`seconds of mean predictor` must have"),
        ("history.0.loss", ["x"], r"`history\[0\].loss\[0\]` must be a number"),
        ("test.targets", [1, 2], "equally long, received .*'targets': 2"),
    ],
)
def test_check_names_the_wrong_field(path, value, message):
    record = part = small()
    *parents, last = path.split(".")
    for name in parents:
        part = part[int(name) if isinstance(part, list) else name]
    part[last] = value
    with pytest.raises(ValueError, match=message):
        schema.check(record)


def test_check_names_all_missing_fields():
    record = small()
    del record["train_size"], record["source"]["name"]
    with pytest.raises(ValueError, match="`source.name` is.*`train_size` is"):
        schema.check(record)


def test_optional_fields_may_be_absent_or_null():
    record = small() | {"mapping": None, "history": None, "test": None}
    del record["warnings"], record["task"]["unit"]
    schema.check(record)


def test_records_of_predictors_without_a_source():
    record = small() | {"source": None, "recipe": None, "confidence": 0.9}
    del record["trainable_parameters"]
    record |= {"predictor": "few-label ensemble", "refit": "on all labels"}
    record["carried"] = [{"kernels": {"share": 0.7, "error": 0.5}}]
    record["models"][0]["kind"] = "trivial"
    record["models"][0]["metrics"]["coverage"] = [0.9, None]
    schema.check(record)
    record["carried"][0]["kernels"] = {"error": "x"}
    with pytest.raises(ValueError, match="carried.*share` is missing"):
        schema.check(record)


@pytest.mark.parametrize("name", ["record", "card"])
def test_the_schemas_are_ones_that_other_tools_read(name):
    jsonschema.Draft202012Validator.check_schema(schema.read(name))
