"""Training by queries: no gradients, exact counts, resume, the same result."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from reprogram import gradients
from reprogram import mappings
from reprogram import transforms
from reprogram.blackbox import errors
from reprogram.blackbox import estimators
from reprogram.blackbox import training
from reprogram.blackbox.ledger import Ledger
from reprogram.blackbox.meter import Meter
from reprogram.blackbox.population import evolve
from reprogram.blackbox.priming import prime
from reprogram.blackbox.reprogrammer import BlackBoxReprogrammer
from reprogram.blackbox.scores import restrict
from reprogram.predictors.recipe import Recipe
from reprogram.sources import Source

if keras.backend.backend() != "tensorflow":
    pytest.skip("training by queries needs TensorFlow", allow_module_level=True)

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(36, 5))
X = RNG.uniform(-1, 1, size=(24, 4, 4, 1)).astype("float32")
Y = np.arange(24) % 2
X += np.where(Y, 0.5, -0.5)[:, None, None, None].astype("float32")
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def answer(inputs):
    """A linear model in NumPy: nothing to differentiate."""
    scores = inputs.reshape(len(inputs), -1) @ WEIGHTS
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def make(
    meter=None,
    estimator="orthogonal",
    mapping=None,
    rate=0.3,
    **options,
):
    keras.utils.set_random_seed(0)
    model = BlackBoxReprogrammer(
        meter or Meter(answer),
        transforms.Padding((6, 6, 1), value_range=(-1.0, 1.0), **options),
        mapping or mappings.FrequencyMapping(2),
        estimators.get(estimator),
    )
    model.compile(keras.optimizers.SGD(rate), LOSS, metrics=["accuracy"])
    return model


def run(model, epochs=3, batch_size=6):
    return training.train(
        model,
        (X[:12], Y[:12]),
        (X[12:], Y[12:]),
        epochs,
        batch_size,
        tell=lambda _: None,
    )


@pytest.mark.parametrize("name", estimators.ESTIMATORS)
def test_every_estimator_lowers_the_training_loss(name):
    model = make(estimator=name, rate=0.2)
    model.adapt(X, Y)
    before = model.evaluate(X, Y, verbose=0)[0]
    model.fit(X, Y, batch_size=24, epochs=15, verbose=0)
    assert model.evaluate(X, Y, verbose=0)[0] < before


def test_queries_are_exact():
    meter = Meter(answer)
    model = make(meter, estimators.Orthogonal(3))
    run(model, epochs=2)
    bill = meter.bill()
    # 12 for the mapping; each step 6 points of 6 inputs.
    assert bill.purposes["train"] == 12 + 2 * 2 * 6 * 6
    assert bill.purposes["validation"] == 12 * 3
    model.predict(X[:5] + 0.01, verbose=0)
    assert meter.bill().purposes["inference"] == 5


def test_the_service_is_never_differentiated():
    @tf.custom_gradient
    def guarded(x):
        def refuse(_):
            raise AssertionError("The source was differentiated.")

        return x, refuse

    inner = keras.Sequential(
        [keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(5)]
    )
    model = make(Meter(lambda x: guarded(inner(x)).numpy()))
    run(model)
    held = {id(v) for v in model.variables}
    assert not held & {id(v) for v in inner.variables}


def test_result_does_not_depend_on_how_points_are_batched(monkeypatch):
    from reprogram.blackbox import forward

    def trained(rows, batch_size):
        monkeypatch.setattr(forward, "ROWS", rows)
        model = make(Meter(answer, batch_size=batch_size))
        run(model)
        return model.values()

    whole = trained(10_000, 1000)
    np.testing.assert_allclose(trained(7, 5), whole, rtol=1e-4, atol=1e-5)


def test_budget_stops_cleanly_with_the_best_program():
    meter = Meter(answer, budget=200)
    model = make(meter, estimators.Orthogonal(3))
    history = run(model, epochs=50)
    assert model.stopped.startswith("36 queries are needed")
    assert 150 < meter.bill().queries <= 200
    assert min(history["loss"]) > 0
    queries = history["queries"]
    assert sorted(set(queries)) == queries
    loss = model.evaluate(X[12:], Y[12:], verbose=0)[0]
    assert loss <= min(history["val_loss"]) + 1e-5


def test_a_budget_smaller_than_a_step_is_told_before_the_first_query():
    meter = Meter(answer, budget=60)
    with pytest.raises(errors.BudgetSpent, match="at least 108 queries"):
        run(make(meter, estimators.Orthogonal(6)))
    assert meter.bill().queries == 0
    model = make(meter, estimators.Orthogonal(6))
    with pytest.raises(errors.BudgetSpent, match="One step asks 288"):
        model.fit(X, Y, batch_size=24, verbose=0)
    assert meter.bill().queries == 0


def test_a_run_that_died_is_repeated_at_no_second_charge(tmp_path):
    class Dies:
        left = 9

        def __call__(self, x):
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            return answer(x)

    path = tmp_path / "ledger.db"
    with pytest.raises(KeyboardInterrupt):
        run(make(Meter(Dies(), Ledger(path), name="s")))
    paid = Ledger(path).bill()
    model = make(Meter(answer, Ledger(path), name="s"))
    run(model)
    whole = Meter(answer)
    reference = make(whole)
    run(reference)
    np.testing.assert_array_equal(model.values(), reference.values())
    extra = Ledger(path).bill().queries - whole.bill().queries
    assert paid.queries > 0 and extra == paid.unconfirmed


def test_labels_alone_are_enough():
    service = restrict(answer, "label")
    model = make(
        Meter(service), estimators.NaturalEvolution(20, 0.5, ranks=True)
    )
    model.adapt(X, Y)
    before = model.evaluate(X, Y, verbose=0)[1]
    model.fit(X, Y, batch_size=24, epochs=15, verbose=0)
    assert model.evaluate(X, Y, verbose=0)[1] >= before


def test_gradient_of_the_mapping_is_the_true_one():
    model = make(mapping=mappings.LinearMapping(2))
    model.adapt(X, Y)
    before = [np.array(w) for w in model.mapping.trainable_weights]
    model.fit(X, Y, batch_size=24, epochs=1, verbose=0)
    after = model.mapping.trainable_weights
    assert any((np.array(a) != b).any() for a, b in zip(after, before))


def test_regularizers_of_the_program_count():
    plain, heavy = make(rate=0.1), make(rate=0.1, regularizer="l2")
    for model in (plain, heavy):
        model.adapt(X, Y)
        model.assign(np.ones_like(model.values()))
        model.fit(X, Y, batch_size=24, epochs=1, verbose=0)
    assert np.abs(heavy.values()).sum() < np.abs(plain.values()).sum()


def test_program_is_saved_for_its_service(tmp_path):
    model = make(Meter(answer, name="one"))
    run(model)
    path = str(tmp_path / "p.weights.h5")
    model.save_program(path)
    again = make(Meter(answer, name="one"))
    again.adapt(X, Y)
    again.load_program(path)
    np.testing.assert_array_equal(again.values(), model.values())
    other = make(Meter(answer, name="two"))
    other.adapt(X, Y)
    with pytest.raises(ValueError, match="another source"):
        other.load_program(path)


def test_bad_use_is_told():
    with pytest.raises(ValueError, match="NumPy arrays"):
        make().fit(tf.data.Dataset.from_tensor_slices((X, Y)))
    with pytest.raises(ValueError, match="how many classes"):
        make().build((None, 4, 4, 1))


def test_cma_lowers_the_validation_loss():
    pytest.importorskip("cma", reason="cma is not installed")
    model = make(Meter(answer, budget=9000), program="patches")
    history = evolve(model, (X, Y), (X, Y), batch_size=24, tell=lambda _: None)
    assert min(history["val_loss"]) < history["val_loss"][0]
    assert model.meter.bill().queries <= 9000
    loss = model.evaluate(X, Y, verbose=0)[0]
    assert np.isclose(loss, min(history["val_loss"]), rtol=1e-4)
    with pytest.raises(ValueError, match="Set `budget`"):
        evolve(make(), (X, Y), (X, Y))


def test_priming_asks_each_input_once_and_reports_the_local_baseline():
    inner = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(8, "tanh", name="features"),
            keras.layers.Dense(3),
        ]
    )
    source = Source(
        inner,
        "encoder",
        "image",
        lambda x: np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))),
        input_range=(-1.0, 1.0),
        feature_layer="features",
    )
    meter = Meter(answer)
    found = prime(
        make(meter),
        source,
        (X[:16], Y[:16]),
        (X[16:], Y[16:]),
        Recipe(epochs=2),
    )
    assert meter.bill().queries == 24
    assert set(found.accuracies) == {"primed", "local", "service"}
    best = max(found.accuracies.values())
    assert found.winner == "service" or found.accuracies[found.winner] == best
    predicted = found.predict(X)
    assert predicted.shape == (24, 2)
    np.testing.assert_allclose(predicted.sum(axis=1), 1, rtol=1e-5)
    assert found.sources["primed"].model.output_shape == (None, 5)
    assert found.agreement > 0.5


def test_gradients_module_is_not_asked_for_the_service(monkeypatch):
    monkeypatch.setattr(gradients, "value_and_grad", None)
    run(make(), epochs=1)
