"""Every transform of images trains in a Reprogrammer and is saved with it."""

import keras
import numpy as np
import pytest
from keras import layers

from reprogram import Reprogrammer
from reprogram import transforms

TARGET = (12, 12, 3)
RANGE = {"value_range": (0.0, 1.0)}


def source_of() -> keras.Model:
    """Has what fires or drifts when a source is not frozen."""
    inputs = keras.Input(TARGET)
    x = layers.Conv2D(6, 3, activation="relu")(inputs)
    x = layers.Dropout(0.5)(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(4)(x), name="source")


def encoder_of() -> keras.Model:
    inputs = keras.Input((8, 8, 1))
    return keras.Model(inputs, layers.Dense(6)(layers.Flatten()(inputs)))


MAKE = {
    "padding": lambda: transforms.Padding(TARGET, **RANGE),
    "center_mix": lambda: transforms.CenterMix(TARGET, **RANGE),
    "overlay": lambda: transforms.Overlay(TARGET, **RANGE),
    "medium": lambda: transforms.Overlay(TARGET, "medium", **RANGE),
    "patch": lambda: transforms.Patch(TARGET, 4, "random", **RANGE),
    "sample_mask": lambda: transforms.SampleMask(TARGET, (4, 6), 2, **RANGE),
    "trainable_resize": lambda: transforms.TrainableResize(TARGET, **RANGE),
    "table_image": lambda: transforms.TableImage(TARGET, **RANGE),
    "coordinator": lambda: transforms.Coordinator(
        TARGET, encoder_of(), width=8, grid=3, **RANGE
    ),
}


@pytest.mark.parametrize("name", MAKE)
def test_it_trains_and_the_source_does_not_change(name, tmp_path):
    shape = (9,) if name == "table_image" else (8, 8, 1)
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(16, *shape)).astype("float32")
    y = np.arange(16) % 4
    model = Reprogrammer(source_of(), MAKE[name]())
    model.compile(
        keras.optimizers.Adam(0.05),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    before = model.evaluate(x, y, verbose=0)
    proof = model.source_fingerprint()
    model.fit(x, y, batch_size=8, epochs=6, verbose=0)
    assert model.evaluate(x, y, verbose=0) < before
    assert model.source_fingerprint() == proof
    answers = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0), answers, rtol=1e-4, atol=1e-5
    )
    assert len(loaded.trainable_weights) == len(model.trainable_weights)


def test_the_program_alone_is_saved_and_loaded(tmp_path):
    x = np.random.default_rng(0).uniform(size=(2, 8, 8, 1)).astype("float32")
    source = source_of()
    models = [
        Reprogrammer(source, transforms.SampleMask(TARGET, (4, 6), 2))
        for _ in range(2)
    ]
    for model in models:
        model.build(x.shape)
    first, second = models
    first.transform.program.assign(np.ones(TARGET))
    assert not np.allclose(first(x), second(x))
    first.save_program(tmp_path / "one.weights.h5")
    second.load_program(tmp_path / "one.weights.h5")
    np.testing.assert_array_equal(first(x), second(x))
