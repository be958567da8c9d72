"""One experiment: a record of it, what it learns from, and going on again."""

import dataclasses
import json

import h5py
import numpy as np
import pytest
from small_sources import images
from small_sources import tokens

from reprogram import baselines
from reprogram import experiment
from reprogram import metrics
from reprogram import recipe as recipes
from reprogram.experiment import Data
from reprogram.molecules import Tokenizer
from reprogram.recipe import Recipe
from reprogram.report import record
from reprogram.reprogrammer import fingerprint
from tasks import splits
from tasks.describe import describe
from tasks.task import Task

RECIPE = Recipe(epochs=2, prompt_length=2, views=1)


@pytest.fixture(autouse=True)
def one_baseline(monkeypatch):
    """The probe stands for all baselines, which have their own tests."""
    for modality in ("image", "molecule"):
        monkeypatch.setitem(baselines.BASELINES, modality, [baselines.PROBE])


def image_task(problem="classification", rows=60):
    rng = np.random.default_rng(0)
    x = rng.random((rows, 6, 6, 1)) * rng.random((rows, 1, 1, 1))
    score = x.mean((1, 2, 3)) - 0.25
    targets = {
        "classification": np.digitize(score, [-0.1, 0.1]).astype("int64"),
        "multilabel": np.stack([score > 0, score < -0.1], 1).astype("float32"),
        "regression": score[:, None].astype("float32"),
    }[problem]
    names = {"classification": ("low", "middle", "high"), "regression": ("y",)}
    return Task(
        name="brightness",
        modality="image",
        problem=problem,
        inputs=(255 * x).astype("float32"),
        targets=targets,
        target_names=names.get(problem, ("bright", "dark")),
        metric="rmse" if problem == "regression" else "roc_auc",
    )


def drawn(task, seeds=(0, 1), size=30):
    train, test = splits.random_split(task, 0.25)
    return Data(
        inputs=task.inputs,
        targets=task.targets,
        problem=task.problem,
        modality=task.modality,
        names=task.target_names,
        draws={seed: splits.draw(task, train, size, seed) for seed in seeds},
        test=test,
    )


def run(data, folder, source=None, recipe=RECIPE):
    told = []
    source = source or images()
    return experiment.run(data, source, recipe, folder, told.append), told


def program(folder):
    """The trained numbers that a run has saved."""
    found = {}
    with h5py.File(folder / "program.weights.h5") as file:
        file.visititems(
            lambda name, item: (
                isinstance(item, h5py.Dataset)
                and found.update({name: item[()]})
            )
        )
    assert found
    return found


@pytest.mark.parametrize(
    "problem", ["classification", "multilabel", "regression"]
)
def test_what_a_run_returns_is_a_record(tmp_path, problem):
    task, source = image_task(problem), images()
    data = drawn(task)
    result, told = run(data, tmp_path, source)
    train = np.concatenate(data.draws[0])
    whole = result | {
        "command": "test",
        "created": "2026-11-20T10:00:00",
        "flags": {},
        "versions": record.versions(),
        "task": describe(task, train, data.test),
        "train_size": 30,
        "seconds": 1.0,
        "warnings": [],
    }
    record.save(tmp_path / "record.json", whole)
    assert record.load(tmp_path)["seeds"] == [0, 1]
    assert "reprogrammed source" in record.table(whole)
    assert len(told) == 2 and "seed 1 (2 of 2): reprogrammed" in told[1]
    names = [model["name"] for model in result["models"]]
    first = baselines.MEAN if problem == "regression" else baselines.MAJORITY
    assert names == [first.name, "linear probe", "reprogrammed source"]
    assert result["models"][-1]["parameters"] == result["trainable_parameters"]
    for model in result["models"]:
        assert all(len(row) == 2 for row in model["metrics"].values())
        assert len(model["seconds"]) == 2


