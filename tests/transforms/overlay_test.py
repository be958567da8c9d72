"""A program on top of the data, everywhere or at the border."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from reprogram import gradients
from reprogram import transforms

few = settings(max_examples=10, deadline=None, derandomize=True)


def built(shape, target, value=0.0, **options):
    layer = transforms.Overlay(target, **options)
    layer.build((None, *shape))
    layer.program.assign(np.full(target, value))
    return layer


def draw(shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@few
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=2),
    st.integers(1, 3),
    st.integers(1, 5),
)
def test_program_is_added_at_the_border_and_nowhere_else(size, channels, width):
    shape = (*size, channels)
    x = draw((2, *shape))
    out = np.asarray(built(shape, shape, 7.0, border=width)(x))
    inside = tuple(slice(width, max(width, n - width)) for n in size)
    expected = x + np.float32(7.0)
    expected[:, *inside] = x[:, *inside]
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(
    ("border", "width"), [("medium", 56), ("narrow", 28), ("full", 112)]
)
def test_named_borders_have_the_widths_of_the_paper(border, width):
    layer = built((224, 224, 1), (224, 224, 1), border=border)
    inside = max(0, 224 - 2 * width)
    assert layer.mask.sum() == 224**2 - inside**2


def test_a_border_of_30_pixels_has_the_numbers_of_the_paper():
    layer = built((224, 224, 3), (224, 224, 3), border=30)
    assert layer.mask.sum() == 69840


def test_other_sizes_and_channels_are_fitted_first():
    x = draw((1, 4, 4, 1))
    out = np.asarray(built((4, 4, 1), (8, 8, 3), 0.0)(x))
    resized = ops.image.resize(x, (8, 8), data_format="channels_last")
    np.testing.assert_allclose(out, np.tile(resized, 3), rtol=1e-6)


def test_sum_is_clipped_to_the_range_and_only_if_there_is_one():
    x = np.array([[[0.2], [0.9]]], "float32")
    free = built((2, 1), (2, 1), 0.5)
    clipped = built((2, 1), (2, 1), 0.5, value_range=(0.0, 1.0))
    np.testing.assert_allclose(np.ravel(free(x)), [0.7, 1.4])
    np.testing.assert_allclose(np.ravel(clipped(x)), [0.7, 1.0])


def test_what_left_the_range_can_come_back():
    """A clipped value without a gradient would be lost for ever."""
    layer = built((2, 1), (2, 1), -3.0, value_range=(0.0, 1.0))
    run = gradients.stateless(layer, [layer.program])

    def total(value, x):
        return ops.sum(run([value], x))

    _, slope = gradients.value_and_grad(total, (0, 1))(
        layer.program.value, ops.ones((1, 2, 1))
    )
    assert all((np.asarray(part) == 1.0).all() for part in slope)


def test_dropout_leaves_out_values_in_training_only():
    layer = built((100, 1), (100, 1), 2.0, dropout=0.5)
    x = np.zeros((1, 100, 1), "float32")
    assert (np.asarray(layer(x, training=False)) == 2.0).all()
    trained = np.asarray(layer(x, training=True))
    assert set(np.unique(trained)) == {0.0, 4.0}


def test_programs_stay_in_float32_under_a_mixed_policy():
    layer = transforms.Overlay((2, 1), dtype="mixed_float16")
    layer.build((None, 2, 1))
    layer.program.assign(np.full((2, 1), 1 + 2.0**-12))
    assert float(ops.max(layer.array())) > 1.0
    layer(ops.ones((1, 2, 1), "float16"))
    seen = []
    layer.parameterization = type(
        "Spy",
        (),
        {"expand": lambda self, weight, shape: seen.append(weight) or weight},
    )()
    layer(ops.ones((1, 2, 1), "float16"))
    assert float(ops.max(seen[0])) == 1 + 2.0**-12


@pytest.mark.parametrize("border", [0, -2, "wide", 1.5])
def test_unknown_borders_are_refused(border):
    with pytest.raises(ValueError, match="full, medium, narrow.*border="):
        transforms.Overlay((4, 4, 1), border)


def test_data_that_do_not_fit_are_refused():
    layer = transforms.Overlay((4, 4, 3))
    with pytest.raises(ValueError, match=r"Overlay to \(4, 4, 3\).*rank 4"):
        layer.build((None, 4, 4))
    with pytest.raises(ValueError, match="2 channels of data do not fit"):
        layer.build((None, 4, 4, 2))
    with pytest.raises(ValueError, match=r"\(lowest, highest\).*\(2.0, 1.0\)"):
        transforms.Overlay((4, 4, 3), value_range=(2, 1))


def test_the_default_clips_nothing():
    """Pixels up to 255 must not become ones without a word."""
    pixels = np.full((1, 2, 2, 1), 200, "uint8")
    out = transforms.Overlay((2, 2, 1))(pixels)
    assert keras.backend.standardize_dtype(out.dtype) == "float32"
    assert (np.asarray(out) == 200).all()
