"""The program frames the data and never touches them."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from reprogram import gradients
from reprogram import transforms
from reprogram.transforms import program_layer

few = settings(max_examples=8, deadline=None, derandomize=True)
SQUASHES = list(program_layer.SQUASHES)
X1 = np.ones((1, 1, 1), "float32")
RANGES = {"unit": (0.0, 1.0), "signed": (-1.0, 1.0), "pixel": (0.0, 255.0)}


def inside(shape, target):
    """Where the data lie, without the batch and the channels."""
    starts = [-((a - b) // 2) for a, b in zip(shape[:-1], target[:-1])]
    return tuple(slice(i, i + a) for i, a in zip(starts, shape[:-1]))


def built(shape, target, value=0.0, **options):
    layer = transforms.Padding(target, **options)
    layer.build((None, *shape))
    layer.program.assign(np.full(layer.target_shape, value))
    return layer


@st.composite
def frames(draw):
    """Shape of the data and of the frame: series or images, any margins."""
    axes = draw(st.integers(1, 2))
    size = draw(st.lists(st.integers(1, 6), min_size=axes, max_size=axes))
    free = draw(st.lists(st.integers(0, 5), min_size=axes, max_size=axes))
    channels = draw(st.integers(1, 3))
    repeats = draw(st.integers(1, 3))
    target = [a + b for a, b in zip(size, free)]
    return (*size, channels), (*target, channels * repeats)


@few
@given(frames(), st.sampled_from(SQUASHES))
def test_data_pass_unchanged_in_the_middle_of_the_frame(shapes, squash):
    shape, target = shapes
    layer = built(shape, target, 30.0, squash=squash, value_range=(-3.0, 3.0))
    data = np.random.default_rng(0).normal(size=shape).astype("float32")
    out = np.array(layer(data[None]))[0]
    data = np.tile(data, target[-1] // shape[-1])
    np.testing.assert_array_equal(out[inside(shape, target)], data)
    out[inside(shape, target)] = 3.0
    np.testing.assert_allclose(out, 3.0, atol=1e-4)


@few
@given(frames())
def test_mask_is_zero_on_the_data_and_one_elsewhere(shapes):
    shape, target = shapes
    layer = built(shape, target)
    program = np.random.default_rng(0).normal(size=target)
    assert not (program * layer.mask)[inside(shape, target)].any()
    assert layer.mask.shape == target and set(layer.mask.flat) <= {0.0, 1.0}
    covered = np.prod(shape[:-1]) * target[-1]
    assert layer.mask.sum() == np.prod(target) - covered


def test_no_gradient_reaches_the_program_below_the_data():
    layer = built((2, 3, 1), (5, 6, 2), 0.3)

    def total(values, x):
        run = gradients.stateless(layer, [layer.program])
        return ops.sum(run([values], x))

    differentiate = gradients.value_and_grad(total)
    x = ops.ones((1, 2, 3, 1))
    _, gradient = differentiate(layer.program.value, x)
    np.testing.assert_array_equal(np.asarray(gradient) != 0, layer.mask == 1)


@pytest.mark.parametrize(
    ("size", "target", "first"),
    [(3, 6, 2), (3, 7, 2), (4, 7, 2), (4, 8, 2), (5, 5, 0), (1, 2, 1)],
)
def test_odd_margins_put_the_larger_part_in_front(size, target, first):
    layer = built((size, 1), (target, 1))
    data = np.full((1, size, 1), 9.0, "float32")
    out = np.asarray(layer(data))[0, :, 0]
    assert np.flatnonzero(out == 9.0).tolist() == [*range(first, first + size)]


@pytest.mark.parametrize("limits", RANGES.values(), ids=RANGES)
@pytest.mark.parametrize("squash", SQUASHES)
@pytest.mark.parametrize("training", [False, True])
def test_every_program_stays_in_the_range(squash, limits, training):
    low, high = limits
    layer = built(
        (2, 2), (40, 2), squash=squash, value_range=limits, dropout=0.5
    )
    layer.program.assign(np.linspace(-400, 400, 80).reshape(40, 2))
    data = np.full((1, 2, 2), 0.5 * (low + high), "float32")
    out = np.asarray(layer(data, training=training))
    assert out.min() >= low and out.max() <= high
    if not training:
        assert out.min() == low and out.max() == high


@pytest.mark.parametrize("squash", SQUASHES)
def test_dropout_sets_the_program_to_the_middle_in_training_only(squash):
    options = {"squash": squash, "value_range": (0.0, 4.0), "dropout": 0.5}
    layer = built((2, 1), (200, 1), 3.0, **options)
    data = np.zeros((1, 2, 1), "float32")
    frame = layer.mask == 1
    kept = np.asarray(layer(data, training=False))[0][frame]
    assert (kept > 2.5).all()
    trained = np.asarray(layer(data, training=True))[0][frame]
    assert 50 < (trained == 2.0).sum() < 150
    assert not np.asarray(layer(data, training=True))[0][~frame].any()


def test_zero_programs_start_in_the_middle_or_at_zero():
    data = np.ones((1, 1, 1), "float32")
    for squash, expected in [("tanh", 2.0), ("sigmoid", 2.0), ("linear", 0.0)]:
        layer = built((1, 1), (3, 1), squash=squash, value_range=(0, 4))
        assert np.asarray(layer(data)).ravel().tolist() == [
            expected,
            1.0,
            expected,
        ]


@pytest.mark.parametrize("start", [0.0, -2.0, 5.0])
def test_linear_programs_at_or_out_of_the_range_have_a_gradient(start):
    """Clipping alone has none there, and they could never come back."""
    layer = built((1, 1), (3, 1), start, squash="linear", value_range=(0, 4))
    run = gradients.stateless(layer, [layer.program])
    differentiate = gradients.value_and_grad(lambda w: ops.sum(run([w], X1)))
    _, gradient = differentiate(layer.program.value)
    assert np.asarray(gradient).ravel().tolist() == [1.0, 0.0, 1.0]


def test_without_a_range_linear_programs_are_free():
    layer = built((1, 1), (3, 1), 70.0, squash="linear", value_range=None)
    assert np.asarray(layer(X1)).ravel().tolist() == [70.0, 1.0, 70.0]
    with pytest.raises(ValueError, match="squash='tanh'.*Set `value_range`"):
        transforms.Padding((3, 1), value_range=None)


def test_window_resizes_images_bilinearly():
    layer = built((4, 4, 1), (6, 6, 1), window=(2, 2))
    data = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    out = np.asarray(layer(data))[0, 2:4, 2:4, 0]
    np.testing.assert_allclose(out, [[2.5, 4.5], [10.5, 12.5]], rtol=1e-6)
    assert layer.mask.sum() == 36 - 4


def test_window_resizes_series_and_keeps_channels_apart():
    layer = built((4, 2), (6, 2), window=(2,))
    data = np.stack([np.arange(4.0), np.full(4, 5.0)], axis=-1)[None]
    out = np.asarray(layer(data.astype("float32")))[0, 2:4]
    np.testing.assert_allclose(out, [[0.5, 5.0], [2.5, 5.0]], rtol=1e-6)


def test_window_of_the_size_of_the_data_changes_nothing():
    data = np.random.default_rng(0).normal(size=(2, 3, 3, 1)).astype("float32")
    plain = built((3, 3, 1), (5, 5, 1))
    same = built((3, 3, 1), (5, 5, 1), window=(3, 3))
    np.testing.assert_array_equal(plain(data), same(data))


def test_channels_repeat_as_a_block():
    layer = built((1, 2), (1, 6))
    out = np.asarray(layer(np.array([[[1.0, 2.0]]], "float32")))
    assert out.ravel().tolist() == [1, 2, 1, 2, 1, 2]


def test_integer_pixels_become_floats():
    layer = built((2, 2, 1), (4, 4, 1), value_range=(0, 255))
    out = layer(np.full((1, 2, 2, 1), 200, "uint8"))
    assert keras.backend.standardize_dtype(out.dtype) == "float32"
    assert np.asarray(out)[0, 1:3, 1:3].tolist() == [[[200], [200]]] * 2


def test_regularizer_adds_the_loss_of_the_program():
    layer = built((2, 1), (4, 1), 2.0, regularizer=keras.regularizers.L2(0.5))
    layer(np.zeros((1, 2, 1), "float32"))
    assert float(sum(layer.losses)) == pytest.approx(0.5 * 4 * 2.0**2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"squash": "relu"}, "tanh, sigmoid, linear.*squash='relu'"),
        ({"target_shape": (4,)}, r"\(length, channels\).*\(4,\)"),
        ({"target_shape": (4, 4, 4, 3)}, r"\(height, width.*\(4, 4, 4, 3\)"),
        ({"value_range": (1.0, 0.0)}, r"\(lowest, highest\).*\(1.0, 0.0\)"),
        ({"window": (3,)}, r"2 sizes.*window=\(3,\)"),
        ({"window": (3, 3, 1)}, r"2 sizes.*window=\(3, 3, 1\)"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        transforms.Padding(**{"target_shape": (6, 6, 3), **options})


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((None, 4, 4), {}, r"rank 4.*\(None, 4, 4\).*Add or remove"),
        ((None, None, 4, 1), {}, "known sizes"),
        ((None, 4, 4, 2), {}, "2 channels of data do not fit into 3"),
        ((None, 7, 4, 1), {}, r"size \(7, 4\).*\(6, 6\).*Set `window`"),
        ((None, 4, 4, 1), {"window": (4, 9)}, r"\(4, 9\) do not fit"),
    ],
)
def test_data_that_do_not_fit_are_refused(shape, options, message):
    layer = transforms.Padding((6, 6, 3), **options)
    with pytest.raises(ValueError, match=message):
        layer.build(shape)


def test_other_sizes_after_the_build_are_refused():
    layer = built((2, 2, 1), (4, 4, 1))
    with pytest.raises(ValueError, match=r"\(None, 2, 2, 1\).*\(1, 3, 3, 1"):
        layer(np.zeros((1, 3, 3, 1), "float32"))


def test_names_give_layers():
    layer = transforms.get("padding", target_shape=(4, 1))
    assert isinstance(layer, transforms.Padding)
    assert transforms.get(layer) is layer
    assert isinstance(transforms.get(None), keras.layers.Identity)
    with pytest.raises(ValueError, match="'warp'.*identity, padding"):
        transforms.get("warp")