def test_the_source_is_the_same_before_and_after(tmp_path):
    source = images()
    before = fingerprint(source.model)
    result, _ = run(drawn(image_task()), tmp_path, source)
    about = result["source"]
    assert about["fingerprint_before"] == about["fingerprint_after"] == before
    assert about["parameters"] == source.model.count_params()


@pytest.mark.parametrize(
    "problem", ["classification", "multilabel", "regression"]
)
def test_the_predictions_are_those_of_the_saved_model(tmp_path, problem):
    import keras

    source, data = images(), drawn(image_task(problem), (4, 2))
    result, _ = run(data, tmp_path, source)
    found = np.array(result["test"]["predictions"])
    if problem == "classification":
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    if problem != "regression":
        assert found.min() >= 0 and found.max() <= 1
    targets = np.array(result["test"]["targets"])
    np.testing.assert_allclose(targets, data.targets[data.test], rtol=1e-6)
    assert result["test"]["inputs"] == data.test.tolist()
    scores = dict(metrics.evaluate(problem, data.targets[data.test], found))
    for name, value in scores.items():
        seeds = result["models"][-1]["metrics"][name]
        assert seeds[0] == pytest.approx(value, nan_ok=True)
    model = keras.saving.load_model(tmp_path / "model.keras")
    again = recipes.predict(
        model, source, problem, data.inputs[data.test], RECIPE.views
    )
    np.testing.assert_allclose(found, again, atol=1e-5)


def test_the_test_set_does_not_reach_training(tmp_path):
    source, data = images(), drawn(image_task("regression"), (0,))
    clean, _ = run(data, tmp_path / "clean", source)
    rng = np.random.default_rng(1)
    unused = np.setdiff1d(np.arange(60), np.concatenate(data.draws[0]))
    targets, inputs = data.targets.copy(), data.inputs.copy()
    targets[unused] = 1e3 * rng.normal(size=(len(unused), 1))
    rest = np.setdiff1d(unused, data.test)
    inputs[rest] = 255 * rng.random((len(rest), 6, 6, 1))
    poisoned = dataclasses.replace(data, targets=targets, inputs=inputs)
    other, _ = run(poisoned, tmp_path / "poisoned", source)
    mine, his = program(tmp_path / "clean"), program(tmp_path / "poisoned")
    assert mine.keys() == his.keys()
    for name in mine:
        np.testing.assert_array_equal(mine[name], his[name])
    assert clean["test"]["predictions"] == other["test"]["predictions"]
    assert clean["history"] == other["history"]
    assert clean["test"]["targets"] != other["test"]["targets"]


def test_a_target_that_is_learned_from_does_matter(tmp_path):
    source, data = images(), drawn(image_task("regression"), (0,))
    clean, _ = run(data, tmp_path / "clean", source)
    targets = data.targets.copy()
    targets[data.draws[0][1][0]] += 1.0
    other, _ = run(
        dataclasses.replace(data, targets=targets), tmp_path / "other", source
    )
    assert clean["history"] != other["history"]


def test_validation_labels_are_part_of_the_train_size(tmp_path, monkeypatch):
    seen = []
    original = baselines.fit_predict

    def spy(baseline, problem, train, *rest):
        seen.append(len(train[0]))
        assert len(train[1]) == len(train[0])
        return original(baseline, problem, train, *rest)

    monkeypatch.setattr(baselines, "fit_predict", spy)
    data = drawn(image_task(), (0,), size=30)
    fit, validation = data.draws[0]
    rows = [*fit, *validation]
    assert len(set(rows)) == 30 and not set(rows) & set(data.test)
    assert len(validation) >= 3
    run(data, tmp_path)
    assert seen == [30, 30]


