"""Pictures show the series, stay in the range and let gradients through."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from reprogram import gradients
from reprogram import transforms
from reprogram.transforms import rendering

VIEWS = list(rendering.VIEWS)
few = settings(max_examples=10, deadline=None, derandomize=True)


def data(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def unit(x):
    low, high = x.min(1, keepdims=True), x.max(1, keepdims=True)
    return (2 * x - low - high) / (high - low)


def test_gramian_is_the_cosine_of_the_sum_of_angles():
    x = data(2, 12, 1)
    layer = transforms.Rendering((12, 12, 1), "gramian")
    angle = np.arccos(np.clip(unit(x)[..., 0], -1, 1))
    field = np.cos(angle[:, :, None] + angle[:, None])
    np.testing.assert_allclose(layer(x)[..., 0], field, atol=3e-3)


def test_recurrence_is_the_closeness_of_two_times():
    x = data(2, 12, 2)
    layer = transforms.Rendering((12, 12, 2), "recurrence", 0.5, (0, 1))
    u = unit(x)
    near = np.exp(-((u[:, :, None] - u[:, None]) ** 2) / (2 * 0.5**2))
    np.testing.assert_allclose(layer(x), near, atol=1e-5)


def test_line_goes_from_left_to_right_and_upwards():
    x = np.linspace(0, 1, 32, dtype="float32")[None, :, None]
    out = np.asarray(transforms.Rendering((33, 32, 1), softness=0.05)(x))[0]
    top = out[..., 0].argmax(axis=0)
    assert top[0] > 28 and top[-1] < 4 and (np.diff(top) <= 0).all()
    # A jump is drawn as an upright stroke.
    jump = np.repeat([0.0, 1.0], 16).astype("float32")[None, :, None]
    out = np.asarray(transforms.Rendering((33, 32, 1), softness=0.05)(jump))
    assert (out[0, 3:30, 15, 0] > 0.9).all()


@few
@given(
    st.sampled_from(VIEWS),
    st.integers(1, 40),
    st.floats(0.01, 100),
    st.floats(-100, 100),
)
def test_unit_and_offset_do_not_matter(view, length, unit, offset):
    layer = transforms.Rendering((9, 8, 2), view, value_range=(0, 255))
    x = data(2, length, 1)
    out = np.asarray(layer(x))
    assert out.shape == layer.compute_output_shape(x.shape) == (2, 9, 8, 2)
    assert out.min() >= 0 and out.max() <= 255.01
    np.testing.assert_array_equal(out[..., 0], out[..., 1])
    np.testing.assert_allclose(layer(unit * x + offset), out, atol=6)


@pytest.mark.parametrize("view", VIEWS)
def test_gradients_reach_the_data(view):
    layer = transforms.Rendering((9, 11, 1), view)
    x = data(2, 20, 1)
    _, slope = gradients.value_and_grad(
        lambda x: ops.mean(ops.square(layer(x)))
    )(ops.convert_to_tensor(x))
    slope = ops.convert_to_numpy(slope)
    assert np.isfinite(slope).all() and (slope != 0).mean() > 0.5


@pytest.mark.parametrize("view", VIEWS)
def test_steps_that_are_missing_stay_blank(view):
    layer = transforms.Rendering((8, 8, 1), view, value_range=(0, 1))
    x = data(1, 8, 1)
    short = x.copy()
    short[:, 5:] = np.nan
    out = np.asarray(layer(short))[0, ..., 0]
    assert np.isfinite(out).all() and not out[:, 5:].any()
    mask = np.arange(8)[None] < 5
    again = np.asarray(layer(np.nan_to_num(short), mask=mask))[0, ..., 0]
    np.testing.assert_allclose(again, out, atol=1e-6)
    assert out[:, :5].any()


def test_constant_series_are_drawn_in_the_middle():
    layer = transforms.Rendering((9, 8, 1), value_range=(0, 1))
    out = np.asarray(layer(np.full((1, 5, 1), 3.0, "float32")))[0, ..., 0]
    assert (out.argmax(axis=0) == 4).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"view": "bars"}, "line, gramian, recurrence.*view='bars'"),
        ({"softness": 0}, "positive `softness`.*softness=0"),
        ({"target_shape": (8, 1)}, r"\(height, width, channels\).*\(8, 1\)"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        transforms.Rendering(**{"target_shape": (8, 8, 3), **options})


def test_data_that_do_not_fit_are_refused():
    layer = transforms.Rendering((8, 8, 3))
    with pytest.raises(ValueError, match="2 channels of data.*Put Mixing"):
        layer.build((None, 9, 2))
    with pytest.raises(ValueError, match="known sizes.*with NaN"):
        layer.build((None, None, 1))
