"""Series are stretched about their middle, and the factor can be learned."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from reprogram import gradients
from reprogram import transforms

few = settings(max_examples=15, deadline=None, derandomize=True)


def data(length, channels=2):
    draw = np.random.default_rng(length).normal(size=(2, length, channels))
    return draw.astype("float32")


def expected(x, target, scale):
    """Interpolation by NumPy of the series between two zeros."""
    length = x.shape[1]
    place = (np.arange(target) - (target - 1) / 2) / scale + (length - 1) / 2
    known = np.arange(-1, length + 1)
    padded = np.pad(x, [[0, 0], [1, 1], [0, 0]])
    out = np.zeros((len(x), target, x.shape[2]))
    for i in range(len(x)):
        for j in range(x.shape[2]):
            out[i, :, j] = np.interp(place, known, padded[i, :, j])
    return out


@few
@given(st.integers(1, 9), st.integers(1, 30), st.floats(0.12, 4.9))
def test_values_are_interpolated_linearly(length, target, scale):
    x = data(length)
    out = transforms.Resampling(target, scale)(x)
    np.testing.assert_allclose(out, expected(x, target, scale), atol=2e-4)


def test_factor_of_one_changes_nothing_and_pads_in_the_middle():
    x = data(6)
    np.testing.assert_allclose(transforms.Resampling()(x), x, atol=1e-4)
    out = np.asarray(transforms.Resampling(10)(x))
    np.testing.assert_allclose(out[:, 2:8], x, atol=1e-4)
    np.testing.assert_allclose(out[:, [0, 1, 8, 9]], 0, atol=1e-4)


def test_gradient_of_the_factor_is_that_of_the_equation():
    x = data(7)
    layer = transforms.Resampling(20, 1.7)
    weights = np.random.default_rng(0).normal(size=(2, 20, 2))
    weights = weights.astype("float32")
    layer(x)
    run = gradients.stateless(layer, [layer.program])
    _, slope = gradients.value_and_grad(
        lambda value: ops.sum(run([value], x) * weights)
    )(layer.program.value)
    low, high = layer.limits
    share = np.log(1.7 / low) / np.log(high / low)
    inner = 1.7 * np.log(high / low) * share * (1 - share)
    step = 1e-4
    ends = [expected(x, 20, 1.7 + s) for s in (step, -step)]
    numeric = ((ends[0] - ends[1]) * weights).sum() / (2 * step) * inner
    assert float(slope) == pytest.approx(numeric, rel=1e-2)


@pytest.mark.parametrize("value", [-1e4, 1e4])
def test_no_program_leaves_the_limits(value):
    layer = transforms.Resampling(limits=(0.5, 2.0))
    layer.build((None, 4, 1))
    layer.program.assign(value)
    assert 0.499 < float(layer.factor()) < 2.001
    assert np.isfinite(np.asarray(layer(data(4, 1)))).all()


def test_training_finds_the_speed():
    place = np.linspace(-1, 1, 65, dtype="float32")
    bell = np.exp(-((place / 0.3) ** 2))[None, :, None]
    goal = np.exp(-((place / 0.3 / 0.6) ** 2))[None, :, None]
    layer = transforms.Resampling(scale=1.3)
    layer.build(bell.shape)
    run = gradients.stateless(layer, [layer.program])
    descend = gradients.value_and_grad(
        lambda value: ops.mean(ops.square(run([value], bell) - goal))
    )
    for _ in range(80):
        _, slope = descend(layer.program.value)
        layer.program.assign_sub(5.0 * slope)
    assert float(layer.factor()) == pytest.approx(0.6, abs=0.01)


def missing(out):
    return np.isnan(np.asarray(out)[..., 0]).astype(int).tolist()


def test_what_is_missing_stretches_with_the_series():
    x = data(4, 1)
    assert missing(transforms.Resampling(6)(x)) == [[0] * 6] * 2
    mask = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], bool)
    expected = [[0, 0, 0, 0, 1, 0], [0, 0, 0, 1, 1, 0]]
    assert missing(transforms.Resampling(6)(x, mask=mask)) == expected
    holes = np.where(mask[..., None], x, np.nan).astype("float32")
    assert missing(transforms.Resampling(6)(holes)) == expected
    outside = transforms.Resampling(6, missing_outside=True)
    assert missing(outside(x)) == [[1, 0, 0, 0, 0, 1]] * 2


def test_the_program_follows_the_window_as_the_factor_moves():
    chain = keras.Sequential(
        [
            keras.Input((4, 1)),
            transforms.Resampling(10, missing_outside=True),
            transforms.Segments((10, 1), initializer="ones"),
        ]
    )
    x = np.full((1, 4, 1), 5.0, "float32")
    out = np.asarray(chain(x)).ravel()
    np.testing.assert_allclose(out, [1] * 3 + [5] * 4 + [1] * 3, atol=1e-3)
    chain.layers[0].program.assign(10.0)
    assert (np.asarray(chain(x)) > 1.1).all()


def test_missing_steps_leave_the_gradient_finite():
    layer = transforms.Resampling(8, 1.4, missing_outside=True)
    fill = transforms.Segments((8, 1))
    x = data(4, 1)
    x[0, 2:] = np.nan
    fill(layer(x))
    run = gradients.stateless(lambda x: fill(layer(x)), [layer.program])
    _, slope = gradients.value_and_grad(
        lambda value: ops.sum(ops.square(run([value], x)))
    )(layer.program.value)
    assert np.isfinite(float(slope)) and float(slope) != 0


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match=r"scale=6.0, limits=\(0.1, 5.0\)"):
        transforms.Resampling(scale=6.0)
    with pytest.raises(ValueError, match="positive length.*length=0"):
        transforms.Resampling(0)
    with pytest.raises(ValueError, match="known sizes.*up with NaN"):
        transforms.Resampling().build((None, None, 1))
