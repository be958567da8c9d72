"""Recipes reach every mapping and every loss by name."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops
from small_sources import images
from small_sources import tokens

from reprogram import losses
from reprogram import mappings
from reprogram import sources
from reprogram.predictors import training
from reprogram.predictors.mapping_of import choose
from reprogram.predictors.mapping_of import encoder
from reprogram.predictors.recipe import Recipe

NAMES = ("high", "low", "middle")
SHORT = Recipe(epochs=2, patience=9)


def data(samples=36):
    rng = np.random.default_rng(0)
    x = rng.random((samples, 4, 4, 1)) * rng.random((samples, 1, 1, 1))
    labels = np.digitize(x.mean((1, 2, 3)), [0.15, 0.3])
    return (255 * x).astype("float32"), labels


def build(recipe, source=None, targets=NAMES):
    source = source or images()
    shape = (None, 4, 4, 1)
    return training.build(source, "classification", targets, recipe, shape)


@pytest.fixture
def label_encoder(monkeypatch):
    """A source of text that answers with the letters of a name."""
    letters = keras.Sequential(
        [keras.Input((9,)), keras.layers.CategoryEncoding(128, "count")]
    )
    source = sources.Source(
        letters,
        "letters",
        "token",
        preprocess=lambda rows: np.array(
            [[*map(ord, row.ljust(9))][:9] for row in rows]
        ),
    )
    monkeypatch.setattr(sources, "load", lambda name: source)
    return source


CHOICES = {
    "random": {"labels_per_class": 1},
    "frequency": {},
    "iterative": {},
    "optimal": {},
    "bayesian": {},
    "bayesian_plus": {},
    "semantic": {"label_encoder": "letters"},
    "correction": {"rank": 2},
    "linear": {"rank": 2, "features": False},
}


@pytest.mark.parametrize("name", CHOICES)
def test_every_mapping_is_reached_trained_and_described(name, label_encoder):
    source = images()
    recipe = dataclasses.replace(SHORT, mapping=name, **CHOICES[name])
    model = build(recipe, source)
    assert type(model.mapping) is mappings.MAPPINGS[name]
    assert model.feature_layer is None
    x, y = data()
    history = training.train(
        model, source, recipe, (x[:28], y[:28]), (x[28:], y[28:])
    )
    assert np.isfinite(history["val_loss"]).all()
    found = training.predict(model, source, "classification", x)
    assert found.shape == (36, 3) and np.isfinite(found).all()
    rows = mappings.describe(model.mapping, source.class_names, NAMES)
    assert [row[0] for row in rows] == list(NAMES)


def test_options_of_a_recipe_reach_the_mapping():
    source = dataclasses.replace(images())
    recipe = Recipe(mapping="random", labels_per_class=2)
    mapping = choose(recipe, source, "classification", 2, seed=5)
    assert (mapping.labels_per_class, mapping.seed) == (2, 5)
    recipe = Recipe(mapping="correction", labels_per_class=2)
    mapping = choose(recipe, source, "classification", 2)
    assert (mapping.rank, mapping.base.labels_per_class) == (1, 2)
    mapping = choose(Recipe(rank=2), source, "multilabel", ("a", "b"))
    assert (mapping.rank, mapping.problem) == (2, "multilabel")
    assert choose(Recipe(), source, "regression", 1).rank is None


def adapted_with(monkeypatch, mapping):
    """Numbers of samples that the mapping is adapted with, in order."""
    source, counts = images(), []
    recipe = dataclasses.replace(SHORT, mapping=mapping)
    model = build(recipe, source)
    original = model.mapping.adapt

    def adapt(answers, labels):
        counts.append(len(labels))
        original(answers, labels)

    model.mapping.adapt = adapt
    x, y = data()
    training.train(model, source, recipe, (x[:28], y[:28]), (x[28:], y[28:]))
    return counts


def test_epochs_count_training_rows_only(monkeypatch):
    assert adapted_with(monkeypatch, "iterative") == [28, 28, 28, 36]
    assert adapted_with(monkeypatch, "optimal") == [28, 36]
    assert adapted_with(monkeypatch, "correction") == [28]


@pytest.mark.parametrize("rate", [1e-2, 1e30])
def test_a_mapping_that_counts_ends_with_all_labels(rate):
    source = images()
    recipe = Recipe(mapping="bayesian", epochs=2, learning_rate=rate)
    model = build(recipe, source)
    x, y = data()
    training.train(model, source, recipe, (x[:28], y[:28]), (x[28:], y[28:]))
    fresh = mappings.BayesianMapping(3)
    fresh.adapt(model.source_scores(source.preprocess(x)), y)
    np.testing.assert_allclose(
        model.mapping.matrix(), fresh.matrix(), atol=1e-6
    )


@pytest.mark.parametrize("name", losses.NAMED)
def test_every_loss_is_reached_and_told_the_classes(name, monkeypatch):
    source = images()
    told = []
    original = losses.get
    monkeypatch.setattr(
        losses, "get", lambda *args: told.append(args) or original(*args)
    )
    recipe = dataclasses.replace(SHORT, loss=name)
    model = build(recipe, source)
    x, y = data()
    history = training.train(
        model, source, recipe, (x[:28], y[:28]), (x[28:], y[28:])
    )
    assert np.isfinite(history["val_loss"]).all()
    assert told[0] == (name, "classification")
    np.testing.assert_array_equal(told[1][2], np.bincount(y[:28], minlength=3))
    assert float(ops.convert_to_numpy(model.optimizer.learning_rate)) == (
        pytest.approx(recipe.learning_rate)
    )


@pytest.mark.parametrize(
    ("choices", "problem", "message"),
    [
        ({"mapping": "explicit"}, "classification", "ExplicitMapping"),
        ({"mapping": "semantic"}, "classification", "`label_encoder` in"),
        ({"mapping": "bayesian"}, "regression", "'bayesian' chooses.*'linear'"),
        ({"mapping": "optimal", "labels_per_class": 2}, "classification", "6"),
        ({"rank": 4}, "classification", "rank=4, targets=3"),
        ({"loss": "hinge"}, "classification", "no loss 'hinge'.*focal"),
        ({"loss": "focal"}, "regression", "no loss 'focal' for regression"),
    ],
)
def test_choices_that_do_not_go_together(choices, problem, message):
    source = images()
    with pytest.raises(ValueError, match=message):
        training.build(
            source, problem, NAMES, Recipe(**choices), (None, 4, 4, 1)
        )


def test_semantic_says_which_names_are_missing(label_encoder):
    recipe = Recipe(mapping="semantic", label_encoder="letters")
    unnamed = dataclasses.replace(images(), class_names=())
    with pytest.raises(ValueError, match="names of the source's classes and n"):
        choose(recipe, unnamed, "classification", 3)
    found = encoder("letters")(["ab", "b"])
    assert found.shape == (2, 128) and found[0, ord("a")] == 1


def test_a_label_encoder_that_reads_no_text_is_refused(monkeypatch):
    monkeypatch.setattr(sources, "load", lambda name: tokens())
    with pytest.raises(ValueError, match="'molecule' and must read 'token'"):
        encoder("tokens")


def test_only_what_changes_is_restored():
    model = build(Recipe(mapping="bayesian"))
    changing = training._changing(model)
    assert [w.name for w in changing] == ["program", "shares"]
