"""Adversarial training: robust in the end, frozen, and saved."""

import keras
import numpy as np
import pytest
from keras import ops

from reprogram.mappings import LinearMapping
from reprogram.program import fingerprint
from reprogram.reprogrammer import Reprogrammer
from reprogram.robustness import L0
from reprogram.robustness import L2
from reprogram.robustness import Linf
from reprogram.robustness.attacks import pgd
from reprogram.robustness.hardening import hardened as training
from reprogram.robustness.hardening.hardened import Hardened

ON_JAX = keras.backend.backend() == "jax"
METHODS = [m for m in training.METHODS if not (ON_JAX and m == "free")]
RNG = np.random.default_rng(0)
# One feature is strong, twenty weak ones together say more, but a small
# change of all of them undoes it.
Y = RNG.integers(0, 2, 512)
SIGN = 2.0 * Y[:, None] - 1.0
X = np.concatenate(
    [
        0.5 + 0.25 * SIGN * (RNG.uniform(size=(512, 1)) < 0.9),
        0.5 + 0.02 * SIGN + 0.02 * RNG.normal(size=(512, 20)),
    ],
    axis=1,
).astype("float32")
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def program():
    """A frozen source that reads all features; the program weighs them."""
    source = keras.Sequential(
        [keras.Input((21,)), keras.layers.Dense(21, use_bias=False)]
    )
    source.set_weights([np.diag([10.0] + [25.0] * 20)])
    model = Reprogrammer(source, mapping=LinearMapping(2))
    model.build((None, 21))
    kernel = next(w for w in model.mapping.weights if w.shape == (21, 2))
    kernel.assign(np.random.default_rng(1).normal(size=(21, 2)) / 20)
    return model


def fitted(model, epochs=4, **options):
    model.compile(keras.optimizers.Adam(0.01), LOSS, **options)
    model.fit(X, Y, epochs=epochs, batch_size=100, verbose=0)
    return model


def robust(model):
    return pgd(model, X, Y, Linf(0.1), steps=10).robust_accuracy()


def test_training_without_an_attacker_is_not_robust():
    assert robust(fitted(program(), 12)) < 0.1


@pytest.mark.parametrize("method", METHODS)
def test_training_hardens_the_program_and_leaves_the_source(method):
    model = program()
    before = fingerprint(model.source)
    hardened = Hardened(model, Linf(0.1), method, steps=3, beta=1.0)
    fitted(hardened, 20, metrics=["accuracy"])
    assert robust(model) > 0.35
    assert fingerprint(model.source) == before
    assert len(hardened.trainable_weights) == len(model.trainable_weights)
    assert hardened.evaluate(X, Y, verbose=0)[1] > 0.35


@pytest.mark.parametrize("method", ["pgd", "fast"])
def test_inputs_are_moved_as_by_hand(method):
    """One step from the inputs against the sign of a linear model's slope."""
    model = program()
    hardened = Hardened(model, Linf(0.1, (-9, 9)), method, 1, size=10.0)
    hardened.compile("sgd", LOSS)
    moved = hardened._moved((X[:8], Y[:8]), 0)[0]
    weights = ops.convert_to_numpy(model.mapping.trainable_weights[0])
    slope = weights[:, 1] - weights[:, 0]
    expected = X[:8] - 0.1 * SIGN[:8] * np.sign(slope)
    np.testing.assert_allclose(moved, expected, atol=1e-5)


def test_trades_is_the_loss_of_the_paper():
    model = program()
    hardened = Hardened(model, Linf(0.1), "trades", beta=3.0)
    hardened.compile("sgd", LOSS)
    clean, moved = RNG.normal(size=(2, 6, 2)).astype("float32")
    hardened._paired = True
    weight = np.array([1.0, 2.0, 0.0, 1.0, 1.0, 1.0], "float32")
    received = hardened.compute_loss(
        X[:12],
        np.tile(Y[:6], 2),
        ops.array(np.concatenate([clean, moved])),
        np.tile(weight, 2),
    )
    p, q = (np.exp(z) / np.exp(z).sum(1, keepdims=True) for z in (clean, moved))
    own = -np.log(p[np.arange(6), Y[:6]])
    apart = (p * np.log(p / q)).sum(axis=1)
    expected = np.mean(weight * own) + 3.0 * np.mean(weight * apart)
    np.testing.assert_allclose(float(received), expected, rtol=1e-5)


def test_validation_is_under_attack_and_callbacks_see_it(tmp_path):
    model = program()
    hardened = Hardened(model, Linf(0.1), "fast")
    hardened.compile(keras.optimizers.Adam(0.01), LOSS, metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True)
    history = hardened.fit(
        X[:400],
        Y[:400],
        validation_data=(X[400:], Y[400:]),
        epochs=2,
        callbacks=[stop, keras.callbacks.BackupAndRestore(tmp_path / "kept")],
        verbose=0,
    ).history
    attacked = hardened.evaluate(X[400:], Y[400:], verbose=0)[1]
    plain = Hardened(model, Linf(0.1), validation_steps=0)
    plain.compile("sgd", LOSS, metrics=["accuracy"])
    assert attacked <= plain.evaluate(X[400:], Y[400:], verbose=0)[1]
    assert {"val_loss", "val_accuracy"} <= set(history)


def test_a_hardened_model_is_saved(tmp_path):
    hardened = Hardened(program(), L2(0.2, (0, 2)), "trades", 2, beta=2.0)
    fitted(hardened, 1).save(tmp_path / "model.keras")
    found = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        found.predict(X[:5], verbose=0), hardened.predict(X[:5], verbose=0)
    )
    assert found.threat == hardened.threat and found.method == "trades"
    before = fingerprint(found.model.source)
    found.fit(X, Y, verbose=0)
    assert fingerprint(found.model.source) == before


def test_mistakes_are_told():
    model = program()
    with pytest.raises(ValueError, match="no method 'magic'.*trades"):
        Hardened(model, Linf(0.1), "magic")
    with pytest.raises(ValueError, match="Only the weights of a Keras model"):
        Hardened(lambda x: x, Linf(0.1))
    with pytest.raises(ValueError, match="such as Linf"):
        Hardened(model, 0.1)
    with pytest.raises(ValueError, match="steps=0"):
        Hardened(model, Linf(0.1), steps=0)
    with pytest.raises(ValueError, match="outside the bounds"):
        Hardened(model, Linf(0.1)).fit(X * 255, Y)
    with pytest.raises(ValueError, match="moves numbers"):
        Hardened(model, Linf(0.1)).fit(np.array(["CO", "CC"]), Y[:2])
    with pytest.raises(ValueError, match="hardened.model"):
        Hardened(model, L0(3)).get_config()


@pytest.mark.skipif(not ON_JAX, reason="needs the JAX backend")
def test_free_training_refuses_jax():
    hardened = Hardened(program(), Linf(0.1), "free")
    hardened.compile("sgd", LOSS)
    with pytest.raises(RuntimeError, match="tensorflow. Received: jax"):
        hardened.fit(X, Y, verbose=0)
