"""What baselines read where the size is left to the transform."""

import keras
import numpy as np
import pytest

from reprogram.predictors import data
from reprogram.sources import Source


def source(length, channels=1, modality="series"):
    inputs = keras.Input((length, channels))
    outputs = keras.layers.GlobalAveragePooling1D()(inputs)
    return Source(keras.Model(inputs, outputs), "s", modality, np.asarray)


def test_short_series_are_repeated_and_filled_up():
    x = np.array([[[1.0], [2.0], [np.nan]]])
    found = data.plain(source(8)).preprocess(x)
    assert found[0, :, 0].tolist() == [1, 2, 0, 1, 2, 0, 0, 0]


def test_long_series_are_thinned_out():
    x = np.arange(101.0)[None, :, None]
    found = data.plain(source(5)).preprocess(x)
    assert found[0, :, 0].tolist() == [0, 25, 50, 75, 100]


@pytest.mark.parametrize(("given", "wanted"), [(3, 1), (1, 2)])
def test_channels_are_averaged_or_repeated(given, wanted):
    x = np.random.default_rng(0).normal(size=(2, 4, given))
    found = data.plain(source(4, wanted)).preprocess(x)
    assert found.shape == (2, 4, wanted)
    np.testing.assert_allclose(found[..., 0], x.mean(axis=-1))


def test_what_fits_and_other_modalities_stay():
    x = np.ones((2, 4, 1))
    np.testing.assert_array_equal(data.plain(source(4)).preprocess(x), x)
    text = source(4, modality="token")
    assert data.plain(text) is text