def test_finished_seeds_are_not_trained_again(tmp_path, monkeypatch):
    source, built = images(), []
    original = recipes.build

    def spy(*arguments):
        built.append(arguments[-1])
        return original(*arguments)

    monkeypatch.setattr(recipes, "build", spy)
    first, _ = run(drawn(image_task(), (0,)), tmp_path, source)
    assert built == [0]
    both, told = run(drawn(image_task(), (0, 1)), tmp_path, source)
    assert built == [0, 1] and len(told) == 2
    assert both["test"] == first["test"]
    assert both["history"][0] == first["history"][0]
    again, _ = run(drawn(image_task(), (0, 1)), tmp_path, source)
    assert built == [0, 1] and again == both
    (tmp_path / "seeds" / "1.json").unlink()
    again, _ = run(drawn(image_task(), (0, 1)), tmp_path, source)
    assert built == [0, 1, 1]
    assert again["history"] == both["history"]


def test_an_interrupted_seed_leaves_nothing(tmp_path, monkeypatch):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    source = images()
    with monkeypatch.context() as patch:
        patch.setattr(recipes, "train", stop)
        with pytest.raises(KeyboardInterrupt):
            run(drawn(image_task(), (0,)), tmp_path, source)
    assert not list(tmp_path.rglob("*.json"))
    run(drawn(image_task(), (0,)), tmp_path, source)
    result = json.loads((tmp_path / "seeds" / "0.json").read_text())
    assert result["seed"] == 0


def test_seeds_differ_and_repeat(tmp_path):
    source, data = images(), drawn(image_task("regression"))
    first, _ = run(data, tmp_path / "a", source)
    second, _ = run(data, tmp_path / "b", source)
    assert first["history"] == second["history"]
    assert first["history"][0]["loss"] != first["history"][1]["loss"]


def test_a_metric_that_is_not_defined_is_told_as_such(tmp_path):
    data = drawn(image_task("multilabel"), (0,))
    targets = data.targets.copy()
    targets[data.test] = 1.0
    data = dataclasses.replace(data, targets=targets)
    result, told = run(data, tmp_path)
    assert "roc_auc n/a" in told[0]
    assert result["models"][0]["metrics"]["roc_auc"] == [None]


def molecular(task_smiles):
    """A token source that reads molecules of carbon, nitrogen and oxygen."""
    tokenizer = Tokenizer(["C", "N", "O"], 16)
    return dataclasses.replace(
        tokens(),
        preprocess=lambda rows: tokenizer([str(row) for row in rows], 16),
        explain=tokenizer.explain,
        augment=lambda rows, seed: rows,
    )


def test_molecules_are_named_and_read_as_strings(tmp_path, monkeypatch):
    gp = baselines.Baseline("gp", "ecfp4", baselines.gaussian_process)
    monkeypatch.setitem(baselines.BASELINES, "molecule", [baselines.PROBE, gp])
    smiles = [f"{'C' * n}{end}" for n in range(1, 13) for end in ("", "O", "N")]
    task = Task(
        name="chains",
        modality="molecule",
        problem="regression",
        inputs=np.array(smiles, object),
        targets=np.array([[len(s)] for s in smiles], "float32"),
        target_names=("length",),
        metric="rmse",
    )
    data = drawn(task, (0,), 20)
    result, _ = run(data, tmp_path, molecular(smiles))
    assert result["test"]["inputs"] == [smiles[row] for row in data.test]
    assert [model["name"] for model in result["models"]] == [
        "mean predictor",
        "linear probe",
        "gp",
        "reprogrammed source",
    ]
    errors = {m["name"]: m["metrics"]["rmse"][0] for m in result["models"]}
    assert errors["reprogrammed source"] < errors["mean predictor"]
    assert result["mapping"] is None


def test_a_source_of_another_modality_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match="'tokens' reads .*'molecule'.*'image'"
    ):
        run(drawn(image_task(), (0,)), tmp_path, tokens())


def test_a_recipe_that_does_not_fit_is_refused(tmp_path):
    recipe = Recipe(transform="soft_prompt")
    with pytest.raises(ValueError, match="does not say behind which layer"):
        run(drawn(image_task(), (0,)), tmp_path, images(), recipe)
