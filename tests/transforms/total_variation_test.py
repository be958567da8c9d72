"""The penalty of arrays that are not smooth, of whatever they are made."""

import keras
import numpy as np
import pytest

from reprogram import transforms
from reprogram.transforms import TotalVariation
from reprogram.transforms import programs


def variation(array):
    axes = range(array.ndim - 1)
    return sum(np.abs(np.diff(array, axis=axis)).sum() for axis in axes)


@pytest.mark.parametrize("shape", [(5, 2), (5, 4, 2)])
def test_neighbors_are_compared_and_channels_are_not(shape):
    array = np.random.default_rng(0).normal(size=shape).astype("float32")
    expected = 0.5 * variation(array)
    assert float(TotalVariation(0.5)(array)) == pytest.approx(expected, 1e-5)
    flat = np.broadcast_to(
        array[:1, :1] if len(shape) == 3 else array[:1], shape
    )
    assert float(TotalVariation(1.0)(flat)) == 0.0


@pytest.mark.parametrize(
    "program", [programs.Free(), programs.Cosine(3), programs.LowRank(2)]
)
@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        (TotalVariation(0.1), lambda a: 0.1 * variation(a)),
        (keras.regularizers.L2(0.1), lambda a: 0.1 * np.square(a).sum()),
    ],
)
def test_penalties_are_of_the_array_not_of_its_numbers(
    program, penalty, expected
):
    layer = transforms.Overlay((6, 5, 2), program=program, regularizer=penalty)
    layer.build((None, 6, 5, 2))
    rng = np.random.default_rng(0)
    layer.program.assign(rng.normal(size=layer.program.shape))
    array = np.asarray(layer.array())
    assert float(sum(layer.losses)) == pytest.approx(expected(array), 1e-4)


def test_fit_smooths_the_program():
    start = keras.initializers.RandomNormal(seed=1)

    def trained(strength):
        layer = transforms.Overlay(
            (8, 8, 1), initializer=start, regularizer=TotalVariation(strength)
        )
        inputs = keras.Input((8, 8, 1))
        model = keras.Model(inputs, layer(inputs))
        model.compile(keras.optimizers.SGD(0.01), "mse")
        x = np.zeros((4, 8, 8, 1), "float32")
        model.fit(x, x, epochs=5, verbose=0)
        return variation(np.asarray(layer.array()))

    assert trained(0.1) < 0.9 * trained(0.0)


def test_layers_keep_it():
    layer = transforms.Padding((6, 6, 1), regularizer=TotalVariation(0.25))
    again = transforms.Padding.from_config(layer.get_config())
    assert again.regularizer.strength == 0.25


def test_a_negative_strength_is_refused():
    with pytest.raises(ValueError, match="must not be negative.*strength=-1"):
        TotalVariation(-1)
