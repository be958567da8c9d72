"""What baselines read where the size is left to the transform."""

import keras
import numpy as np
import pytest

from reprogram.predictors import features
from reprogram.predictors.features import Features
from reprogram.sources import Source


def source(length, channels=1, modality="series"):
    inputs = keras.Input((length, channels))
    outputs = keras.layers.GlobalAveragePooling1D()(inputs)
    return Source(keras.Model(inputs, outputs), "s", modality, np.asarray)


def test_short_series_are_repeated_and_filled_up():
    x = np.array([[[1.0], [2.0], [np.nan]]])
    found = features.plain(source(8)).preprocess(x)
    assert found[0, :, 0].tolist() == [1, 2, 0, 1, 2, 0, 0, 0]


def test_long_series_are_thinned_out():
    x = np.arange(101.0)[None, :, None]
    found = features.plain(source(5)).preprocess(x)
    assert found[0, :, 0].tolist() == [0, 25, 50, 75, 100]


@pytest.mark.parametrize(("given", "wanted"), [(3, 1), (1, 2)])
def test_channels_are_averaged_or_repeated(given, wanted):
    x = np.random.default_rng(0).normal(size=(2, 4, given))
    found = features.plain(source(4, wanted)).preprocess(x)
    assert found.shape == (2, 4, wanted)
    np.testing.assert_allclose(found[..., 0], x.mean(axis=-1))


def test_what_fits_and_other_modalities_stay():
    x = np.ones((2, 4, 1))
    np.testing.assert_array_equal(features.plain(source(4)).preprocess(x), x)
    text = source(4, modality="token")
    assert features.plain(text) is text


def test_each_kind_is_computed_once_for_all_inputs(monkeypatch):
    seen = []
    original = features.compute

    def spy(kind, inputs):
        seen.append((kind, len(inputs)))
        return original(kind, inputs)

    monkeypatch.setattr(features, "compute", spy)
    x = np.arange(12.0).reshape(6, 2, 1).astype("float32")
    kept = Features(None, x[:4])
    for rows in ([0, 3], [2, 1, 1]):
        np.testing.assert_array_equal(kept("raw", x[rows]), x[rows, :, 0])
    assert seen == [("raw", 4)]
    np.testing.assert_array_equal(kept("raw", x[[5, 0]]), x[[5, 0], :, 0])
    np.testing.assert_array_equal(kept("raw", x[[5]]), x[[5], :, 0])
    assert seen[1:] == [("raw", 1)] * 2


def test_sparse_counts_and_sequences_of_any_length_are_joined():
    smiles = np.array(["CCO", "CO", "CCCCO"], object)
    kept = Features(None, smiles[:2])
    found = kept("counts ecfp4", smiles[[2, 0]])
    alone = features.compute("counts ecfp4", smiles[[2, 0]])
    assert (found.counts[found.rows] != alone).nnz == 0
    joined = features.join([np.ones((1, 2, 3)), np.ones((2, 4, 3))])
    assert joined.shape == (3, 4, 3) and joined[0, 2:].sum() == 0


def test_features_of_a_source_need_one():
    with pytest.raises(ValueError, match="need one. Received: None"):
        Features(None, np.zeros((0, 1)))("source", np.ones((1, 2, 1)))
