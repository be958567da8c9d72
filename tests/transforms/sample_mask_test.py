"""Each image chooses where the program is strong."""

import numpy as np
import pytest
from keras import ops

from reprogram import transforms


def draw(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape).astype("float32")


def built(shape=(9, 10, 1), target=(9, 10, 3), **options):
    layer = transforms.SampleMask(target, (4, 6), 2, **options)
    layer.build((None, *shape))
    layer.program.assign(draw(*target, seed=1))
    return layer


def test_generator_has_the_size_of_the_paper():
    layer = transforms.SampleMask((224, 224, 3))
    layer.build((None, 224, 224, 3))
    assert layer.generator.count_params() == 26499
    assert layer.program.shape == (224, 224, 3)


def test_output_is_data_plus_mask_times_program():
    layer, x = built(), draw(2, 9, 10, 1)
    masks = np.asarray(layer.masks(x))
    expected = np.tile(x, 3) + masks * draw(9, 10, 3, seed=1)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)


def test_masks_differ_between_images_and_channels():
    masks = np.asarray(built().masks(draw(2, 9, 10, 1)))
    assert masks.shape == (2, 9, 10, 3)
    assert not np.allclose(masks[0], masks[1])
    assert not np.allclose(masks[..., 0], masks[..., 1])


def test_masks_are_constant_on_squares_also_at_the_cut_end():
    masks = np.asarray(built().masks(draw(2, 9, 10, 1)))
    for row, column in np.ndindex(3, 3):
        square = masks[:, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        first = np.broadcast_to(square[:, :1, :1], square.shape)
        np.testing.assert_array_equal(square, first)


@pytest.mark.parametrize("training", [True, False])
def test_no_image_changes_what_another_one_gets(training):
    """Batch statistics would; and they make estimates from queries noisy."""
    layer, x = built(), draw(4, 9, 10, 1)
    alone = [layer(x[i : i + 1], training=training) for i in range(4)]
    together = layer(x, training=training)
    np.testing.assert_allclose(
        np.concatenate(alone), together, rtol=1e-4, atol=1e-5
    )
    assert not layer.non_trainable_variables


def test_a_program_of_zeros_changes_nothing():
    layer, x = built(), draw(2, 9, 10, 1)
    layer.program.assign(np.zeros((9, 10, 3)))
    np.testing.assert_array_equal(layer(x), np.tile(x, 3))


def test_sum_is_clipped_to_the_range():
    out = built(value_range=(0.0, 1.0))(draw(2, 9, 10, 1))
    assert float(ops.min(out)) == 0.0 and float(ops.max(out)) == 1.0


@pytest.mark.parametrize(
    "options",
    [{"widths": (0, 4)}, {"pools": -1}, {"widths": (8,), "pools": 2}],
)
def test_wrong_arguments_are_named(options):
    with pytest.raises(ValueError, match="`widths` must.*widths=.*pools="):
        transforms.SampleMask((8, 8, 3), **options)


def test_series_are_refused():
    with pytest.raises(ValueError, match="SampleMask gives images"):
        transforms.SampleMask((8, 3))
