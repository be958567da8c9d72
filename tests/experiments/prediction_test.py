"""Predictors: loading, columns, cells, and every row its own answer."""

import dataclasses
import json
import pathlib
import shutil

import commands
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from reprogram import sources
from reprogram.experiments import prediction
from reprogram.reprogrammer import Reprogrammer
from reprogram.tasks import readers


def test_test_set_of_the_record_comes_out_again():
    run = commands.runs().molecules
    predictor = prediction.load(run)
    test = predictor.record["test"]
    cells = predictor(test["inputs"], [""] * len(test["inputs"]))
    np.testing.assert_allclose(
        np.array([row[0] for row in cells], float),
        np.array(test["predictions"])[:, 0],
        rtol=1e-4,
        atol=1e-5,
    )
    columns = predictor.columns()
    assert columns[:3] == ["prediction", "lower", "upper"]
    for row in cells:
        cell = dict(zip(columns, row))
        assert float(cell["lower"]) < float(cell["upper"])
        assert cell["nearest"] and cell["nearest_id"].startswith("m")
        assert 0 <= float(cell["similarity"]) <= 1


def test_another_source_is_refused():
    with pytest.raises(ValueError, match="The source 'shapes' has other sou"):
        prediction.load(commands.runs().series, "shapes")


def test_no_model(tmp_path):
    with pytest.raises(FileNotFoundError, match="No record at"):
        prediction.load(tmp_path / "none")
    shutil.copy(commands.runs().series / "record.json", tmp_path)
    with pytest.raises(FileNotFoundError, match="No model at .* Train again"):
        prediction.load(tmp_path)
    path = tmp_path / "model.keras"
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="cannot be loaded. Keras 3"):
        prediction.load(tmp_path)
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
    with pytest.raises(ValueError, match="a Reprogrammer .* Received: Seque"):
        prediction.load(tmp_path)


def test_model_loads_in_a_fresh_process():
    code = (
        "import sys, keras\n"
        "from reprogram import Reprogrammer\n"
        "for path in sys.argv[1:]:\n"
        "    model = keras.saving.load_model(path)\n"
        "    assert isinstance(model, Reprogrammer)\n"
        "    print(len(model.trainable_weights), model.source_fingerprint())\n"
    )
    runs = commands.runs()
    folders = [runs.molecules, runs.images, runs.series]
    found = commands.python("-c", code, *(f / "model.keras" for f in folders))
    assert found.returncode == 0, found.stderr[-2000:]
    for line, path in zip(found.stdout.splitlines(), folders, strict=True):
        count, fingerprint = line.split()
        record = json.loads((path / "record.json").read_text())
        assert 1 <= int(count) <= 4
        assert fingerprint == record["source"]["fingerprint_after"]


INTERVAL = ("prediction", "lower", "upper")


class Means:
    """Answers with the mean of each input, and with its square."""

    def predict(self, x: np.ndarray) -> np.ndarray:
        means = x.reshape(len(x), -1).mean(axis=1)
        return np.stack([means, means**2], axis=1).astype("float32")


def stub(problem: str, *names: str, **fields: object) -> prediction.Run:
    task = {"problem": problem, "target_names": list(names)}
    record = {"task": task | {"modality": "series"}}
    about = {"preprocess": np.asarray, "modality": "series", **fields}
    source = sources.Source(model=None, name="stub", **about)
    return prediction.Run(pathlib.Path(), record, Means(), source)


@pytest.mark.parametrize(
    ("problem", "names", "expected"),
    [
        ("regression", ["y"], ["prediction", "lower", "upper"]),
        (
            "regression",
            ["a", "b"],
            [f"{kind}_{n}" for n in "ab" for kind in INTERVAL],
        ),
        (
            "classification",
            ["no", "yes"],
            ["prediction", "probability_no", "probability_yes", "set"],
        ),
        ("multilabel", ["y"], ["prediction", "probability", "set"]),
        (
            "multilabel",
            ["a", "b"],
            [
                f"{kind}_{n}"
                for n in "ab"
                for kind in ("prediction", "probability", "set")
            ],
        ),
    ],
)
def test_columns(problem, names, expected):
    predictor = stub(problem, *names)
    assert predictor.columns(["smiles"]) == [*expected, "reason"]
    for taken in (expected[0], "reason"):
        found = predictor.columns([taken, f"{taken}_2"])
        assert found == [f"{name}_3" for name in [*expected, "reason"]]


