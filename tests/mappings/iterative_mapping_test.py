"""Mappings that follow the program: when they are estimated, from what."""

import keras
import numpy as np
import pytest
from keras import ops

from reprogram import mappings
from reprogram.program import fingerprint
from reprogram.reprogrammer import Reprogrammer


class Shift(keras.layers.Layer):
    """Adds one vector to all inputs."""

    def build(self, input_shape):
        self.offset = self.add_weight(
            shape=input_shape[1:], initializer="zeros", name="offset"
        )

    def call(self, inputs):
        return inputs + self.offset

    def compute_output_shape(self, input_shape):
        return input_shape


def model_of(mapping, loss=None):
    source = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6)])
    model = Reprogrammer(source, Shift(), mapping)
    model.compile(
        keras.optimizers.SGD(30.0),
        loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.build((None, 4))
    return model


def data(samples=24, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(samples, 4)).astype("float32")
    return x, np.arange(samples) % 3


class Watch(keras.callbacks.Callback):
    """Keeps the mapping after each batch and the program before each epoch."""

    def __init__(self, weight):
        super().__init__()
        self.weight, self.maps, self.programs = weight, [], []

    def on_epoch_begin(self, epoch, logs=None):
        offset = ops.convert_to_numpy(self.model.transform.offset)
        self.programs.append(offset)

    def on_epoch_end(self, epoch, logs=None):
        mapping = getattr(self.model.mapping, self.weight)
        self.maps.append(ops.convert_to_numpy(mapping))


@pytest.mark.parametrize(
    ("kind", "weight"),
    [
        (mappings.IterativeMapping, "table"),
        (mappings.BayesianMapping, "shares"),
        (mappings.BayesianPlusMapping, "shares"),
    ],
)
def test_each_epoch_counts_what_the_program_makes_of_the_training_data(
    kind, weight
):
    x, y = data()
    model = model_of(kind(3))
    watch = Watch(weight)
    model.fit(
        x,
        y,
        epochs=3,
        verbose=0,
        callbacks=[watch, mappings.Readapt(x, y)],
    )
    assert kind.each_epoch
    source = model.source
    for program, found in zip(watch.programs, watch.maps, strict=True):
        fresh = kind(3)
        fresh.adapt(ops.convert_to_numpy(source(x + program)), y)
        expected = ops.convert_to_numpy(getattr(fresh, weight))
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert any((a != b).any() for a, b in zip(watch.maps, watch.maps[1:]))


def test_validation_data_do_not_change_the_mapping():
    x, y = data()
    maps = []
    for seed in (1, 2):
        keras.utils.set_random_seed(0)
        model = model_of(mappings.IterativeMapping(3))
        watch = Watch("table")
        model.fit(
            x,
            y,
            validation_data=data(seed=seed),
            epochs=2,
            shuffle=False,
            verbose=0,
            callbacks=[watch, mappings.Readapt(x, y)],
        )
        maps.append(watch.maps)
    np.testing.assert_array_equal(*maps)


def test_a_checkpoint_holds_the_mapping_it_was_validated_with():
    x, y = data()
    model = model_of(mappings.IterativeMapping(3))
    stop = keras.callbacks.EarlyStopping(
        "val_loss", patience=9, restore_best_weights=True
    )
    history = model.fit(
        x,
        y,
        validation_data=(x, y),
        epochs=4,
        verbose=0,
        callbacks=[stop, mappings.Readapt(x, y)],
    ).history["val_loss"]
    assert model.evaluate(x, y, verbose=0) == pytest.approx(min(history))


def test_every_other_epoch_and_the_source_stays_frozen():
    x, y = data()
    model = model_of(mappings.IterativeMapping(3))
    before = fingerprint(model.source)
    counted = []
    model.mapping.adapt = lambda answers, labels: counted.append(len(labels))
    again = mappings.Readapt(x, y, every=2)
    model.fit(x, y, epochs=5, verbose=0, callbacks=[again])
    assert counted == [24] * 3
    assert fingerprint(model.source) == before
    assert len(model.trainable_weights) == 1


def test_a_batch_that_lacks_a_class_does_not_shift_the_others():
    """The published loop runs over the classes that a batch happens to have."""
    scores = np.eye(6)[[4, 4, 5, 5]]
    mapping = mappings.IterativeMapping(3)
    mapping.adapt(scores, np.array([0, 0, 2, 2]))
    table = ops.convert_to_numpy(mapping.table)[:, 0].tolist()
    assert table[0] == 4 and table[2] == 5


def test_errors_say_what_to_do():
    x, y = data()
    with pytest.raises(ValueError, match="24 inputs, 23 targets"):
        mappings.Readapt(x, y[1:])
    with pytest.raises(ValueError, match="every=0"):
        mappings.Readapt(x, y, every=0)
    again = mappings.Readapt(x, y)
    for mapping in (mappings.RandomMapping(3), keras.layers.Dense(3)):
        model = model_of(mapping)
        with pytest.raises(ValueError, match="statistics.*IterativeMapping"):
            model.fit(x, y, verbose=0, callbacks=[again])
