"""One experiment: a record of it, what it learns from, and going on again."""

import dataclasses
import functools
import pathlib
import shutil
import tempfile

import h5py
import keras
import numpy as np
import pytest
from small_sources import images
from small_sources import tokens

from reprogram import files
from reprogram import metrics
from reprogram.experiments.run import Experiment
from reprogram.molecules import Tokenizer
from reprogram.predictors import training
from reprogram.predictors.baselines import BaselinePredictor
from reprogram.predictors.data import Data
from reprogram.predictors.recipe import Recipe
from reprogram.report import record
from reprogram.reprogrammer import fingerprint
from reprogram.tasks import splits
from reprogram.tasks.describe import describe
from reprogram.tasks.task import Task

RECIPE = Recipe(epochs=2, prompt_length=2, views=1)
PROBLEMS = ("classification", "multilabel", "regression")


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


def run(
    data, folder, source, recipe=RECIPE, rivals=("trivial", "probe"), keep=True
):
    told = []
    data = dataclasses.replace(data, source=source)
    experiment = Experiment(
        data, "reprogrammed", rivals, recipe, folder, told.append
    )
    result = experiment.run()
    if keep:
        experiment.keep()
    return result, told


class Done:
    """A finished run that several tests look at; two seeds of regression."""

    def __init__(self, problem):
        self.task = image_task(problem)
        seeds = (0, 1) if problem == "regression" else (4,)
        self.data, self.source = drawn(self.task, seeds), images()
        self.before = fingerprint(self.source.model)
        self.kept = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.kept.name)
        self.result, self.told = run(self.data, self.folder, self.source)


done = functools.cache(Done)


