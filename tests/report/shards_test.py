"""Records of shards, joined to one."""

import copy
import json

import pytest
from sample_records import small

from reprogram.report import record as records


def shards() -> list[dict]:
    first, second = small((4, 2)), small((3, 1))
    second["test"]["predictions"] = [9.0]
    second["models"][2]["metrics"]["rmse"] = [0.5, 0.4]
    second["command"] = "train --shard=1"
    return [first, second]


def test_merge_orders_the_seeds():
    merged = records.merge(shards())
    assert merged["seeds"] == [1, 2, 3, 4]
    assert merged["models"][2]["metrics"]["rmse"] == [0.4, 0.62, 0.5, 0.7]
    assert merged["models"][2]["seconds"] == [4.0, 4.0, 2.0, 2.0]
    assert [entry["seed"] for entry in merged["history"]] == [1, 2, 3, 4]
    assert merged["test"]["predictions"] == [9.0]
    assert merged["seconds"] == 25
    assert merged["command"] == "train --shard=1\ntrain --seeds=2"
    assert merged["flags"] == {"task": "nav17"}
    assert merged["warnings"] == []


def test_merge_does_not_depend_on_the_order():
    assert records.merge(shards()) == records.merge(shards()[::-1])


def test_merge_of_one_record_changes_no_number():
    merged = records.merge([small()])
    assert records.table(merged) == records.table(small())


def test_merge_leaves_its_input_alone():
    before = shards()
    after = copy.deepcopy(before)
    records.merge(after)
    assert json.dumps(before) == json.dumps(after)


def test_merge_keeps_suspicion():
    first, second = shards()
    first["source"]["fingerprint_after"] = "b2"
    first["versions"] = {"keras": "3.14"}
    first["models"][0]["reasons"] = {"rmse": "failed"}
    merged = records.merge([first, second])
    assert merged["source"]["fingerprint_after"] == "b2"
    assert "different package versions" in merged["warnings"][0]
    assert merged["models"][0]["reasons"] == {"rmse": "failed"}


@pytest.mark.parametrize(
    ("part", "name", "value", "message"),
    [
        ("task", "name", "herg", "task 'name' is 'nav17' .* 'herg'"),
        ("flags", "epochs", 3, r"'epochs' is '\(absent\)' in one and 3 in"),
        ("source", "name", "other", "source 'name' is"),
        ("source", "fingerprint_before", "b", "source 'fingerprint_before' is"),
    ],
)
def test_merge_refuses_different_runs(part, name, value, message):
    first, second = small((0, 1)), small((2, 3))
    second[part][name] = value
    with pytest.raises(ValueError, match=message):
        records.merge([first, second])


def test_merge_refuses_other_models_and_sizes():
    first, second = small((0, 1)), small((2, 3))
    del second["models"][0]
    with pytest.raises(ValueError, match="model 'mean predictor' is"):
        records.merge([first, second])
    second = small((2, 3)) | {"train_size": 32}
    with pytest.raises(
        ValueError, match="'train_size' is 128 in one and 32 in"
    ):
        records.merge([first, second])


def test_merge_refuses_a_seed_twice_and_nothing():
    with pytest.raises(
        ValueError, match=r"more than one record.*\[0, 1, 1, 2\]"
    ):
        records.merge([small((0, 1)), small((1, 2))])
    with pytest.raises(ValueError, match="must not be empty"):
        records.merge([])
