"""Values and gradients, the same on both backends."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from reprogram import gradients

RNG = np.random.default_rng(0)
MATRIX = RNG.normal(size=(4, 3)).astype("float32")
POINT = RNG.normal(size=3).astype("float32")
# Of `wave` at POINT and of `dense_case`: found on TensorFlow, true on JAX.
WAVE = 2.0051297
WAVE_GRADIENT = [-0.4823137, 0.5631860, -1.0779229]
LOSS = 0.6386256
LOSS_GRADIENTS = [
    [0.0029229, -0.0088266, 0.0216451],
    [-0.0002796, -0.0424082, -0.0034914],
    [-0.0034821, -0.0759899, -0.0286279],
    [-0.0066846, -0.1095720, -0.0537644],
    [-0.0112087, -0.1175360, -0.0879777],
]


def square(x):
    return ops.sum(x * x)


def wave(x):
    return ops.sum(ops.sin(ops.matmul(MATRIX, x)) * ops.tanh(ops.sum(x)))


def wave_in_numpy(x):
    return np.sum(np.sin(MATRIX @ x) * np.tanh(np.sum(x)))


def close(received, expected, tolerance=1e-5):
    received = ops.convert_to_numpy(received)
    np.testing.assert_allclose(received, expected, tolerance, tolerance)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.lists(st.floats(-9, 9, width=32), min_size=4, max_size=4))
def test_gradient_of_a_square_is_twice_the_argument(values):
    x = np.array(values, "float32")
    value, gradient = gradients.value_and_grad(square)(ops.array(x))
    close(value, np.sum(x * x))
    close(gradient, 2 * x)


def test_gradient_equals_finite_differences():
    value, gradient = gradients.value_and_grad(wave)(ops.array(POINT))
    point, step = POINT.astype("float64"), 1e-6
    slopes = [
        (wave_in_numpy(point + move) - wave_in_numpy(point - move)) / (2 * step)
        for move in step * np.eye(3)
    ]
    close(value, wave_in_numpy(point))
    close(gradient, slopes)


def test_golden_numbers():
    value, gradient = gradients.value_and_grad(wave)(ops.array(POINT))
    close(value, WAVE)
    close(gradient, WAVE_GRADIENT)


def product(a, b, c):
    return ops.sum(a * b) * c


A, B = np.array([1.0, 2.0], "float32"), np.array([3.0, 5.0], "float32")


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [
        (0, [6, 10]),
        (1, [2, 4]),
        (2, 13),
        (-1, 13),
        ((0,), ([6, 10],)),
        ((0, 1), ([6, 10], [2, 4])),
        ((2, 0), (13, [6, 10])),
    ],
)
def test_positions_choose_the_arguments(argnums, expected):
    run = gradients.value_and_grad(product, argnums)
    value, found = run(ops.array(A), ops.array(B), ops.array(2.0))
    assert float(value) == 26
    assert isinstance(found, tuple) == isinstance(argnums, tuple)
    if isinstance(argnums, int):
        found, expected = (found,), (expected,)
    for received, wanted in zip(found, expected, strict=True):
        close(received, wanted)


def test_nested_arguments_give_nested_gradients():
    def function(tree):
        return ops.sum(tree["a"][0] * tree["a"][1]) + 3 * tree["b"]

    tree = {"a": [ops.array(A), ops.array(B)], "b": ops.array(1.0)}
    value, found = gradients.value_and_grad(function)(tree)
    assert float(value) == 16 and set(found) == {"a", "b"}
    close(found["a"][0], B)
    close(found["a"][1], A)
    close(found["b"], 3)


def test_what_the_value_does_not_depend_on_has_gradient_zero():
    run = gradients.value_and_grad(lambda a, b: ops.sum(a), (0, 1))
    _, (first, second) = run(ops.ones(2), ops.ones((3, 2)))
    close(first, np.ones(2))
    close(second, np.zeros((3, 2)))
    run = gradients.value_and_grad(lambda a: ops.sum(ops.stop_gradient(a)))
    close(run(ops.ones(2))[1], np.zeros(2))


def test_gradient_of_a_lookup_is_a_table():
    def function(table):
        return ops.sum(ops.take(table, ops.array([2, 0, 2]), axis=0) * A)

    _, gradient = gradients.value_and_grad(function)(ops.ones((3, 2)))
    assert type(gradient) is type(ops.ones(1))
    close(gradient, [[1, 2], [0, 0], [2, 4]])


def test_arrays_and_variables_are_arguments_too():
    for x in (A, keras.Variable(A)):
        value, gradient = gradients.value_and_grad(square)(x)
        assert float(value) == 5
        close(gradient, 2 * A)


def test_second_gradients():
    def slope(x):
        return ops.sum(gradients.value_and_grad(lambda y: y**3)(x)[1])

    value, gradient = gradients.value_and_grad(slope)(ops.array(2.0))
    assert float(value) == 12 and float(gradient) == 12


def test_only_scalars_have_a_gradient():
    run = gradients.value_and_grad(lambda x: x * x)
    with pytest.raises(TypeError, match=r"scalar.*\(3,\)"):
        run(ops.ones(3))


def test_compiled_gradients_equal_eager_ones():
    run = gradients.value_and_grad(wave)
    value, gradient = gradients.compiled(run)(ops.array(POINT))
    eager_value, eager_gradient = run(ops.array(POINT))
    close(value, eager_value)
    close(gradient, eager_gradient)


def test_compiled_functions_are_traced_once_a_rank():
    traces = []

    def function(x):
        traces.append(x.shape)
        return ops.sum(x)

    run = gradients.compiled(function)
    for _ in range(2):
        for n in (2, 3, 4, 5):
            assert float(run(ops.ones(n))) == n
    limit = {"tensorflow": 2, "jax": 4}[keras.backend.backend()]
    assert len(traces) == limit


def dense_case():
    layer = keras.layers.Dense(3, activation="tanh")
    layer.build((None, 4))
    layer.kernel.assign(MATRIX)
    layer.bias.assign(POINT)
    x = np.linspace(-1, 1, 8, dtype="float32").reshape(2, 4)
    return layer, x


@pytest.mark.parametrize("compiled", [False, True])
def test_stateless_gives_gradients_to_keras_variables(compiled):
    layer, x = dense_case()
    run = gradients.stateless(layer, layer.trainable_variables)
    loss = gradients.value_and_grad(
        lambda values, x: ops.mean(ops.square(run(values, x)))
    )
    loss = gradients.compiled(loss) if compiled else loss
    value, found = loss([v.value for v in layer.variables], ops.array(x))
    close(value, LOSS)
    close(ops.concatenate([found[0], found[1][None]]), LOSS_GRADIENTS)
    y = np.tanh(x @ MATRIX + POINT)
    inner = 2 * y * (1 - y * y) / y.size
    close(found[0], x.T @ inner)
    close(found[1], inner.sum(axis=0))


def test_stateless_replaces_values_and_leaves_the_variables():
    layer, x = dense_case()
    run = gradients.compiled(gradients.stateless(layer, [layer.bias]))
    for shift in (0.0, 1.0):
        expected = np.tanh(x @ MATRIX + shift)
        close(run([ops.full((3,), shift)], ops.array(x)), expected)
    close(layer.bias, POINT)
    with pytest.raises(ValueError, match="shorter"):
        run([], ops.array(x))


@pytest.mark.parametrize("name", ["value_and_grad", "compiled"])
def test_other_backends_are_refused(name, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(RuntimeError, match=f"`{name}`.*torch.*KERAS_BACKEND"):
        getattr(gradients, name)(square)