def program(folder):
    """The trained numbers that a run has saved."""
    found = {}

    def keep(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with h5py.File(folder / "program.weights.h5") as file:
        file.visititems(keep)
    assert found
    return found


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_a_run_returns_is_a_record(tmp_path, problem):
    run = done(problem)
    seeds = list(run.data.draws)
    train = np.concatenate(run.data.draws[seeds[0]])
    whole = run.result | {
        "command": "test",
        "created": "2026-11-20T10:00:00",
        "flags": {},
        "versions": files.versions(),
        "task": describe(run.task, train, run.data.test),
        "train_size": 30,
        "seconds": 1.0,
        "warnings": [],
    }
    record.save(tmp_path / "record.json", whole)
    assert record.load(tmp_path)["seeds"] == seeds
    assert "reprogrammed source" in record.table(whole)
    assert len(run.told) == len(seeds)
    assert f"seed {seeds[-1]} ({len(seeds)} of" in run.told[-1]
    names = [model["name"] for model in run.result["models"]]
    first = "mean predictor" if problem == "regression" else "majority class"
    assert names == [first, "linear probe", "reprogrammed source"]
    last = run.result["models"][-1]
    assert last["parameters"] == run.result["trainable_parameters"]
    for model in run.result["models"]:
        assert all(len(r) == len(seeds) for r in model["metrics"].values())
        assert len(model["seconds"]) == len(seeds)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_source_is_the_same_before_and_after(problem):
    run = done(problem)
    about = run.result["source"]
    assert about["fingerprint_before"] == about["fingerprint_after"]
    assert fingerprint(run.source.model) == run.before
    assert about["fingerprint_after"] == run.before
    assert about["parameters"] == run.source.model.count_params()


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_predictions_are_those_of_the_saved_model(problem):
    run = done(problem)
    rows = run.data.test
    found = np.array(run.result["test"]["predictions"])
    if problem == "classification":
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    if problem != "regression":
        assert found.min() >= 0 and found.max() <= 1
    targets = np.array(run.result["test"]["targets"])
    np.testing.assert_allclose(targets, run.data.targets[rows], rtol=1e-6)
    assert run.result["test"]["inputs"] == rows.tolist()
    scores = dict(metrics.evaluate(problem, run.data.targets[rows], found))
    for name, value in scores.items():
        seeds = run.result["models"][-1]["metrics"][name]
        assert seeds[0] == pytest.approx(value, nan_ok=True)
    model = keras.saving.load_model(run.folder / "model.keras")
    again = training.predict(
        model, run.source, problem, run.data.inputs[rows], RECIPE.views
    )
    np.testing.assert_allclose(found, again, atol=1e-5)


def test_the_test_set_does_not_reach_training(tmp_path):
    clean, rng = done("regression"), np.random.default_rng(1)
    data = dataclasses.replace(
        clean.data,
        draws={0: clean.data.draws[0]},
        targets=clean.data.targets.copy(),
        inputs=clean.data.inputs.copy(),
    )
    unused = np.setdiff1d(np.arange(60), np.concatenate(data.draws[0]))
    data.targets[unused] = 1e3 * rng.normal(size=(len(unused), 1))
    rest = np.setdiff1d(unused, data.test)
    data.inputs[rest] = 255 * rng.random((len(rest), 6, 6, 1))
    poisoned, _ = run(data, tmp_path, clean.source)
    mine, its = program(clean.folder), program(tmp_path)
    assert mine.keys() == its.keys()
    for name in mine:
        np.testing.assert_array_equal(mine[name], its[name])
    for part in ("predictions", "inputs"):
        assert clean.result["test"][part] == poisoned["test"][part]
    assert clean.result["history"][0] == poisoned["history"][0]
    assert clean.result["test"]["targets"] != poisoned["test"]["targets"]


def test_a_target_that_is_validated_on_does_matter(tmp_path):
    clean = done("regression")
    targets = clean.data.targets.copy()
    targets[clean.data.draws[0][1][0]] += 1.0
    draws = {0: clean.data.draws[0]}
    data = dataclasses.replace(clean.data, targets=targets, draws=draws)
    other, _ = run(data, tmp_path, clean.source)
    assert clean.result["history"][0] != other["history"][0]


class Stopped(Exception):
    pass


def stop(*arguments, **options):
    raise Stopped


def test_validation_labels_are_part_of_the_train_size(tmp_path, monkeypatch):
    seen = []
    original = BaselinePredictor.fit_table

    def spy(self, problem, count, table, targets):
        seen.append((len(table), len(targets)))
        return original(self, problem, count, table, targets)

    monkeypatch.setattr(BaselinePredictor, "fit_table", spy)
    monkeypatch.setattr(training, "build", stop)
    data = drawn(image_task(), (0,), size=30)
    fit, validation = data.draws[0]
    rows = [*fit, *validation]
    assert len(set(rows)) == 30 and not set(rows) & set(data.test)
    assert len(validation) >= 3
    with pytest.raises(Stopped):
        run(data, tmp_path, images())
    assert seen == [(30, 30), (30, 30)]


def test_a_seed_that_was_interrupted_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "train", stop)
    with pytest.raises(Stopped):
        run(drawn(image_task("regression"), (0,)), tmp_path, images())
    done = sorted(path.name for path in tmp_path.rglob("*.json"))
    assert done == ["0-probe.json", "0-trivial.json"]


