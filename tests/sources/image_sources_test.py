"""What image sources read: moved copies, pictures of series, kept axes."""

import keras
import numpy as np
import pytest
from small_sources import images
from small_sources import tokens

from reprogram.experiments.run import Experiment
from reprogram.predictors import series_as_images
from reprogram.predictors.baselines import BaselinePredictor
from reprogram.predictors.data import Data
from reprogram.predictors.features import Features
from reprogram.predictors.recipe import Recipe
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import detail
from reprogram.sources.images import shifted
from reprogram.transforms import Rendering


def test_shifted_images_are_moved_by_a_few_pixels():
    x = np.zeros((64, 25, 50, 1))
    x[:, 12, 25] = 1.0
    moved = shifted(x, seed=3)
    assert moved.shape == x.shape and moved.sum() == 64
    places = np.argwhere(moved[..., 0])[:, 1:] - (12, 25)
    assert set(places[:, 0]) == set(range(-3, 4))  # 12 % of 25 pixels
    assert set(places[:, 1]) == set(range(-6, 7))
    np.testing.assert_array_equal(moved, shifted(x, seed=3))
    assert (moved != shifted(x, seed=4)).any()


def test_what_enters_repeats_the_edge():
    ramp = np.tile(np.arange(8.0), (20, 8, 1))[..., None]
    moved = shifted(ramp, seed=0)
    for image in moved[..., 0]:
        assert (image == image[0]).all()
        step = image[0, 4] - 4
        expected = np.clip(np.arange(8) + step, 0, 7)
        np.testing.assert_array_equal(image[0], expected)
    assert len({image[0, 4, 0] for image in moved}) == 3  # at least one pixel


def test_series_are_drawn_for_a_source_of_images():
    source = series_as_images.reader(images(), "series", view="gramian")
    x = np.random.default_rng(0).normal(size=(70, 9, 1)).astype("float32")
    expected = Rendering((6, 6, 1), "gramian", value_range=(0.0, 1.0))(x)
    np.testing.assert_allclose(source.preprocess(x), expected, atol=1e-6)
    assert source.augment is None


def test_other_sources_stay_as_they_are():
    for source, modality in ((images(), "image"), (tokens(), "series")):
        assert series_as_images.reader(source, modality) is source


def test_there_must_be_a_size_to_draw_in():
    inputs = keras.Input((None, None, 1))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(5)(x))
    source = images().__class__(model, "free", "image", lambda x: x)
    with pytest.raises(ValueError, match="no size to draw series in"):
        series_as_images.reader(source, "series")


