"""Every transform is made from a recipe, for the source that it fits."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops
from small_sources import images
from small_sources import tokens

from reprogram import transforms
from reprogram.predictors import training
from reprogram.predictors import transform_of
from reprogram.predictors.recipe import Recipe
from reprogram.sources import Source

INNER = ("dense_token_map", "sparse_token_map", "token_rewriting")
SERIES = ("segments", "resampling", "missing", "sonification")
# Of the transforms that fit images and series, the images speak for both.
PLACES = dict.fromkeys(transforms.TRANSFORMS, images) | dict.fromkeys(
    ("soft_prompt", *INNER), tokens
)


def series(length=12):
    inputs = keras.Input((length, 1))
    x = keras.layers.Conv1D(4, 3, activation="relu")(inputs)
    x = keras.layers.GlobalAveragePooling1D(name="pooled")(x)
    model = keras.Model(inputs, keras.layers.Dense(5)(x))
    return Source(
        model, "series", "series", lambda x: x, feature_layer="pooled"
    )


def any_size():
    inputs = keras.Input((None, None, 1))
    x = keras.layers.GlobalAveragePooling2D(name="pooled")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(5)(x))
    return Source(
        model, "any size", "image", lambda x: x, feature_layer="pooled"
    )


PLACES |= dict.fromkeys(SERIES, series)
NAMES = [name for name in transforms.TRANSFORMS if name != "table_image"]


def data_of(source, samples=24):
    rng = np.random.default_rng(0)
    y = np.arange(samples) % 2
    if source.modality == "molecule":
        x = rng.integers(2, 9, (samples, 6)).astype("int32")
        return np.where(y[:, None] > 0, x, np.minimum(x, 5)), y
    shape = (6, 6, 1) if source.modality == "image" else (12, 1)
    x = rng.random((samples, *shape)) * np.linspace(1, 2, samples).reshape(
        -1, *[1] * len(shape)
    )
    return (50 * x).astype("float32"), y


@pytest.mark.parametrize("name", NAMES)
def test_every_transform_trains_from_a_recipe(name):
    source = PLACES[name]()
    recipe = Recipe(transform=name, epochs=1, prompt_length=2)
    x, y = data_of(source)
    model = training.build(source, "classification", 2, recipe, x.shape, 0)
    made = transforms.TRANSFORMS[name]
    made = keras.layers.Identity if name == "rendering" else made
    first = getattr(model.transform, "layers", [model.transform])[0]
    assert type(first) is made
    history = training.train(
        model, source, recipe, (x[:16], y[:16]), (x[16:], y[16:])
    )
    assert np.isfinite(history["val_loss"]).all()
    found = training.predict(model, source, "classification", x)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_the_source_gives_shapes_and_range():
    for name in ("padding", "overlay", "patch", "sample_mask", "center_mix"):
        layer = transform_of.choose(Recipe(transform=name), images())
        assert layer.target_shape == (6, 6, 1)
        assert layer.value_range == (0.0, 1.0)
    layer = transform_of.choose(Recipe(transform="coordinator"), images())
    assert layer.value_range == (0.0, 1.0) and layer.strength == 0.5
    free = dataclasses.replace(images(), input_range=None)
    assert (
        transform_of.choose(Recipe(transform="overlay"), free).value_range
        is None
    )
    layer = transform_of.choose(Recipe(transform="padding"), free)
    assert layer.value_range == (-1.0, 1.0)


@pytest.mark.parametrize(
    "name", ["padding", "overlay", "center_mix", "segments", "resampling"]
)
def test_shorter_series_are_read(name):
    source, recipe = series(), Recipe(transform=name, epochs=1)
    x, y = np.random.default_rng(0).normal(size=(12, 12, 1)), np.arange(12) % 2
    x[3:, 8:] = np.nan
    model = training.build(source, "classification", 2, recipe, (None, 12, 1))
    pairs = [(x[:8], y[:8]), (x[8:], y[8:])]
    found = training.train(model, source, recipe, *pairs)
    assert np.isfinite(found["val_loss"]).all()
    answers = training.predict(model, source, "classification", x)
    assert np.isfinite(answers).all()


def test_a_coordinator_has_room_for_many_features():
    inputs = keras.Input((16, 16, 1))
    x = keras.layers.Dense(600, name="wide")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, keras.layers.Dense(5)(x))
    source = Source(model, "wide", "image", lambda x: x, feature_layer="wide")
    layer = transform_of.choose(Recipe(transform="coordinator"), source)
    layer.build((None, 16, 16, 1))
    assert layer.width == 38 and layer.trigger.shape == (1, 16 * 38 - 600)


def test_the_recipe_gives_the_rest():
    recipe = Recipe(
        transform="overlay",
        border="narrow",
        program="cosine",
        total_variation=0.5,
        program_dropout=0.2,
        program_rate=4.0,
    )
    layer = transform_of.choose(recipe, images())
    assert layer.border == "narrow" and layer.dropout.rate == 0.2
    assert layer.regularizer.strength == 0.5 and layer.unit == 2.0
    assert type(layer.parameterization).__name__ == "Cosine"
    recipe = Recipe(transform="center_mix", share=0.6, squash="sigmoid")
    layer = transform_of.choose(recipe, images())
    assert (layer.share, layer.squash, layer.unit) == (0.6, "sigmoid", 10.0)
    assert (
        transform_of.choose(Recipe(transform="padding"), series()).unit == 1.0
    )


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (0.0, 255.0), (-1.0, 1.0)]
)
def test_a_program_learns_as_fast_in_every_range(low, high):
    """One step of Adam moves it by the same share of the range."""
    source = dataclasses.replace(images(), input_range=(low, high))
    recipe = Recipe(transform="overlay", learning_rate=0.01)
    layer = transform_of.choose(recipe, source)
    layer.build((None, 6, 6, 1))
    layer.program.assign(np.full((6, 6, 1), 0.01))
    moved = ops.convert_to_numpy(layer.array()) / (high - low)
    np.testing.assert_allclose(moved, 0.05, rtol=1e-5)


@pytest.mark.parametrize("name", INNER)
def test_token_maps_start_as_the_source_reads(name):
    source = tokens()
    plain = training.build(
        source, "classification", 2, Recipe(transform="identity"), (None, 6)
    )
    model = training.build(
        source, "classification", 2, Recipe(transform=name), (None, 6)
    )
    x = np.random.default_rng(1).integers(1, 9, (5, 6)).astype("int32")
    np.testing.assert_allclose(
        model.source_scores(x), plain.source_scores(x), rtol=1e-4, atol=1e-5
    )


def test_a_sparse_token_map_is_sparse_after_training():
    source = tokens()
    recipe = Recipe(
        transform="sparse_token_map", epochs=3, learning_rate=0.05, patience=9
    )
    x, y = data_of(source)
    model = training.build(source, "classification", 2, recipe, x.shape, 0)
    start = ops.convert_to_numpy(model.transform.program).copy()
    training.train(model, source, recipe, (x[:16], y[:16]), (x[16:], y[16:]))
    words = transforms.dictionary(source.model, "embeddings")
    layer = model.transform
    sums = np.einsum(
        "tk,tke->te",
        ops.convert_to_numpy(layer.coefficients),
        words[ops.convert_to_numpy(layer.support)],
    )
    np.testing.assert_allclose(layer.program, sums, rtol=1e-4, atol=1e-5)
    assert start.shape == layer.program.shape


def test_the_temperature_of_a_rewriting_falls():
    source = tokens()
    recipe = Recipe(transform="token_rewriting", epochs=3, patience=9)
    x, y = data_of(source)
    model = training.build(source, "classification", 2, recipe, x.shape, 0)
    history = training.train(
        model, source, recipe, (x[:16], y[:16]), (x[16:], y[16:])
    )
    helped = min(history["val_loss"][1:]) < history["val_loss"][0]
    assert (float(model.transform.temperature) < 2.0) is helped


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        (any_size, "overlay", "reads any size"),
        (any_size, "padding", "no frame to fill"),
        (series, "patch", "does not fit.*'series'.*segments"),
        (tokens, "padding", "does not fit.*'molecule'.*soft_prompt"),
        (images, "table_image", "Make it in Python"),
        (images, "sparse_token_map", "does not fit.*'image'.*sample_mask"),
    ],
)
def test_what_does_not_fit_is_named(source, name, message):
    with pytest.raises(ValueError, match=message):
        transform_of.choose(Recipe(transform=name), source())


def test_a_source_that_does_not_say_where_tokens_enter():
    source = dataclasses.replace(tokens(), input_layer=None)
    with pytest.raises(ValueError, match="does not say behind which layer"):
        transform_of.choose(Recipe(transform="dense_token_map"), source)
