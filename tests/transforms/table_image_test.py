"""Values stand where the layout says; the program is everywhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from reprogram import transforms

few = settings(max_examples=10, deadline=None, derandomize=True)


def built(shape, target, value=50.0, **options):
    options = {"squash": "linear", "value_range": (-99.0, 99.0), **options}
    layer = transforms.TableImage(target, **options)
    layer.build((None, *shape))
    layer.program.assign(np.full(target, value))
    return layer


@few
@given(st.integers(1, 30), st.integers(1, 2))
def test_columns_fill_a_square_row_by_row(count, cell):
    x = np.arange(count, dtype="float32")[None] - 20
    layer = built((count,), (13, 14, 2), cell=cell)
    out = np.asarray(layer(x))[0]
    assert (out[..., 0] == out[..., 1]).all()
    inside = out[..., 0][layer.mask[..., 0] == 0]
    assert inside.size == count * cell**2
    assert (out[layer.mask == 1] == 50.0).all()
    if cell == 1:
        np.testing.assert_array_equal(inside, x[0])


def test_cells_are_squares_of_pixels_in_the_middle():
    out = built((2, 2), (6, 6, 1), cell=2)(np.array([[[1.0, 2], [3, 4]]]))
    expected = np.full((6, 6), 50.0)
    expected[1:5, 1:5] = np.kron([[1, 2], [3, 4]], np.ones((2, 2)))
    np.testing.assert_array_equal(np.asarray(out)[0, :, :, 0], expected)


def test_connectome_has_the_layout_of_the_paper():
    """19,900 correlations of 200 regions; their mask was ones everywhere."""
    regions = 200
    matrix = np.random.default_rng(0).uniform(-1, 1, (regions, regions))
    rows, columns = np.triu_indices(regions, k=1)
    x = matrix[rows, columns][None].astype("float32")
    assert x.shape == (1, 19900)
    layer = built((19900,), (224, 224, 3), layout="upper")
    out = np.asarray(layer(x))[0]
    assert (layer.mask == 0).sum() == 3 * 19900
    assert (out[layer.mask == 1] == 50.0).all()
    square = out[12:212, 12:212]
    for channel in range(3):
        np.testing.assert_array_equal(square[rows, columns, channel], x[0])
    assert (square[columns, rows] == 50.0).all()


def test_matrices_and_their_upper_columns_give_the_same_image():
    x = np.random.default_rng(0).normal(size=(2, 5, 5)).astype("float32")
    rows, columns = np.triu_indices(5, k=1)
    first = built((5, 5), (8, 8, 1), layout="upper")(x)
    second = built((10,), (8, 8, 1), layout="upper")(x[:, rows, columns])
    np.testing.assert_array_equal(first, second)


def test_the_program_never_covers_a_zero_of_the_data():
    """A value of zero is a value too."""
    layer = built((6,), (4, 4, 1), layout="upper", cell=1)
    out = np.asarray(layer(np.zeros((1, 6), "float32")))
    assert (out == 0.0).sum() == 6 and (out == 50.0).sum() == 10


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((4, 4, 1), {}, r"reads tables.*\(None, 4, 4, 1\)"),
        ((None,), {}, "known size"),
        ((5,), {"layout": "upper"}, r"n \* \(n - 1\) / 2.*5; 3 x 3 has 3"),
        ((4, 5), {"layout": "upper"}, r"symmetric.*\(4, 5\).*'square'"),
        ((26,), {}, r"\(5, 6\) cells of 1.*\(5, 5\).*Lower `cell`"),
        ((4,), {"cell": 3}, r"\(2, 2\) cells of 3 pixels"),
    ],
)
def test_data_that_do_not_fit_are_refused(shape, options, message):
    layer = transforms.TableImage((5, 5, 3), **options)
    with pytest.raises(ValueError, match=message):
        layer.build((None, *shape))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "spiral"}, "square, upper.*layout='spiral'"),
        ({"cell": 0}, "cell=0"),
        ({"target_shape": (5, 3)}, "TableImage gives images"),
        ({"value_range": None}, "squash='tanh'.*'linear'"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        transforms.TableImage(**{"target_shape": (5, 5, 3), **options})
