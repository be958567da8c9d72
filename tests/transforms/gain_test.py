"""Gain and offset, a channel each; loudness is a matter of what is seen."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from reprogram import transforms


def data(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("shape", [(2, 5, 3), (2, 4, 5, 3)])
def test_each_channel_has_its_gain_and_offset(shape):
    layer = transforms.Gain()
    x = data(*shape)
    np.testing.assert_array_equal(layer(x), x)
    factor, shift = np.array([2.0, -1.0, 0.5]), np.array([0.0, 1.0, -3.0])
    layer.factor.assign(factor)
    layer.shift.assign(shift)
    np.testing.assert_allclose(layer(x), x * factor + shift, rtol=1e-5)
    assert len(layer.trainable_weights) == 2


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.floats(1e-3, 1e3), st.floats(0.01, 10))
def test_loudness_of_the_data_does_not_matter(unit, rms):
    layer = transforms.Gain(rms=rms)
    x = data(2, 50, 2)
    out = np.asarray(layer(unit * x))
    np.testing.assert_allclose(
        np.sqrt((out**2).mean(axis=1)), np.full((2, 2), rms), rtol=1e-4
    )
    np.testing.assert_allclose(out, layer(x), rtol=1e-3)


def test_masked_steps_do_not_count_and_silence_stays_silent():
    layer = transforms.Gain(rms=1.0)
    x = data(1, 10, 1)
    mask = np.arange(10)[None] < 6
    padded = np.where(mask[..., None], x, 0).astype("float32")
    np.testing.assert_allclose(
        layer(padded, mask=mask)[:, :6], layer(x[:, :6]), rtol=1e-5
    )
    assert not np.asarray(layer(np.zeros((1, 10, 1)))).any()
    out = layer(transforms.Missing()(np.where(padded == 0, np.nan, padded)))
    np.testing.assert_allclose(out[:, :6], layer(x[:, :6]), rtol=1e-5)


def test_a_mask_passes():
    chain = keras.Sequential([transforms.Missing(), transforms.Gain()])
    x = data(2, 5, 1)
    x[0, 3:] = np.nan
    lstm = keras.layers.LSTM(2)
    np.testing.assert_allclose(lstm(chain(x))[:1], lstm(x[:1, :3]), atol=1e-6)


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="positive.*rms=0"):
        transforms.Gain(rms=0)
    with pytest.raises(ValueError, match=r"\(None, 4\).*missing dimension"):
        transforms.Gain().build((None, 4))