def test_an_experiment_reads_series_as_pictures(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(30) % 2
    wave = np.sin(np.linspace(0, 6, 16)[None] * (1 + 2 * y[:, None]))
    data = Data(
        inputs=(wave + 0.1 * rng.normal(size=wave.shape))[..., None],
        targets=y,
        problem="classification",
        modality="series",
        names=("slow", "fast"),
        draws={0: (np.arange(12), np.arange(12, 18))},
        test=np.arange(18, 30),
        source=images(),
    )
    found = Experiment(
        data,
        "reprogrammed",
        ("trivial", "probe", "lora"),
        Recipe(transform="rendering", epochs=2),
        tmp_path,
        tell=lambda line: None,
    ).run()
    scores = {m["name"]: m["metrics"] for m in found["models"]}
    assert scores["reprogrammed source"]["balanced_accuracy"][0] > 0.7
    assert {"majority class", "linear probe", "LoRA"} < set(scores)
    for name in ("linear probe", "LoRA"):
        assert scores[name]["balanced_accuracy"][0] > 0.5


def test_a_probe_on_pictures_of_series_predicts_after_it_is_loaded(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(20) % 2
    wave = np.sin(np.linspace(0, 6, 16)[None] * (1 + 2 * y[:, None]))
    series = (wave + 0.1 * rng.normal(size=wave.shape))[..., None]
    data = Data(
        series, y, "classification", "series", ("slow", "fast"), source=images()
    )
    rows = np.arange(20)
    probe = BaselinePredictor("probe", 0).fit(data, rows, rows[:0])
    probe.save(tmp_path)
    features = Features(data.frozen_source(), series[:0])
    again = BaselinePredictor.load(tmp_path, features)
    expected = probe.predict(series)
    np.testing.assert_allclose(again.predict(series), expected, atol=1e-5)
    assert (expected.argmax(1) == y).mean() > 0.8


def test_features_of_a_pooling_that_keeps_its_axes_are_vectors():
    """That of MobileNet gives (batch, 1, 1, channels)."""
    inputs = keras.Input((6, 6, 3))
    x = keras.layers.Conv2D(4, 3)(inputs)
    pool = keras.layers.GlobalAveragePooling2D(keepdims=True, name="pooled")
    x = keras.layers.Conv2D(10, 1)(pool(x))
    source = keras.Model(inputs, keras.layers.Reshape((10,))(x))
    model = Reprogrammer(source, feature_layer="pooled")
    assert model.compute_output_shape((None, 6, 6, 3)) == (None, 4)
    assert model(np.ones((2, 6, 6, 3), "float32")).shape == (2, 4)


def test_features_of_a_map_are_the_means_of_its_quarters():
    inputs = keras.Input((5, 6, 2))
    x = keras.layers.ReLU(name="map")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    source = keras.Model(inputs, keras.layers.Dense(3)(x))
    model = Reprogrammer(source, feature_layer="map")
    x = np.random.default_rng(0).random((4, 5, 6, 2)).astype("float32")
    quarters = [x[:, :3, :3], x[:, :3, 3:], x[:, 3:, :3], x[:, 3:, 3:]]
    wanted = np.concatenate([part.mean((1, 2)) for part in quarters], axis=1)
    assert model.compute_output_shape(x.shape) == wanted.shape
    np.testing.assert_allclose(model(x), wanted, rtol=1e-5)


def small_network(kind):
    """Maps of 16, 8 and 4 pixels, as the families of networks have them."""
    layers = keras.layers
    inputs = keras.Input((16, 16, 1))
    x = layers.Conv2D(4, 3, 2, "same", activation="relu", name="first")(inputs)
    if kind == "chain":
        x = layers.Conv2D(4, 3, padding="same", name="linear")(x)
        x = layers.ReLU(name="wanted")(x)
        x = layers.ZeroPadding2D(1)(x)
    elif kind == "residual":
        y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
        x = layers.Add(name="wanted")([x, y])
    elif kind == "branches":
        y = layers.Conv2D(4, 1, activation="relu")(x)
        z = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
        x = layers.Concatenate(name="wanted")([y, z])
        y = layers.Conv2D(4, 1, activation="relu")(x)
        y = layers.Conv2D(4, 3, 2, "same")(y)
        x = layers.Concatenate()([y, layers.MaxPooling2D(2)(x)])
    if kind != "branches":
        x = layers.Conv2D(8, 3, 2, "same", activation="relu")(x)
    x = layers.GlobalAveragePooling2D(keepdims=kind == "chain")(x)
    x = layers.Dense(3)(layers.Flatten()(x))
    return keras.Model(inputs, x)


@pytest.mark.parametrize("kind", ["chain", "residual", "branches"])
def test_the_last_layer_of_a_larger_map_is_read(kind):
    assert detail.layer(small_network(kind)) == "wanted"


def test_some_models_have_no_layer_of_more_detail():
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    same = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
    x = keras.layers.Dense(4, "relu")(keras.layers.Flatten()(inputs))
    flat = keras.Model(inputs, keras.layers.Dense(2)(x))
    assert detail.layer(same) is None and detail.layer(flat) is None


def test_mobilenet_is_read_before_its_last_stage():
    model = keras.applications.MobileNet((64, 64, 3), 0.25, weights=None)
    assert detail.layer(model) == "conv_pw_11_relu"


def test_the_reader_is_made_once():
    model = Reprogrammer(images().model, feature_layer="pooled")
    assert model.reader() is model.reader()
    assert not any(layer is model.reader() for layer in model.layers)
