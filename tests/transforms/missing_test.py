"""Missing steps become zeros and a mask that later layers read."""

import keras
import numpy as np
from keras import ops

from reprogram import transforms
from reprogram.transforms.missing import observed

HOLES = np.array(
    [[[1, 2], [np.nan, 4], [5, 6]], [[1, 2], [3, 4], [np.nan, np.nan]]],
    "float32",
)


def test_steps_without_a_channel_are_zero_and_masked():
    layer = transforms.Missing()
    out = np.asarray(layer(HOLES))
    assert out[0].tolist() == [[1, 2], [0, 0], [5, 6]]
    assert out[1].tolist() == [[1, 2], [3, 4], [0, 0]]
    seen = np.asarray(layer.compute_mask(HOLES))
    assert seen.tolist() == [[True, False, True], [True, True, False]]


def test_an_older_mask_is_kept():
    older = np.array([[False, True, True]] * 2)
    x, seen = observed(ops.convert_to_tensor(HOLES), older)
    assert np.asarray(seen).tolist() == [
        [False, False, True],
        [False, True, False],
    ]
    assert np.asarray(x)[1].tolist() == [[0, 0], [3, 4], [0, 0]]


def test_a_recurrent_source_skips_what_is_missing():
    keras.utils.set_random_seed(0)
    lstm = keras.layers.LSTM(3)
    x = HOLES[1:]
    np.testing.assert_allclose(
        lstm(transforms.Missing()(x)), lstm(x[:, :2]), atol=1e-6
    )
