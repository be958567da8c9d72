"""Few numbers become arrays: linear, well scaled, and kept by saved models."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from reprogram import gradients
from reprogram import transforms
from reprogram.transforms import programs

few = settings(max_examples=10, deadline=None, derandomize=True)
SHAPES = [(12, 8, 3), (24, 2)]
LINEAR = [
    programs.Free(),
    programs.Cosine(4),
    programs.Patches(4),
    programs.Orthonormal(10, seed=3),
]
ALL = [*LINEAR, programs.LowRank(2, seed=3)]


def draw(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def matrix(program, shape):
    """The arrays of each single number, `(values, numbers)`."""
    size = program.weight_shape(shape)
    eye = np.eye(np.prod(size), dtype="float32")
    arrays = [program.expand(row.reshape(size), shape) for row in eye]
    return np.stack([np.ravel(array) for array in arrays], axis=1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("program", ALL, ids=str)
def test_array_has_its_shape_and_zeros_give_zeros(program, shape):
    weight = np.zeros(program.weight_shape(shape), "float32")
    array = np.asarray(program.expand(weight, shape))
    assert array.shape == shape and array.dtype == "float32"
    assert not array.any()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("program", LINEAR, ids=str)
def test_columns_are_orthogonal_and_of_equal_length(program, shape):
    columns = matrix(program, shape)
    scale = columns.shape[0] / columns.shape[1]
    products = columns.T @ columns / scale
    np.testing.assert_allclose(products, np.eye(len(products)), atol=2e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("program", LINEAR, ids=str)
def test_arrays_are_as_large_as_their_numbers(program, shape):
    weight = draw(program.weight_shape(shape))
    array = np.asarray(program.expand(weight, shape))
    sizes = [np.sqrt(np.mean(np.square(a))) for a in (array, weight)]
    np.testing.assert_allclose(*sizes, rtol=1e-5)


@few
@given(st.integers(2, 9), st.integers(2, 9), st.integers(1, 12))
def test_cosines_of_full_size_reach_every_array(height, width, size):
    shape = (height, width, 2)
    array = draw(shape)
    program = programs.Cosine(max(size, height, width))
    columns = matrix(program, shape)
    weight = np.linalg.lstsq(columns, array.ravel(), rcond=None)[0]
    np.testing.assert_allclose(
        columns @ weight, array.ravel(), rtol=1e-3, atol=1e-3
    )


def test_cosines_are_those_of_the_transform():
    array = np.asarray(programs.Cosine(3).expand(draw((3, 3, 1)), (7, 5, 1)))
    rows, columns = np.arange(7) + 0.5, np.arange(5) + 0.5
    expected = 0
    for i, j in np.ndindex(3, 3):
        wave = np.outer(
            np.cos(np.pi * rows * i / 7), np.cos(np.pi * columns * j / 5)
        )
        norm = np.sqrt(np.mean(wave**2) * 9)
        expected = expected + draw((3, 3, 1))[i, j] * wave / norm
    # Root mean square of the array is that of its nine numbers.
    np.testing.assert_allclose(array[..., 0], expected, rtol=1e-4, atol=1e-5)


def test_patches_are_constant_and_cut_at_the_end():
    program = programs.Patches(3)
    weight = np.arange(6, dtype="float32").reshape(2, 3, 1)
    array = np.asarray(program.expand(weight, (5, 7, 1)))[..., 0]
    expected = np.kron(weight[..., 0], np.ones((3, 3)))[:5, :7]
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_low_rank_is_the_sum_of_products(shape):
    program = programs.LowRank(2, seed=3)
    weight = draw(program.weight_shape(shape))
    rng = np.random.RandomState(3)
    ends = np.cumsum(shape[:-1]) * 2
    *vectors, colors = (part.reshape(-1, 2) for part in np.split(weight, ends))
    vectors = [v + rng.standard_normal(v.shape) for v in vectors]
    expected = 0
    for k in range(2):
        product = colors[:, k]
        for vector in reversed(vectors):
            product = np.multiply.outer(vector[:, k], product)
        expected = expected + product / np.sqrt(2)
    array = program.expand(weight, shape)
    np.testing.assert_allclose(array, expected, rtol=1e-4, atol=1e-5)


def test_low_rank_images_have_that_rank_in_every_channel():
    shape = (12, 8, 3)
    for rank in (1, 3):
        program = programs.LowRank(rank)
        array = np.asarray(program.expand(draw((rank * 23,)), shape))
        ranks = [np.linalg.matrix_rank(array[..., c], 1e-4) for c in range(3)]
        assert ranks == [rank] * 3


def test_random_patterns_cover_everything_and_follow_their_seed():
    shape = (16, 16, 3)
    columns = matrix(programs.Orthonormal(5), shape)
    assert (np.abs(columns).max(axis=1) > 1e-3).all()
    same = matrix(programs.Orthonormal(5), shape)
    other = matrix(programs.Orthonormal(5, seed=1), shape)
    np.testing.assert_array_equal(columns, same)
    assert not np.allclose(columns, other)


def test_random_patterns_never_change_between_releases():
    """A saved program means nothing with other patterns.

    The numbers are from cosines and NumPy's RandomState(7), by hand.
    """
    array = programs.Orthonormal(2, 7).expand(np.ones(2, "float32"), (2, 3, 1))
    expected = [-1.2071, -0.2929, -1.2071, -1.2071, -0.2929, 1.2071]
    np.testing.assert_allclose(np.ravel(array), expected, atol=1e-4)


@pytest.mark.parametrize("program", ALL, ids=str)
def test_start_at_zero_has_a_gradient(program):
    layer = transforms.Overlay((12, 8, 3), program=program)
    x = draw((2, 12, 8, 3))
    layer.build(x.shape)
    run = gradients.stateless(layer, [layer.program])

    def loss(value):
        return ops.sum(ops.square(run([value], x) - 1.0))

    _, slope = gradients.value_and_grad(loss)(layer.program.value)
    assert np.abs(np.asarray(slope)).max() > 1e-3


def layer_of(name, program):
    """A transform to 12 x 12 pixels and the shape of what it reads."""
    options = {"target_shape": (12, 12, 3), "program": program}
    if name == "patch":
        return transforms.Patch(size=6, **options), (12, 12, 3)
    shape = (4,) if name == "table_image" else (6, 6, 1)
    return transforms.get(name, **options), shape


@pytest.mark.parametrize("program", ALL[1:], ids=str)
@pytest.mark.parametrize(
    "name",
    [
        "padding",
        "center_mix",
        "overlay",
        "patch",
        "sample_mask",
        "table_image",
        "trainable_resize",
    ],
)
def test_every_transform_takes_every_program(name, program):
    layer, shape = layer_of(name, program)
    x = draw((2, *shape))
    layer.build(x.shape)
    array = (6, 6, 3) if name == "patch" else (12, 12, 3)
    assert layer.program.shape == program.weight_shape(array)
    assert layer.array().shape == array
    layer.program.assign(draw(layer.program.shape))
    again = type(layer).from_config(layer.get_config())
    assert again.parameterization == program
    again.build(x.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x), layer(x))


def test_saved_models_keep_the_program(tmp_path):
    inputs = keras.Input((6, 6, 1))
    layer = transforms.Padding((12, 12, 3), program=programs.Orthonormal(9, 4))
    model = keras.Model(inputs, layer(inputs))
    layer.program.assign(draw((9,)))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = draw((2, 6, 6, 1))
    np.testing.assert_array_equal(loaded(x), model(x))
    assert loaded.layers[-1].parameterization == programs.Orthonormal(9, 4)


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_names_give_programs(name):
    layer = transforms.Overlay((32, 32, 3), program=name)
    layer.build((None, 32, 32, 3))
    assert layer.parameterization == programs.PROGRAMS[name]()


def test_programs_of_users_are_taken():
    class Uniform:
        def weight_shape(self, shape):
            return (1,)

        def expand(self, weight, shape):
            return ops.broadcast_to(weight, shape)

    layer = transforms.Overlay((4, 4, 1), program=Uniform(), initializer="ones")
    assert (np.asarray(layer(np.zeros((1, 4, 4, 1)))) == 1.0).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: programs.Cosine(0), "`size` of Cosine.*size=0"),
        (lambda: programs.Patches(0), "`size` of Patches.*size=0"),
        (lambda: programs.LowRank(0), "`rank` of LowRank.*rank=0"),
        (lambda: programs.Orthonormal(0), "`dimension` of Ortho.*dimension=0"),
        (
            lambda: programs.Orthonormal(9).weight_shape((2, 2, 2)),
            r"\(2, 2, 2\) has 8 values.*dimension=9.*Lower it",
        ),
        (lambda: programs.get("wavelet"), "'wavelet'.*free, cosine, patches"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
