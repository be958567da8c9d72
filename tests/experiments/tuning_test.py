"""The search never sees a test row, resumes, and says what mattered."""

import json

import numpy as np
import pytest

from reprogram import sources
from reprogram.experiments import tuning
from reprogram.predictors.data import Data
from reprogram.predictors.recipe import Recipe
from reprogram.report.pages import tuning as reports
from tests import commands

optuna = pytest.importorskip("optuna", reason="optuna is not installed")


def data():
    rng = np.random.default_rng(0)
    inputs = rng.uniform(0, 255, (40, 8, 8, 1))
    labels = np.arange(40) % 2
    inputs[labels == 1, :4] = 255
    # Reading a test row would spoil the losses.
    inputs[30:], targets = np.nan, labels.copy()
    targets[30:] = 99
    return Data(
        inputs,
        targets,
        "classification",
        "image",
        ("a", "b"),
        {0: (np.arange(20), np.arange(20, 30))},
        np.arange(30, 40),
        sources.load("shapes"),
    )


BASE = Recipe(epochs=1)


def test_search_resumes_and_keeps_the_best(tmp_path):
    lines = []
    first = tuning.search(data(), BASE, tmp_path, 3, tell=lines.append)
    assert len(lines) == 3 and lines[0].startswith("trial 0")
    again = tuning.search(data(), BASE, tmp_path, 4, tell=lines.append)
    assert len(lines) == 4 and len(again.trials) == 4
    values = [t.value for t in again.trials if t.value is not None]
    assert np.isfinite(values).all() and again.best_value == min(values)
    assert first.trials[0].value == again.trials[0].value
    reports.write(again, tmp_path)
    best = json.loads((tmp_path / "recipe.json").read_text())
    assert Recipe(**best).epochs == 1
    page = (tmp_path / "tuning.html").read_text()
    assert "4 trials" in page or "refused" in page


def test_first_trial_is_the_recipe_as_it_is(tmp_path):
    study = tuning.search(data(), BASE, tmp_path, 1, tell=str)
    assert study.trials[0].user_attrs["recipe"] == vars(BASE)
    assert study.trials[0].value == tuning.loss_of(BASE, data())[0]


def test_recipes_come_from_the_space():
    seen, rows = set(), data()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    for _ in range(60):
        recipe = tuning.suggest(study.ask(), rows, BASE)
        seen.add((recipe.transform, recipe.mapping))
        assert recipe.epochs == 1 and 0.4 <= recipe.window <= 1
    assert {t for t, _ in seen} == set(tuning.TRANSFORMS["image"])
    assert {m for _, m in seen} == set(tuning.MAPPINGS)


def test_recipes_that_do_not_fit_are_named(tmp_path, monkeypatch):
    def refuse(*_):
        raise ValueError("They do not go together.")

    monkeypatch.setattr(tuning, "loss_of", refuse)
    study = tuning.search(data(), BASE, tmp_path, 2, tell=str)
    assert all(t.state.name == "PRUNED" for t in study.trials)
    assert study.trials[0].user_attrs["refused"] == "They do not go together."


def test_script_and_its_recipe(tmp_path):
    common = ("--task=digits", "--train_size=40", "--epochs=1")
    tune = (*common, "--seeds=1", f"--output_dir={tmp_path}/t")
    found = commands.run(
        "reprogram.scripts.tune",
        (*tune, "--trials=2"),
        (*tune, "--trials=3"),
        (*tune, "--trials=3", "--learning_rate=0.5"),
    )
    assert [ended.code for ended in found] == [0, 0, 2], found[0].err
    assert found[1].out.count("trial ") == 1
    assert "another configuration" in found[2].err
    (trained,) = commands.run(
        "reprogram.scripts.train",
        (
            *common,
            "--seeds=1",
            "--compare=none",
            "--norefit",
            f"--recipe={tmp_path}/t/recipe.json",
            f"--output_dir={tmp_path}/r",
        ),
    )
    assert trained.code == 0, trained.err
    best = json.loads((tmp_path / "t" / "recipe.json").read_text())
    kept = json.loads((tmp_path / "r" / "record.json").read_text())["recipe"]
    assert kept == best
