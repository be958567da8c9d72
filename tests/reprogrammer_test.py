"""The frozen source stays frozen; the program trains, saves and loads."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops
from small_sources import attention_model

from reprogram import mappings
from reprogram import transforms
from reprogram.program import fingerprint
from reprogram.reprogrammer import Reprogrammer


def attention_source():
    return attention_model(20, 5, dropout=0.5)


def convolution_source():
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(momentum=0.1),
            layers.Dropout(0.5),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5),
        ]
    )


def recurrent_source():
    return keras.Sequential(
        [keras.Input((7, 2)), layers.LSTM(4), layers.Dense(5)]
    )


CASES = {
    "attention": (
        attention_source,
        lambda: {
            "transform": transforms.SoftPrompt(3),
            "input_layer": "embeddings",
        },
        lambda rng: rng.integers(2, 20, (12, 9)),
    ),
    "convolution": (
        convolution_source,
        lambda: {"transform": transforms.Padding((6, 6, 1))},
        lambda rng: rng.normal(size=(12, 4, 4, 1)).astype("float32"),
    ),
    "recurrent": (
        recurrent_source,
        lambda: {"transform": transforms.Padding((7, 2))},
        lambda rng: rng.normal(size=(12, 5, 2)).astype("float32"),
    ),
}


def build(case):
    source, arguments, inputs = CASES[case]
    keras.utils.set_random_seed(0)
    source = source()
    model = Reprogrammer(
        source, mapping=mappings.LinearMapping(2), **arguments()
    )
    model.compile(keras.optimizers.Adam(0.05), "mse")
    return model, inputs(np.random.default_rng(0))


def values(model):
    return [weight.copy() for weight in model.source.get_weights()]


def same(before, after):
    return all(np.array_equal(a, b) for a, b in zip(before, after))


@pytest.mark.parametrize("case", CASES)
def test_source_is_bit_identical_after_fit_save_load_and_fit(case, tmp_path):
    model, x = build(case)
    y = np.random.default_rng(1).normal(size=(12, 2))
    before, mark = values(model), model.source_fingerprint()
    model.fit(x, y, epochs=2, batch_size=4, verbose=0)
    assert len(model.trainable_weights) == 3
    program = [ops.convert_to_numpy(w) for w in model.trainable_weights]
    assert np.abs(program[0]).max() > 0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6
    )
    assert len(loaded.trainable_weights) == 3
    loaded.fit(x, y, epochs=2, batch_size=4, verbose=0)
    assert same(before, values(model)) and same(before, values(loaded))
    assert mark == model.source_fingerprint() == loaded.source_fingerprint()
    moved = ops.convert_to_numpy(loaded.trainable_weights[0])
    assert not np.allclose(program[0], moved)


@pytest.mark.parametrize("case", CASES)
def test_nothing_random_fires_in_the_source(case):
    model, x = build(case)
    first = np.asarray(model(x, training=True))
    np.testing.assert_allclose(first, model(x, training=True), atol=1e-6)
    np.testing.assert_allclose(first, model(x, training=False), atol=1e-6)


def test_source_stays_frozen_when_the_model_is_made_trainable_again():
    model, _ = build("convolution")
    model.trainable = False
    assert not model.trainable_weights
    model.trainable = True
    model.build((None, 4, 4, 1))
    assert len(model.trainable_weights) == 3


def test_features_and_fingerprint_do_not_depend_on_where_it_is_read():
    source = convolution_source()
    mark = fingerprint(source)
    name = source.layers[-2].name
    model = Reprogrammer(source, feature_layer=name)
    x = np.ones((2, 6, 6, 1), "float32")
    assert model.source_scores(x).shape == (2, 4)
    expected = keras.Model(source.inputs[0], source.layers[-2].output)(
        x, training=False
    )
    np.testing.assert_allclose(model(x), expected, atol=1e-6)
    assert model.source_fingerprint() == mark


def sequence_source():
    inputs = keras.Input((10, 1))
    x = layers.Conv1D(3, 3, activation="relu", name="sequence")(inputs)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(5)(x))


def test_features_of_a_sequence_are_its_parts_and_distribution():
    source = sequence_source()
    model = Reprogrammer(source, feature_layer="sequence")
    x = np.random.default_rng(0).normal(size=(4, 10, 1)).astype("float32")
    inner = keras.Model(source.inputs, source.layers[1].output)(x)
    inner = ops.convert_to_numpy(inner)
    parts = inner.reshape(4, 4, 2, 3).mean(axis=2).reshape(4, 12)
    ends = [inner.max(axis=1), inner.min(axis=1)]
    spread, share = inner.std(axis=1), (inner > 0).mean(axis=1)
    wanted = np.concatenate([parts, *ends, spread, share], axis=1)
    np.testing.assert_allclose(model(x), wanted, atol=1e-3)
    zero = np.zeros_like(x)  # The slope of a deviation of zero is infinite.
    model = Reprogrammer(
        source, transforms.Gain(), mappings.LinearMapping(2), None, "sequence"
    )
    model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    model.fit(zero, np.eye(2)[[0, 1, 0, 1]], verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_series_of_several_lengths_are_heard_in_parts(tmp_path):
    source = sequence_source()
    x = np.random.default_rng(0).normal(size=(4, 30, 1)).astype("float32")
    parts = np.split(x, 3, axis=1)
    for layer in (None, "sequence"):
        model = Reprogrammer(source, feature_layer=layer)
        one = Reprogrammer(source, feature_layer=layer)
        found = [ops.convert_to_numpy(one(part)) for part in parts]
        wanted = np.mean(found, axis=0)
        if layer:
            wanted = np.concatenate(found, axis=1)
        assert model.compute_output_shape(x.shape) == wanted.shape
        np.testing.assert_allclose(model(x), wanted, atol=1e-6)
    with pytest.raises(ValueError, match="gives shape"):
        Reprogrammer(source).build((None, 25, 1))


def test_prompt_reads_a_padded_sequence_like_the_bare_one():
    model, x = build("attention")
    padded = np.pad(x, [[0, 0], [0, 4]])
    np.testing.assert_allclose(
        model.source_scores(x), model.source_scores(padded), atol=1e-5
    )


@pytest.mark.parametrize("normalized", [False, True])
def test_attention_behind_the_layer_that_is_entered_sees_the_mask(normalized):
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(20, 4, mask_zero=True, name="embedding")(tokens)
    y = layers.LayerNormalization()(x) if normalized else x
    y = layers.Add()([x, layers.MultiHeadAttention(2, 2)(y, y)])
    # Without a layer that reads the mask as an input, attention alone has it.
    source = keras.Model(tokens, layers.Dense(3)(y[:, 0]))
    model = Reprogrammer(source, input_layer="embedding")
    prompted = Reprogrammer(
        source, transforms.SoftPrompt(2), input_layer="embedding"
    )
    x = np.array([[3, 4, 5]])
    padded = np.pad(x, [[0, 0], [0, 3]])
    np.testing.assert_allclose(model(padded), source(padded), atol=1e-6)
    np.testing.assert_allclose(prompted(padded), prompted(x), atol=1e-6)
    assert np.ptp(np.asarray(prompted(x))) > 0.01


def test_a_source_without_masks_can_be_entered():
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(20, 4, name="embedding")(tokens)
    x = layers.GlobalAveragePooling1D()(x)
    source = keras.Model(tokens, layers.Dense(3)(x))
    model = Reprogrammer(source, input_layer="embedding")
    x = np.array([[3, 4, 5], [6, 7, 0]])
    np.testing.assert_allclose(model(x), source(x), atol=1e-6)
    model = Reprogrammer(
        source, transforms.SoftPrompt(2), input_layer="embedding"
    )
    assert model.compute_output_shape((None, 3)) == (None, 3)
    assert model(x).shape == (2, 3)


def test_masks_of_a_users_model_follow_the_prompt_after_loading(tmp_path):
    tokens = keras.Input((None,))
    x = layers.Embedding(20, 4, mask_zero=True, name="embedding")(tokens)
    source = keras.Model(tokens, layers.Dense(3)(layers.LSTM(5)(x)))
    source.save(tmp_path / "source.keras")
    source = keras.saving.load_model(tmp_path / "source.keras")
    model = Reprogrammer(
        source, transforms.SoftPrompt(2), input_layer="embedding"
    )
    x = np.array([[3, 4, 5]])
    padded = np.pad(x, [[0, 0], [0, 3]])
    np.testing.assert_allclose(model(x), model(padded), atol=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(padded), model(x), atol=1e-6)


def test_fingerprint_sees_one_changed_weight():
    source = recurrent_source()
    mark = fingerprint(source)
    weights = source.get_weights()
    weights[0][0, 0] += 1e-6
    source.set_weights(weights)
    assert fingerprint(source) != mark


def test_program_alone_is_small_and_restores_the_predictions(tmp_path):
    model, x = build("convolution")
    model.fit(x, np.ones((12, 2)), verbose=0)
    path = tmp_path / "program.weights.h5"
    model.save_program(path)
    assert path.stat().st_size < 50_000
    other = Reprogrammer(
        model.source,
        transforms.Padding((6, 6, 1)),
        mappings.LinearMapping(2),
    )
    other.build((None, 4, 4, 1))
    assert not np.allclose(other(x), model(x))
    other.load_program(path)
    np.testing.assert_allclose(other(x), model(x), atol=1e-6)


def test_program_refuses_another_source(tmp_path):
    model, x = build("recurrent")
    model(x)
    model.save_program(tmp_path / "p.weights.h5")
    other = Reprogrammer(
        recurrent_source(),
        transforms.Padding((7, 2)),
        mappings.LinearMapping(2),
    )
    with pytest.raises(ValueError, match="no weights yet"):
        other.load_program(tmp_path / "p.weights.h5")
    other.build((None, 5, 2))
    with pytest.raises(ValueError, match="another source"):
        other.load_program(tmp_path / "p.weights.h5")


@pytest.mark.parametrize("problem", ["classification", "regression"])
def test_training_learns_what_a_probe_learns(problem):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 6)).astype("float32")
    keras.utils.set_random_seed(0)
    source = keras.Sequential([keras.Input((6,)), layers.Dense(12)])
    y = (x[:, 0] > 0).astype(int)
    targets = 2 if problem == "classification" else 1
    y = y if targets == 2 else x[:, :1] * 2 + 1
    mapping = mappings.LinearMapping(targets, problem)
    model = Reprogrammer(source, mapping=mapping)
    model.adapt(x, y)
    scores = model.predict(x, verbose=0)
    if targets == 2:
        assert (scores.argmax(1) == y).mean() > 0.8
    else:
        assert 1 - ((scores - y) ** 2).mean() / y.var() > 0.7


def test_errors_say_what_to_do():
    source = recurrent_source()
    with pytest.raises(ValueError, match="must be a Keras model"):
        Reprogrammer(layers.Dense(2))
    with pytest.raises(ValueError, match="has no layer 'nowhere'.*lstm"):
        Reprogrammer(source, feature_layer="nowhere")
    with pytest.raises(ValueError, match="nothing to adapt"):
        Reprogrammer(source).adapt(np.ones((2, 7, 2)), np.ones(2))
    with pytest.raises(ValueError, match="gives shape.*source reads"):
        Reprogrammer(source, transforms.Padding((9, 2))).build((None, 5, 2))
    with pytest.raises(ValueError, match="Unknown input transform.*'warp'"):
        Reprogrammer(source, "warp")
    with pytest.raises(ValueError, match="Unknown label mapping.*'magic'"):
        Reprogrammer(source, mapping="magic")


def test_summary_shows_every_shape(capsys):
    model, x = build("convolution")
    model.build((None, 4, 4, 1))
    model.summary()
    shown = capsys.readouterr().out
    assert "(None, 6, 6, 1)" in shown and "(None, 2)" in shown
