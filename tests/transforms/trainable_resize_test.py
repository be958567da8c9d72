"""The scale of the data trains."""

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


def draw(*shape):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


def built(shape, target, value=0.0, **options):
    layer = transforms.TrainableResize(target, **options)
    layer.build((None, *shape))
    layer.program.assign(np.full(target, value))
    return layer


@few
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 2))
def test_at_a_scale_of_one_it_is_padding(height, width, channels):
    x = draw(2, 2 * height - 1, 2 * width, channels)
    target = (9, 10, 2)
    padding = transforms.Padding(target)
    padding.build(x.shape)
    padding.program.assign(np.full(target, 0.5))
    layer = built(x.shape[1:], target, 0.5)
    np.testing.assert_allclose(layer(x), padding(x), atol=1e-6)


@pytest.mark.parametrize("factor", [2, 3])
def test_larger_data_are_interpolated_between_the_pixels(factor):
    x = draw(1, 4, 5, 1)
    size = (4 * factor, 5 * factor)
    layer = built((4, 5, 1), (*size, 1), scale=float(factor))
    expected = ops.image.resize(x, size, data_format="channels_last")
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_smaller_data_are_averaged():
    x = draw(1, 8, 8, 1)
    layer = built((8, 8, 1), (4, 4, 1), scale=0.5)
    expected = ops.image.resize(
        x, (4, 4), antialias=True, data_format="channels_last"
    )
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_data_larger_than_the_frame_are_cut():
    x = draw(1, 7, 7, 1)
    out = np.asarray(built((7, 7, 1), (3, 3, 1))(x))
    np.testing.assert_allclose(out, x[:, 2:5, 2:5], atol=1e-6)


def test_window_fades_into_the_frame():
    options = {"value_range": (0.0, 1.0), "squash": "linear", "edge": 4.0}
    layer = built((4, 4, 1), (12, 12, 1), 0.0, **options)
    row = np.asarray(layer(np.ones((1, 4, 4, 1), "float32")))[0, 6, :, 0]
    np.testing.assert_array_equal(row[:2], 0.0)
    assert (np.diff(row[1:7]) >= 0).all() and len(np.unique(row)) > 3
    np.testing.assert_allclose(row, row[::-1], atol=1e-6)


@pytest.mark.parametrize("scale", [0.37, 0.83, 1.31, 2.13])
def test_gradient_to_the_scale_is_that_of_finite_differences(scale):
    x, target = draw(2, 6, 5, 1), draw(2, 12, 11, 1)
    layer = built((6, 5, 1), (12, 11, 1), 0.3, scale=scale, edge=1.7)
    run = gradients.stateless(layer, [layer.zoom])

    def loss(zoom):
        return ops.mean(ops.square(run([zoom], x) - target))

    step = 2e-3
    _, slope = gradients.value_and_grad(loss)(ops.array(0.0))
    ends = [float(loss(ops.array(z, "float32"))) for z in (-step, step)]
    assert float(slope) == pytest.approx(
        (ends[1] - ends[0]) / (2 * step), rel=0.1, abs=2e-3
    )
    assert abs(float(slope)) > 1e-4


def test_training_finds_the_scale():
    """An image and the same at twice its size tell the scale."""
    grid = np.linspace(-1, 1, 8)
    bump = np.exp(-4 * (grid[:, None] ** 2 + grid[None] ** 2))
    x = bump[None, :, :, None].astype("float32")
    wanted = built((8, 8, 1), (16, 16, 1), scale=1.6)(x)
    layer = built((8, 8, 1), (16, 16, 1), scale=1.0)
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, layer(inputs))
    model.compile(keras.optimizers.Adam(0.02), "mse")
    steps = [np.repeat(array, 60, axis=0) for array in (x, np.asarray(wanted))]
    model.fit(*steps, batch_size=1, verbose=0)
    assert float(layer.current_scale()) == pytest.approx(1.6, abs=0.05)


def test_scale_stays_in_its_limits_and_can_come_back():
    layer = built((4, 4, 1), (8, 8, 1), limits=(0.5, 2.0))
    for zoom, expected in [(9.0, 2.0), (-9.0, 0.5)]:
        layer.zoom.assign(zoom)
        assert float(layer.current_scale()) == pytest.approx(expected)
    scale = gradients.stateless(layer.current_scale, [layer.zoom])
    differentiate = gradients.value_and_grad(lambda z: scale([z]))
    assert float(differentiate(ops.array(1.0))[1]) > 0


def test_mixed_precision_places_pixels_exactly():
    """Half precision cannot count to 224 in steps of one half."""
    x = draw(1, 112, 112, 1)
    layer = transforms.TrainableResize((224, 224, 1), dtype="mixed_bfloat16")
    layer.build(x.shape)
    whole = built(x.shape[1:], (224, 224, 1))
    difference = ops.cast(layer(ops.cast(x, "bfloat16")), "float32") - whole(x)
    assert float(ops.max(ops.abs(difference))) < 0.01


@pytest.mark.parametrize(
    "options",
    [
        {"scale": 6.0},
        {"scale": 0.05},
        {"limits": (0.0, 2.0)},
        {"edge": 0.0},
    ],
)
def test_wrong_arguments_are_named(options):
    name, value = next(iter(options.items()))
    with pytest.raises(ValueError, match=f"limits.*{name}="):
        transforms.TrainableResize((8, 8, 1), **options)


def test_series_are_refused():
    with pytest.raises(ValueError, match="TrainableResize gives images"):
        transforms.TrainableResize((8, 1))
