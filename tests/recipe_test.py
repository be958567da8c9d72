"""What a recipe builds, how it trains, and what does not go together."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from reprogram import recipe as recipes
from reprogram.recipe import Recipe
from reprogram.reprogrammer import Reprogrammer
from reprogram.reprogrammer import fingerprint
from reprogram.sources import Source
from reprogram.sources.smiles_encoder import smiles_encoder

PROBLEMS = ("classification", "multilabel", "regression")
SHORT = Recipe(epochs=2, prompt_length=2)


def tokens():
    """A frozen encoder of integers, as molecules are read."""
    model = smiles_encoder(9, 5, width=8, depth=1, heads=2)
    return Source(
        model,
        "tokens",
        "molecule",
        preprocess=lambda rows: np.array([list(row) for row in rows]),
        class_names=tuple("abcde"),
        input_layer="embeddings",
        feature_layer="features",
    )


def images():
    inputs = keras.Input((6, 6, 1))
    x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    x = keras.layers.GlobalAveragePooling2D(name="pooled")(x)
    model = keras.Model(inputs, keras.layers.Dense(5)(x))
    return Source(
        model,
        "images",
        "image",
        preprocess=lambda rows: rows / 255.0,
        input_range=(0.0, 1.0),
        class_names=tuple("abcde"),
        feature_layer="pooled",
    )


def data(source, problem, samples=40, seed=0):
    """Inputs of the source's model, and targets that can be learned."""
    rng = np.random.default_rng(seed)
    if source.modality == "image":
        x = rng.random((samples, 4, 4, 1)).astype("float32")
        score = x[:, :2].mean((1, 2, 3)) - x[:, 2:].mean((1, 2, 3))
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
    return recipes.build(source, problem, targets, recipe, shape, seed)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("source", [tokens, images])
def test_every_problem_trains_and_predicts(source, problem):
    source = source()
    x, y = data(source, problem)
    model = built(source, problem)
    before = fingerprint(source.model)
    history = recipes.train(model, SHORT, (x[:30], y[:30]), (x[30:], y[30:]))
    assert len(history["loss"]) == len(history["val_loss"]) - 1 == 2
    assert np.isfinite(history["loss"] + history["val_loss"]).all()
    assert fingerprint(source.model) == before
    found = recipes.predict(model, problem, x, batch_size=16)
    assert isinstance(found, np.ndarray)
    assert found.shape == (40, 1 if problem == "regression" else 2)
    if problem != "regression":
        assert found.min() >= 0 and found.max() <= 1
    if problem == "classification":
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_defaults_fit_the_modality():
    model = built(tokens(), "regression", Recipe())
    assert type(model.transform).__name__ == "SoftPrompt"
    assert model.transform.length == 8
    assert (model.input_layer, model.feature_layer) == ("embeddings", "features")
    model = built(images(), "regression", Recipe(window=0.7))
    assert type(model.transform).__name__ == "Padding"
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


def validation_loss(model, x, y):
    return float(model.evaluate(x, y, verbose=0))


def test_the_warm_start_is_kept_where_training_does_not_help():
    source = tokens()
    x, y = data(source, "regression")
    wild = dataclasses.replace(SHORT, learning_rate=100.0)
    model = built(source, "regression", wild)
    history = recipes.train(model, wild, (x[:30], y[:30]), (x[30:], y[30:]))
    start = history["val_loss"][0]
    assert min(history["val_loss"][1:]) > start
    assert validation_loss(model, x[30:], y[30:]) == pytest.approx(start)
    twin = built(source, "regression", wild)
    twin.adapt(x[:30], y[:30], batch_size=32)
    for mine, his in zip(model.trainable_weights, twin.trainable_weights):
        np.testing.assert_allclose(mine, his, rtol=1e-5, atol=1e-6)


def test_the_best_epoch_is_kept():
    source = tokens()
    x, y = data(source, "regression")
    patient = Recipe(epochs=12, patience=3, learning_rate=0.02, prompt_length=2)
    model = built(source, "regression", patient)
    history = recipes.train(model, patient, (x[:30], y[:30]), (x[30:], y[30:]))
    best = min(history["val_loss"])
    assert validation_loss(model, x[30:], y[30:]) == pytest.approx(
        best, rel=1e-5
    )
    assert len(history["loss"]) <= 12


def test_a_loss_that_is_not_finite_leaves_the_warm_start():
    source = tokens()
    x, y = data(source, "regression")
    model = built(source, "regression")
    validation = x[30:], np.full_like(y[30:], np.inf)
    recipes.train(model, SHORT, (x[:30], y[:30]), validation)
    assert np.isfinite(recipes.predict(model, "regression", x)).all()


def test_callbacks_are_called():
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(epoch)
    )
    source = images()
    x, y = data(source, "multilabel")
    model = built(source, "multilabel")
    recipes.train(model, SHORT, (x, y), (x, y), (callback,))
    assert seen == [0, 1]


@pytest.mark.parametrize("mapping", ["random", "frequency"])
def test_chosen_source_classes_are_named(mapping):
    source = images()
    x, y = data(source, "classification")
    recipe = Recipe(mapping=mapping, epochs=1)
    model = built(source, "classification", recipe)
    recipes.train(model, recipe, (x, y), (x, y))
    rows = recipes.describe_mapping(
        model.mapping, source.class_names, ("low", "high")
    )
    table = ops.convert_to_numpy(model.mapping.table)
    assert rows == [
        [name, ", ".join("abcde"[i] for i in row)]
        for name, row in zip(("low", "high"), table)
    ]
    unnamed = recipes.describe_mapping(model.mapping, (), ("low", "high"))
    assert unnamed[0][1] == str(int(table[0, 0]))


def test_mappings_that_read_everything_have_no_table():
    model = built(tokens(), "regression")
    assert recipes.describe_mapping(model.mapping, ("a",), ("b",)) is None


def test_identity_passes_the_answers_of_a_source_of_the_same_size():
    source = tokens()
    recipe = Recipe(mapping="identity", epochs=1, prompt_length=2)
    model = recipes.build(source, "classification", 5, recipe, (None, 6))
    assert isinstance(model, Reprogrammer)
    assert model.compute_output_shape((None, 6)) == (None, 5)


@pytest.mark.parametrize(
    "source, problem, choices, message",
    [
        (tokens, "regression", {"transform": "blur"}, "Unknown input tr.*blur"),
        (tokens, "classification", {"mapping": "blur"}, "Unknown label.*blur"),
        (tokens, "regression", {"mapping": "random"}, "'random' .*regression"),
        (tokens, "multilabel", {"mapping": "frequency"}, "needs a classific"),
        (images, "regression", {"transform": "soft_prompt"}, "does not say be"),
        (tokens, "regression", {"transform": "padding"}, "reads any size"),
        (tokens, "classification", {"mapping": "identity"}, "5 answers .*has 2"),
    ],
)
def test_choices_that_do_not_go_together(source, problem, choices, message):
    with pytest.raises(ValueError, match=message):
        built(source(), problem, Recipe(**choices))
