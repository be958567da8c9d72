"""A decoder on a frozen encoder draws the program of each image."""

import keras
import numpy as np
import pytest
from keras import layers

from reprogram import Reprogrammer
from reprogram import fingerprint
from reprogram import mappings
from reprogram import transforms


def draw(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape).astype("float32")


def encoder_of(size=8, channels=1, width=12):
    """Attention and dropout: what thaws or fires where it must not."""
    inputs = keras.Input((size, size, channels))
    x = layers.Reshape((size, size * channels))(inputs)
    x = layers.MultiHeadAttention(2, 4)(x, x)
    x = layers.BatchNormalization()(layers.Dropout(0.5)(x))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(width)(x))


def built(**options):
    options = {"width": 8, "grid": 4, **options}
    layer = transforms.Coordinator((10, 12, 3), encoder_of(), **options)
    layer.build((None, 6, 6, 1))
    kernel = layer.decoder.layers[-1].kernel
    kernel.assign(draw(*kernel.shape, seed=2))
    return layer


def test_the_first_output_is_the_image():
    layer = transforms.Coordinator((8, 8, 3), encoder_of(), width=8, grid=4)
    x = draw(2, 8, 8, 1)
    np.testing.assert_array_equal(layer(x), np.tile(x, 3))


def test_trigger_has_the_size_of_the_paper():
    inputs = keras.Input((224, 224, 3))
    encoder = keras.Model(
        inputs, layers.Dense(768)(layers.GlobalAveragePooling2D()(inputs))
    )
    layer = transforms.Coordinator((224, 224, 3), encoder)
    layer.build((None, 224, 224, 3))
    assert layer.trigger.shape == (1, 800)
    assert layer.decoder.output_shape == (None, 224, 224, 3)


def test_programs_differ_between_images_and_have_the_strength():
    x = draw(2, 6, 6, 1)
    strong, weak = built(strength=1.0), built(strength=0.5)
    weak.set_weights(strong.get_weights())
    still = built(strength=0.0)(x)
    program = np.asarray(strong(x)) - np.asarray(still)
    assert not np.allclose(program[0], program[1])
    np.testing.assert_allclose(
        np.asarray(weak(x)) - np.asarray(still), 0.5 * program, atol=1e-5
    )


@pytest.mark.parametrize("training", [True, False])
def test_encoder_runs_in_inference_mode_and_images_alone(training):
    layer, x = built(), draw(3, 6, 6, 1)
    together = layer(x, training=training)
    alone = [layer(x[i : i + 1], training=training) for i in range(3)]
    np.testing.assert_allclose(
        np.concatenate(alone), together, rtol=1e-4, atol=1e-5
    )


def test_sum_is_clipped_to_the_range():
    out = np.asarray(built(value_range=(0.0, 1.0))(draw(2, 6, 6, 1)))
    assert out.min() == 0.0 and out.max() == 1.0


def source_of():
    inputs = keras.Input((10, 12, 3))
    x = layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, layers.Dense(5)(x))


def model_of():
    model = Reprogrammer(source_of(), built(), mappings.LinearMapping(2))
    model.build((None, 6, 6, 1))
    model.mapping.kernel.assign(draw(5, 2))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def test_encoder_stays_frozen_through_fit_save_load_and_trainable(tmp_path):
    model = model_of()
    before = fingerprint(model.transform.encoder)
    trained = len(model.trainable_weights)
    expected = 1 + len(model.transform.decoder.trainable_weights)
    assert len(model.transform.trainable_weights) == expected
    x, y = draw(4, 6, 6, 1), draw(4, 2, seed=3)
    model.trainable = False
    model.trainable = True
    model.compile(keras.optimizers.Adam(0.01), "mse")
    trigger = np.array(model.transform.trigger)
    model.fit(x, y, epochs=2, verbose=0)
    assert not np.allclose(trigger, model.transform.trigger)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(x), model(x), rtol=1e-5, atol=1e-6)
    assert len(loaded.trainable_weights) == trained
    loaded.fit(x, y, verbose=0)
    assert fingerprint(loaded.transform.encoder) == before
    assert fingerprint(model.transform.encoder) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoder": layers.Dense(3)}, "Keras model.*Received: Dense"),
        ({"width": 1}, "`width` at least 2.*width=1"),
        ({"grid": 0}, "`grid` at least 1.*grid=0"),
        ({"target_shape": (8, 3)}, "Coordinator gives images"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    options = {"target_shape": (8, 8, 3), "encoder": encoder_of(), **options}
    with pytest.raises(ValueError, match=message):
        transforms.Coordinator(**options)


def test_features_need_room_in_the_grid():
    layer = transforms.Coordinator((8, 8, 1), encoder_of(), width=2, grid=2)
    with pytest.raises(ValueError, match=r"\(2, 2, 2\) has no room for 12.*Ra"):
        layer.build((None, 8, 8, 1))


def test_data_the_encoder_cannot_read_are_refused():
    layer = transforms.Coordinator((8, 8, 3), encoder_of(channels=1))
    with pytest.raises(ValueError, match=r"\(8, 8, 1\), and data with 3 chan"):
        layer.build((None, 8, 8, 3))
