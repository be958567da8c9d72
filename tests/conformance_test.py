"""Every input transform and label mapping passes the same checks."""

import inspect

import conformance
import keras
import numpy as np
import pytest
from keras import ops

from reprogram import gradients
from reprogram import mappings
from reprogram import transforms

LAYERS = {*transforms.TRANSFORMS.values(), *mappings.MAPPINGS.values()}
RATE = 0.1


@pytest.fixture(params=conformance.CASES)
def case(request) -> conformance.Case:
    return conformance.CASES[request.param]


def model_of(case: conformance.Case) -> keras.Model:
    inputs = keras.Input(case.shape[1:])
    return keras.Model(inputs, case.build()(inputs))


def close(received: object, expected: object, tolerance: float = 1e-5) -> None:
    received = ops.convert_to_numpy(ops.cast(received, "float32"))
    np.testing.assert_allclose(received, expected, tolerance, tolerance)


def loss_of(case: conformance.Case, layer: keras.layers.Layer):
    """Mean square distance to fixed numbers, of the trainable values."""
    x = case.inputs()
    shape = layer.compute_output_shape(case.shape)
    y = np.random.default_rng(2).normal(size=shape).astype("float32")
    scores = gradients.stateless(layer, layer.trainable_variables)

    def loss(values):
        return ops.mean(ops.square(scores(values, x) - y))

    return loss, x, y


def test_every_layer_has_a_row_and_every_row_is_a_layer():
    assert {case.layer for case in conformance.CASES.values()} == LAYERS
    assert set(conformance.read()) == set(conformance.CASES)


def test_golden_values(case):
    rows = {id(case): name for name, case in conformance.CASES.items()}
    golden = conformance.read()[rows[id(case)]]
    close(np.ravel(case.build()(case.inputs(), training=False)), golden)


def test_symbolic_call_has_the_computed_shape(case):
    layer = case.build()
    symbolic = layer(keras.Input(case.shape[1:]))
    eager = layer(case.inputs())
    assert symbolic.shape == (None, *eager.shape[1:])
    assert layer.compute_output_shape(case.shape) == tuple(eager.shape)
    assert symbolic.dtype == keras.backend.standardize_dtype(eager.dtype)


def test_config_holds_every_argument(case):
    layer = case.build(name="one")
    config = layer.get_config()
    arguments = set(inspect.signature(case.layer).parameters) - {"kwargs"}
    assert arguments <= set(config)
    again = case.layer.from_config(config)
    assert again.get_config() == config
    again.build(case.shape)
    again.set_weights(layer.get_weights())
    close(again(case.inputs()), layer(case.inputs()))


def test_saved_model_answers_the_same(case, tmp_path):
    model = model_of(case)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = case.inputs()
    close(loaded(x), model(x))
    assert len(loaded.trainable_weights) == len(model.trainable_weights)


def test_exported_model_answers_the_same(case, tmp_path):
    tf = pytest.importorskip("tensorflow", reason="SavedModel is TensorFlow's")
    model = model_of(case)
    model.export(tmp_path / "export", format="tf_saved_model", verbose=False)
    exported = tf.saved_model.load(tmp_path / "export")
    close(exported.serve(case.inputs()), model(case.inputs()))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_is_finite_and_close(case, policy):
    expected = case.build()(case.inputs(), training=False)
    keras.config.set_dtype_policy(policy)
    layer = case.build()
    answers = layer(ops.cast(case.inputs(), layer.compute_dtype))
    assert all(
        weight.dtype != "float16" and weight.dtype != "bfloat16"
        for weight in layer.weights
    )
    half = case.layer in transforms.TRANSFORMS.values()
    dtype = keras.backend.standardize_dtype(answers.dtype)
    assert dtype == (policy.removeprefix("mixed_") if half else "float32")
    close(answers, expected, 0.02)


def test_inference_is_deterministic(case):
    drops = "dropout" in case.build().get_config()
    layer = case.build(dropout=0.5) if drops else case.build()
    random = drops or case.random
    x = case.inputs()
    first = np.asarray(layer(x, training=False))
    np.testing.assert_array_equal(layer(x, training=False), first)
    np.testing.assert_array_equal(layer(x), first)
    trained = np.asarray(layer(x, training=True))
    assert np.array_equal(trained, first) != random


def test_compiled_answers_the_same(case):
    layer = case.build()
    run = gradients.compiled(lambda x: layer(x, training=False))
    close(run(ops.array(case.inputs())), layer(case.inputs()))


def test_gradients_reach_every_trainable_weight(case):
    layer = case.build()
    loss, _, _ = loss_of(case, layer)
    variables = list(layer.trainable_variables)
    _, found = gradients.value_and_grad(loss)([v.value for v in variables])
    for variable, gradient in zip(variables, found, strict=True):
        gradient = ops.convert_to_numpy(gradient)
        assert gradient.shape == variable.shape
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


@pytest.mark.filterwarnings("ignore:The model does not have any trainable")
def test_two_devices_train_as_one(case, two_devices):
    if case.random:
        pytest.skip("each device draws its own numbers in training")
    layer = case.build()
    loss, x, y = loss_of(case, layer)
    start = [variable.value for variable in layer.trainable_variables]
    value, slope = gradients.value_and_grad(loss)(start)
    # Tracing a graph for each layer takes three times as long as the step;
    # parallel_test.py trains a compiled model.
    eager = keras.backend.backend() == "tensorflow"
    with two_devices():
        model = model_of(case)
        model.compile(keras.optimizers.SGD(RATE), "mse", run_eagerly=eager)
        history = model.fit(x, y, batch_size=len(x), verbose=0)
    close(history.history["loss"][0], value)
    for weight, before, step in zip(
        model.trainable_variables, start, slope, strict=True
    ):
        close(weight, ops.convert_to_numpy(before - RATE * step))