def test_cells_of_each_problem():
    values = np.array([[[0.5]], [[-2.0]], [[np.inf]]])
    regression = stub("regression", "a", "b")(values, [""] * 3)
    # Without a test set nothing can be promised.
    assert regression[0] == ["0.5", "-inf", "inf", "0.25", "-inf", "inf", ""]
    assert regression[2] == [""] * 6 + ["the model gives no finite number"]
    labels = stub("multilabel", "a", "b")(values[:1], [""])[0]
    assert labels == ["0", "0.5", "0 1", "0", "0.25", "0 1", ""]
    classes = stub("classification", "no", "yes")(values[:2], [""] * 2)
    assert [row[0] for row in classes] == ["no", "yes"]
    assert classes[0][1:] == ["0.5", "0.25", "no | yes", ""]


def test_intervals_come_from_the_test_set_of_the_run():
    run = stub("regression", "a", "b")
    truth = np.linspace(-1, 1, 19)[:, None] * [1.0, 2.0]
    known = truth + np.linspace(0, 0.9, 19)[:, None]
    run.record["test"] = {
        "targets": truth.tolist(),
        "predictions": known.tolist(),
    }
    cells = run(np.zeros((1, 3, 1)), [""])[0]
    assert [float(c) for c in cells[:3]] == pytest.approx([0, -0.85, 0.85])
    sure = dataclasses.replace(run, confidence=0.99)
    assert sure(np.zeros((1, 3, 1)), [""])[0][1] == "-inf"


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(-99, 99), st.booleans(), st.booleans())))
def test_every_row_gets_its_own_answer(rows):
    values = [np.full((3, 1), v) if good else None for v, good, _ in rows]
    reasons = ["" if good else f"bad {v}" for v, good, _ in rows]
    odd = {v for v, _, readable in rows if not readable}

    def explain(value: np.ndarray | None) -> str:
        return f"odd {value[0, 0]}" if value[0, 0] in odd else ""

    predictor = stub("regression", "a", "b", explain=explain)
    for (value, good, _), cells in zip(rows, predictor(values, reasons)):
        if not good:
            assert cells == [""] * 6 + [f"bad {value}"]
        elif value in odd:
            assert cells == [""] * 6 + [f"odd {value}"]
        else:
            assert [float(c) for c in cells[:6:3]] == [value, value**2]
            assert cells[6] == ""


def test_parts_give_what_the_whole_gives():
    runs = commands.runs()
    predictor = prediction.load(runs.series)
    assert isinstance(predictor.model, Reprogrammer)
    whole = readers.load(runs.waves, predictor.record)
    _, values, reasons = next(whole.parts())
    expected = predictor(values, reasons)
    found = []
    parts = readers.load(runs.waves, predictor.record)._replace(size=17)
    for _, values, reasons in parts.parts():
        found += predictor(values, reasons)
    assert [row[0] for row in found] == [row[0] for row in expected]
    np.testing.assert_allclose(
        np.array([row[1:3] for row in found], float),
        np.array([row[1:3] for row in expected], float),
        rtol=1e-4,
        atol=1e-6,
    )
    assert predictor([None], ["bad"]) == [["", "", "", "", "bad"]]


@pytest.mark.parametrize("kind", ["ensemble", "forest"])
def test_runs_of_other_predictors_are_read(kind):
    run = prediction.load(getattr(commands.runs(), kind))
    assert run.model is None
    columns = run.columns()
    cells = run(["CCCCO", "C" * 40], ["", ""])
    for row in cells:
        cell = dict(zip(columns, row))
        assert float(cell["lower"]) <= float(cell["prediction"])
        assert cell["in_domain"] in ("true", "false")
        assert cell["nearest_id"].startswith("m")
        assert float(cell["nearest_value"]) > 0
        assert not cell["reason"]


def test_runs_of_the_script_for_molecules_are_still_read(tmp_path):
    runs = commands.runs()
    shutil.copy(runs.ensemble / "predictor.json", tmp_path)
    result = {
        "task": "mol",
        "unit": "",
        "target_names": ["target"],
        "standard": True,
        "confidence": 0.9,
        "scores": {"rmse": [1.0, 0.9, 1.1]},
    }
    (tmp_path / "result.json").write_text(json.dumps(result))
    old, new = (prediction.load(path) for path in (tmp_path, runs.ensemble))
    row, expected = (run(["CCCCO"], [""])[0] for run in (old, new))
    assert row[:3] == expected[:3]
    assert row[4] == expected[4]
