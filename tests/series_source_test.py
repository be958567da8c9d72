"""Warped series keep their ends, their order and their missing steps."""

import numpy as np
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from reprogram.sources import series

few = settings(max_examples=15, deadline=None, derandomize=True)


@few
@given(st.integers(1, 40), st.integers(1, 3), st.integers(0, 5))
def test_ends_range_and_shape_stay(length, channels, seed):
    x = np.random.default_rng(0).normal(size=(3, length, channels))
    found = series.warped(x, seed)
    assert found.shape == x.shape and found.dtype == x.dtype
    np.testing.assert_allclose(found[:, [0, -1]], x[:, [0, -1]])
    assert (found <= x.max(axis=1, keepdims=True) + 1e-9).all()
    assert (found >= x.min(axis=1, keepdims=True) - 1e-9).all()


def test_channels_are_warped_alike_and_seeds_differ():
    line = np.linspace(0, 1, 30)
    x = np.stack([line, 2 * line], axis=1)[None]
    found = series.warped(x, 1)
    np.testing.assert_allclose(2 * found[..., 0], found[..., 1])
    assert (np.diff(found[0, :, 0]) > 0).all()
    assert not np.allclose(found, series.warped(x, 2))
    np.testing.assert_array_equal(found, series.warped(x, 1))


def test_missing_steps_stay_at_the_end():
    x = np.ones((1, 6, 1), "float32")
    x[0, 4:] = np.nan
    found = series.warped(x, 0)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(x))
