"""What a recipe builds, how it trains, and what does not go together."""

import dataclasses

import numpy as np
import pytest
from keras import ops
from small_sources import images
from small_sources import tokens

from reprogram import mappings
from reprogram import metrics
from reprogram import sources
from reprogram.predictors import training
from reprogram.predictors.recipe import Recipe
from reprogram.program import fingerprint
from reprogram.reprogrammer import Reprogrammer

PROBLEMS = ("classification", "multilabel", "regression")
SHORT = Recipe(epochs=2, prompt_length=2)
LEARNED = {
    "classification": ("roc_auc", 0.7),
    "multilabel": ("roc_auc", 0.7),
    "regression": ("r2", 0.2),
}


def data(source, problem, samples=40, seed=0):
    """Inputs of the source's model, and targets that can be learned."""
    rng = np.random.default_rng(seed)
    if source.modality == "image":
        x = rng.random((samples, 4, 4, 1)) * rng.random((samples, 1, 1, 1))
        score = x.mean((1, 2, 3)) - 0.25
        x = (255 * x).astype("float32")
    else:
        x = rng.integers(2, 9, (samples, 6)).astype("int32")
        score = (x == 3).sum(axis=1) - 0.8
    if problem == "regression":
        return x, score[:, None].astype("float32")
    if problem == "multilabel":
        return x, np.stack([score > 0, score < 0], axis=1).astype("float32")
    return x, (score > 0).astype("int64")


def built(source, problem, recipe=SHORT, seed=0):
    x, _ = data(source, problem)
    targets = 1 if problem == "regression" else 2
    shape = (None, *x.shape[1:])
    return training.build(source, problem, targets, recipe, shape, seed)


def train(source, problem, recipe=SHORT):
    """A model trained on 30 samples and validated on 10, and its history."""
    x, y = data(source, problem)
    model = built(source, problem, recipe)
    history = training.train(
        model, source, recipe, (x[:30], y[:30]), (x[30:], y[30:])
    )
    return model, history


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("source", [tokens, images])
def test_every_problem_trains_and_predicts(source, problem):
    source = source()
    before = fingerprint(source.model)
    model, history = train(source, problem)
    assert len(history["loss"]) == len(history["val_loss"]) == 3
    assert np.isfinite(history["loss"][1:] + history["val_loss"]).all()
    assert fingerprint(source.model) == before
    x, y = data(source, problem)
    found = training.predict(model, source, problem, x)
    assert isinstance(found, np.ndarray)
    assert found.shape == (40, 1 if problem == "regression" else 2)
    name, least = LEARNED[problem]
    assert dict(metrics.evaluate(problem, y, found))[name] > least
    if problem != "regression":
        assert found.min() >= 0 and found.max() <= 1
    if problem == "classification":
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_defaults_fit_the_modality():
    model = built(tokens(), "regression", Recipe())
    assert type(model.transform).__name__ == "SoftPrompt"
    assert model.transform.length == 8
    assert model.input_layer == "embeddings"
    assert model.feature_layer == "features"
    model = built(images(), "regression", Recipe())
    assert type(model.transform).__name__ == "Overlay"
    assert model.transform.border == "full"
    recipe = Recipe(transform="padding", window=0.7)
    model = built(images(), "regression", recipe)
    assert tuple(model.transform.window) == (4, 4)
    assert model.feature_layer == "pooled"
    model = built(images(), "classification", Recipe(mapping="frequency"))
    assert model.feature_layer is None


def test_equal_seeds_build_equal_models():
    source = tokens()
    weights = [
        [ops.convert_to_numpy(w) for w in model.trainable_weights]
        for model in (built(source, "regression", seed=s) for s in (1, 1, 2))
    ]
    assert all((a == b).all() for a, b in zip(weights[0], weights[1]))
    assert any((a != b).any() for a, b in zip(weights[0], weights[2]))


def program(model):
    return [ops.convert_to_numpy(w) for w in model.transform.weights]


def test_the_warm_start_is_kept_where_training_does_not_help():
    source = tokens()
    wild = dataclasses.replace(SHORT, learning_rate=100.0)
    model, history = train(source, "regression", wild)
    assert min(history["val_loss"][1:]) > history["val_loss"][0]
    x, y = data(source, "regression")
    twin = built(source, "regression", wild)
    twin.adapt(x, y)
    for mine, his in zip(model.weights, twin.weights):
        np.testing.assert_allclose(mine, his, rtol=1e-4, atol=1e-5)


def test_the_program_of_the_best_epoch_is_kept():
    source = images()
    long = Recipe(
        transform="padding",
        epochs=15,
        patience=2,
        learning_rate=0.05,
        program_rate=1.0,
    )
    model, history = train(source, "regression", long)
    best = int(np.argmin(history["val_loss"][1:])) + 1
    assert 1 <= best < len(history["loss"]) <= 16
    assert history["val_loss"][best] < history["val_loss"][0]
    short = dataclasses.replace(long, epochs=best)
    twin, _ = train(source, "regression", short)
    for mine, his in zip(program(model), program(twin)):
        np.testing.assert_allclose(mine, his, rtol=1e-4, atol=1e-6)