def test_finished_seeds_are_not_trained_again(tmp_path, monkeypatch):
    whole = done("regression")
    folder = shutil.copytree(whole.folder, tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(training, "build", stop)
        again, told = run(whole.data, folder, whole.source, keep=False)
    assert again == whole.result and told == whole.told
    (folder / "cells" / "1-reprogrammed.json").unlink()
    again, told = run(whole.data, folder, whole.source)
    assert again["history"] == whole.result["history"]
    assert again["test"] == whole.result["test"]
    assert again["history"][0]["loss"] != again["history"][1]["loss"]


def test_a_metric_that_is_not_defined_is_told_as_such(tmp_path):
    data = drawn(image_task("multilabel"), (0,))
    data.targets[data.test] = 1.0
    result, told = run(data, tmp_path, images(), rivals=("trivial",))
    assert "roc_auc n/a" in told[0]
    assert result["models"][0]["metrics"]["roc_auc"] == [None]


def molecular():
    """A token source that reads molecules of carbon, nitrogen and oxygen."""
    tokenizer = Tokenizer(["C", "N", "O"], 16)
    return dataclasses.replace(
        tokens(),
        preprocess=lambda rows: tokenizer([str(row) for row in rows], 16),
        explain=tokenizer.explain,
        augment=lambda rows, seed: rows,
    )


def test_molecules_are_named_and_read_as_strings(tmp_path):
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
    rivals = ("trivial", "probe", "gaussian-process")
    result, _ = run(data, tmp_path, molecular(), rivals=rivals)
    assert result["test"]["inputs"] == [smiles[row] for row in data.test]
    assert [model["name"] for model in result["models"]] == [
        "mean predictor",
        "linear probe",
        "Tanimoto Gaussian process, ECFP4 counts",
        "reprogrammed source",
    ]
    errors = {m["name"]: m["metrics"]["rmse"][0] for m in result["models"]}
    assert errors["reprogrammed source"] < errors["mean predictor"]
    assert "mapping" not in result


def test_a_source_of_another_modality_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match="'tokens' reads .*'molecule'.*'image'"
    ):
        run(drawn(image_task(), (0,)), tmp_path, tokens())


def test_a_recipe_that_does_not_fit_is_refused(tmp_path):
    recipe = Recipe(transform="soft_prompt")
    with pytest.raises(ValueError, match="does not say behind which layer"):
        run(drawn(image_task(), (0,)), tmp_path, images(), recipe)


def test_a_lost_model_is_trained_again(tmp_path):
    whole = done("regression")
    folder = shutil.copytree(whole.folder, tmp_path / "run")
    (folder / "model.keras").unlink()
    second = folder / "cells" / "1-reprogrammed.json"
    untouched = second.stat().st_mtime_ns
    again, _ = run(whole.data, folder, whole.source)
    assert (folder / "model.keras").exists()
    assert second.stat().st_mtime_ns == untouched
    assert again["test"] == whole.result["test"]


def test_the_kept_predictor_is_fitted_to_all_labels_in_the_end(tmp_path):
    data = dataclasses.replace(
        drawn(image_task("regression"), (0,)), source=images()
    )
    experiment = Experiment(
        data, "probe", ("trivial",), RECIPE, tmp_path, lambda line: None
    )
    before = experiment.run()
    text = experiment.keep(splits.draw(image_task("regression"), np.arange(60)))
    assert text.startswith("fitted again to all 60 labels")
    with np.load(tmp_path / "training.npz") as kept:
        assert len(kept["targets"]) == 60
    assert experiment.run() == before


def test_predictors_are_checked_before_anything_is_fitted(tmp_path):
    data = dataclasses.replace(drawn(image_task(), (0,)), source=images())
    with pytest.raises(ValueError, match="no predictor 'prob'. Choose one of"):
        Experiment(data, "reprogrammed", ("prob",), RECIPE, tmp_path)


def test_a_recipe_is_checked_before_any_rival_is_fitted(tmp_path, monkeypatch):
    monkeypatch.setattr(BaselinePredictor, "fit", stop)
    data = dataclasses.replace(drawn(image_task(), (0,)), source=images())
    for recipe, message in (
        (Recipe(mapping="nope"), "Unknown label mapping"),
        (Recipe(transform="soft_prompt"), "does not say behind which layer"),
    ):
        with pytest.raises(ValueError, match=message):
            Experiment(data, "reprogrammed", ("probe",), recipe, tmp_path)
    with pytest.raises(ValueError, match="'ensemble' reads molecules"):
        Experiment(data, "probe", ("ensemble",), RECIPE, tmp_path)
