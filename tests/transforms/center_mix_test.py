"""Data in front of a program that shines through."""

import numpy as np
import pytest

from reprogram import transforms

X = np.random.default_rng(0).uniform(-1, 1, (2, 3, 4, 1)).astype("float32")


def built(layer):
    layer.build(X.shape)
    rng = np.random.default_rng(1)
    layer.program.assign(rng.normal(size=layer.program.shape))
    return layer


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_center_is_the_mixture_and_the_rest_the_program(share):
    layer = built(transforms.CenterMix((7, 6, 3), share=share))
    program = np.tanh(np.asarray(layer.program))
    expected = np.broadcast_to(program, (2, 7, 6, 3)).copy()
    expected[:, 2:5, 1:5] *= 1 - share
    expected[:, 2:5, 1:5] += share * np.tile(X, 3)
    np.testing.assert_allclose(layer(X), expected, rtol=1e-5, atol=1e-6)


def test_a_share_of_one_is_padding():
    padding = built(transforms.Padding((7, 6, 3), (2, 2)))
    mix = built(transforms.CenterMix((7, 6, 3), (2, 2), share=1.0))
    np.testing.assert_array_equal(mix(X), padding(X))


@pytest.mark.parametrize("value_range", [(-1.0, 1.0), (-1.0, 3.0)])
def test_output_stays_in_the_range(value_range):
    layer = built(
        transforms.CenterMix((7, 6, 1), share=0.4, value_range=value_range)
    )
    layer.program.assign(100 * np.asarray(layer.program))
    out = np.asarray(layer(X))
    assert out.min() >= value_range[0] and out.max() <= value_range[1]


@pytest.mark.parametrize("share", [0.0, 1.5, -1.0])
def test_shares_out_of_range_are_refused(share):
    with pytest.raises(ValueError, match=f"above 0.*share={share}"):
        transforms.CenterMix((4, 4, 1), share=share)