def test_without_epochs_the_mapping_alone_is_fitted():
    recipe = dataclasses.replace(SHORT, epochs=0)
    source = images()
    model, history = train(source, "classification", recipe)
    start = built(source, "classification", recipe).transform.get_weights()
    for before, after in zip(start, model.transform.get_weights()):
        np.testing.assert_array_equal(before, after)
    assert len(history["val_loss"]) == 1 and np.isnan(history["loss"]).all()
    assert model.mapping.matrix().any()


@pytest.mark.parametrize(
    ("choices", "epochs"),
    [
        ({"transform": "sonification"}, 0),
        ({"transform": "sonification", "epochs": 3}, 3),
        ({"transform": "sonification", "features": False}, training.EPOCHS),
        ({"transform": "segments"}, training.EPOCHS),
    ],
)
def test_a_head_on_all_features_of_sounds_needs_no_trained_program(
    choices, epochs
):
    recipe = Recipe(**choices)
    model = training.build(
        sources.load("waves"), "classification", 2, recipe, (None, 30, 1)
    )
    assert training.epochs(model, recipe) == epochs


def test_the_mapping_is_fitted_to_all_labels_at_last():
    source = tokens()
    model, _ = train(source, "regression")
    x, y = data(source, "regression")
    scores = model.source_scores(x)
    np.testing.assert_allclose(
        model.mapping.mean, scores.mean(axis=0), rtol=1e-3, atol=1e-4
    )
    found = ops.convert_to_numpy(model.mapping(scores))
    assert found.mean() == pytest.approx(y.mean(), abs=1e-3)


def test_a_loss_that_is_not_finite_leaves_the_warm_start():
    source = tokens()
    wild = dataclasses.replace(SHORT, learning_rate=1e30)
    model, history = train(source, "regression", wild)
    assert not np.isfinite(history["val_loss"][1:]).any()
    x, _ = data(source, "regression")
    assert np.isfinite(training.predict(model, source, "regression", x)).all()


def reversible():
    """A source whose inputs can be written backwards."""
    return dataclasses.replace(
        tokens(), augment=lambda rows, seed: rows[:, ::-1] + 0 * seed
    )


def test_views_are_further_ways_to_write_the_inputs():
    source = reversible()
    x, _ = data(source, "regression", 4)
    inputs, rows = training.views(source, x, 2)
    assert rows.tolist() == [0, 1, 2, 3] * 3
    np.testing.assert_array_equal(inputs[:4], x)
    np.testing.assert_array_equal(inputs[4:8], x[:, ::-1])
    inputs, rows = training.views(tokens(), x, 2)
    assert rows.tolist() == [0, 1, 2, 3] and len(inputs) == 4


@pytest.mark.parametrize("problem", ["classification", "regression"])
def test_predictions_are_means_over_the_views(problem):
    source = reversible()
    model, _ = train(source, problem, dataclasses.replace(SHORT, views=1))
    x, _ = data(source, problem)
    found = training.predict(model, source, problem, x, further_views=1)
    parts = [
        training.predict(model, source, problem, view)
        for view in (x, x[:, ::-1])
    ]
    np.testing.assert_allclose(found, np.mean(parts, axis=0), atol=1e-5)
    assert not np.allclose(parts[0], parts[1], atol=1e-3)


@pytest.mark.parametrize("mapping", ["random", "frequency"])
def test_chosen_source_classes_are_named(mapping):
    source = images()
    recipe = Recipe(mapping=mapping, epochs=1)
    model, _ = train(source, "classification", recipe)
    rows = mappings.describe(model.mapping, source.class_names, ("low", "high"))
    table = ops.convert_to_numpy(model.mapping.table)
    assert rows == [
        [name, ["abcde"[i] for i in row]]
        for name, row in zip(("low", "high"), table)
    ]


def test_identity_passes_the_answers_of_a_source_of_the_same_size():
    source = tokens()
    recipe = Recipe(mapping="identity", epochs=1, prompt_length=2)
    model = training.build(source, "classification", 5, recipe, (None, 6))
    assert isinstance(model, Reprogrammer)
    assert model.compute_output_shape((None, 6)) == (None, 5)


@pytest.mark.parametrize(
    ("source", "problem", "choices", "message"),
    [
        (tokens, "regression", {"transform": "blur"}, "Unknown input tr.*blur"),
        (tokens, "classification", {"mapping": "blur"}, "Unknown label.*blur"),
        (tokens, "regression", {"mapping": "random"}, "'random' .*regression"),
        (tokens, "multilabel", {"mapping": "frequency"}, "needs a classific"),
        (images, "regression", {"transform": "soft_prompt"}, "does not say be"),
        (tokens, "regression", {"transform": "padding"}, "does not fit"),
        (images, "regression", {"transform": "segments"}, "does not fit"),
        (images, "regression", {"transform": "table_image"}, "in Python"),
        (images, "regression", {"program": "blur"}, "Unknown program.*blur"),
        (tokens, "classification", {"mapping": "identity"}, "5 answers.*has 2"),
    ],
)
def test_choices_that_do_not_go_together(source, problem, choices, message):
    with pytest.raises(ValueError, match=message):
        built(source(), problem, Recipe(**choices))
