"""Choices are soft and random in training, single and fixed otherwise."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from reprogram import gradients
from reprogram import transforms
from reprogram.reprogrammer import Reprogrammer

TOKENS = np.array([[1, 2, 3, 0], [3, 3, 1, 2]])


def built(window=1, temperature=1.0, **options):
    layer = transforms.TokenRewriting(
        4, 6, window, temperature, **{"seed": 0, **options}
    )
    layer.build((None, None))
    layer.program.assign(np.random.default_rng(1).normal(size=(window, 4, 6)))
    return layer


def scores(layer, tokens, pad=0):
    """A convolution over one-hot tokens in which padding says nothing."""
    program = ops.convert_to_numpy(layer.program)
    hot = np.eye(4)[tokens]
    reach = layer.window // 2
    out = np.zeros((*tokens.shape, 6))
    for t in range(tokens.shape[1]):
        for k in range(layer.window):
            s = t + k - reach
            if 0 <= s < tokens.shape[1]:
                said = (tokens[:, s] != pad) | (s == t)
                out[:, t] += said[:, None] * (hot[:, s] @ program[k])
    return out


@pytest.mark.parametrize("window", [1, 3, 5])
def test_the_best_word_is_chosen_for_the_window(window):
    layer = built(window)
    out = np.asarray(layer(TOKENS))
    best = scores(layer, TOKENS).argmax(axis=-1)
    np.testing.assert_allclose(out, np.eye(6)[best], atol=1e-6)
    words = np.random.default_rng(2).normal(size=(6, 5)).astype("float32")
    embedded = layer(TOKENS, dictionary=ops.array(words))
    np.testing.assert_allclose(embedded, words[best], atol=1e-5)


def test_longer_batches_do_not_change_a_choice():
    layer = built(3)
    padded = np.pad(TOKENS[:, :3], [[0, 0], [0, 4]])
    np.testing.assert_allclose(
        layer(padded)[:, :3], layer(TOKENS[:, :3]), atol=1e-6
    )


@pytest.mark.parametrize("window", [1, 3])
def test_draws_follow_the_scores(window):
    layer = built(window, temperature=0.01)
    tokens = np.full((1, 1), 2)
    draws = [np.asarray(layer(tokens, training=True))[0, 0] for _ in range(600)]
    share = np.mean(np.eye(6)[np.argmax(draws, axis=1)], axis=0)
    logits = scores(layer, tokens)[0, 0]
    odds = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(share, odds, atol=0.07)


def test_choices_grow_sharp_as_the_temperature_falls():
    layer = built()
    peaks = []
    for temperature in (2.0, 0.5, 0.01):
        layer.temperature.assign(temperature)
        out = np.asarray(layer(np.full((50, 4), 1), training=True))
        np.testing.assert_allclose(out.sum(axis=-1), 1.0, atol=1e-5)
        peaks.append(out.max(axis=-1).mean())
    assert peaks[0] < peaks[1] < peaks[2] and peaks[2] > 0.95


@pytest.mark.parametrize("window", [1, 3])
def test_gradient_at_inference_is_that_of_the_soft_choice(window):
    layer = built(window, temperature=0.7)
    weights = np.random.default_rng(3).normal(size=(2, 4, 6)).astype("float32")
    run = gradients.stateless(layer, [layer.program])
    _, slope = gradients.value_and_grad(
        lambda program: ops.sum(run([program], TOKENS) * weights)
    )(layer.program)
    logits = scores(layer, TOKENS) / 0.7
    soft = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    inner = (soft * weights).sum(axis=-1, keepdims=True)
    own = soft * (weights - inner) / 0.7
    middle = np.zeros((4, 6))
    np.add.at(middle, TOKENS, own)
    found = ops.convert_to_numpy(slope)[window // 2]
    np.testing.assert_allclose(found, middle, atol=1e-4)


def language_model():
    keras.utils.set_random_seed(0)
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(6, 8, "random_normal", name="embeddings")(tokens)
    return keras.Model(tokens, layers.Dense(6)(x))


@pytest.mark.parametrize("window", [1, 3])
def test_annealed_training_finds_the_words(window, tmp_path):
    source = language_model()
    true = np.array([5, 3, 0, 4])
    rewriting = transforms.TokenRewriting(4, 6, window, seed=0)
    model = Reprogrammer(source, rewriting, input_layer="embeddings")
    model.compile(keras.optimizers.Adam(0.05), "mse")
    mark = model.source_fingerprint()
    x = np.random.default_rng(0).integers(0, 4, (128, 6))
    y = ops.convert_to_numpy(source(true[x]))
    model.fit(
        x,
        y,
        epochs=40,
        batch_size=16,
        callbacks=[transforms.Annealing(0.05)],
        verbose=0,
    )
    chosen = np.asarray(rewriting(x)).argmax(axis=-1)
    assert (chosen == true[x]).mean() > 0.95
    assert float(rewriting.temperature) == pytest.approx(0.05, rel=1e-5)
    assert mark == model.source_fingerprint()
    assert len(model.trainable_weights) == 1
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(x), model(x), atol=1e-6)
    assert float(loaded.transform.temperature) == pytest.approx(0.05, rel=1e-5)


@pytest.mark.parametrize(
    ("callback", "expected"),
    [
        (transforms.Annealing(0.02), [2.0, 0.2, 0.02]),
        (transforms.Annealing(0.02, epochs=2), [2.0, 0.02, 0.02]),
    ],
)
def test_temperature_falls_by_the_same_factor(callback, expected):
    model = Reprogrammer(
        language_model(),
        transforms.TokenRewriting(4, 6),
        input_layer="embeddings",
    )
    model.compile("sgd", "mse")
    seen = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(
            float(model.transform.temperature)
        )
    )
    model.fit(
        TOKENS,
        np.ones((2, 4, 6)),
        epochs=3,
        callbacks=[callback, note],
        verbose=0,
    )
    np.testing.assert_allclose(seen, expected, rtol=1e-5)


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="odd `window`.*window=2"):
        transforms.TokenRewriting(4, 6, 2)
    with pytest.raises(ValueError, match="temperature=0"):
        transforms.TokenRewriting(4, 6, temperature=0)
    for options in ({"last": 0}, {"epochs": 0}):
        with pytest.raises(ValueError, match="positive last temperature"):
            transforms.Annealing(**options)
    model = Reprogrammer(keras.Sequential([keras.Input((3,)), layers.Dense(1)]))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="TokenRewriting.*Identity"):
        model.fit(
            np.ones((2, 3)),
            np.ones((2, 1)),
            callbacks=[transforms.Annealing()],
            verbose=0,
        )
