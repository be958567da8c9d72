"""Channels are averaged at the start and mixed freely later."""

import numpy as np
import pytest
from keras import ops

from reprogram import transforms


def matrix(given, channels):
    layer = transforms.Mixing(channels)
    layer.build((None, 4, given))
    return ops.convert_to_numpy(layer.program).round(4).tolist()


def test_the_start_deals_out_the_channels():
    assert matrix(4, 1) == [[0.25]] * 4
    assert matrix(2, 2) == [[1, 0], [0, 1]]
    assert matrix(1, 3) == [[1, 1, 1]]
    assert matrix(2, 3) == [[1, 0, 1], [0, 1, 0]]
    assert matrix(3, 2) == [[0.5, 0], [0, 1], [0.5, 0]]


def test_any_matrix_can_be_learned():
    layer = transforms.Mixing(2, initializer="random_normal")
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    out = layer(x)
    program = ops.convert_to_numpy(layer.program)
    np.testing.assert_allclose(out, x @ program, atol=1e-6)


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="positive.*channels=0"):
        transforms.Mixing(0)
    with pytest.raises(ValueError, match=r"\(None, 4\).*missing dimension"):
        transforms.Mixing().build((None, 4))
