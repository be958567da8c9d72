"""A small square at one place."""

import numpy as np
import pytest

from reprogram import transforms

X = np.random.default_rng(0).normal(size=(2, 6, 7, 2)).astype("float32")


def built(size=2, value=9.0, **options):
    layer = transforms.Patch((6, 7, 2), size, **options)
    layer.build(X.shape)
    layer.program.assign(np.full((size, size, 2), value))
    return layer


@pytest.mark.parametrize("place", [(0, 0), (4, 5), (1, 3)])
def test_square_is_at_its_place_and_nowhere_else(place):
    expected = X.copy()
    row, column = place
    expected[:, row : row + 2, column : column + 2] += np.float32(9.0)
    np.testing.assert_array_equal(built(place=place)(X), expected)


def test_square_keeps_its_orientation():
    layer = built(place=(2, 3))
    program = np.arange(8, dtype="float32").reshape(2, 2, 2)
    layer.program.assign(program)
    out = np.asarray(layer(np.zeros_like(X)))
    np.testing.assert_array_equal(out[0, 2:4, 3:5], program)


def places(layer, count=60):
    found = set()
    for _ in range(count):
        out = np.asarray(layer(np.zeros_like(X), training=True))
        rows, columns = np.nonzero(out[0, :, :, 0])
        assert len(rows) == 4 and (out[0] == out[1]).all()
        found.add((int(rows.min()), int(columns.min())))
    return found


def test_random_places_reach_all_of_the_image_in_training():
    found = places(built(place="random", seed=0), 150)
    assert {row for row, _ in found} == set(range(5))
    assert {column for _, column in found} == set(range(6))


def test_random_places_follow_their_seed():
    first, second, other = (
        places(built(place="random", seed=seed), 3) for seed in (1, 1, 2)
    )
    assert first == second != other


def test_predictions_have_the_middle_and_repeat():
    layer = built(place="random")
    out = np.asarray(layer(np.zeros_like(X), training=False))
    rows, columns = np.nonzero(out[0, :, :, 0])
    assert rows.min() == 2 and columns.min() == 2
    np.testing.assert_array_equal(layer(np.zeros_like(X)), out)


def test_a_square_as_large_as_the_image_fills_it():
    layer = transforms.Patch((4, 4, 1), 4, "random", initializer="ones")
    out = layer(np.zeros((1, 4, 4, 1), "float32"), training=True)
    assert (np.asarray(out) == 1.0).all()


def test_random_places_keep_their_config():
    config = built(place="random", seed=4).get_config()
    again = transforms.Patch.from_config(config)
    assert (again.place, again.seed) == ("random", 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, r"fits into \(6, 7\).*size=0"),
        ({"size": 7}, r"fits into \(6, 7\).*size=7"),
        ({"place": (5, 0)}, r"\(4, 5\).*place=\(5, 0\)"),
        ({"place": (0, -1)}, r"place=\(0, -1\)"),
        ({"place": "corner"}, "'random'.*place='corner'"),
        ({"place": (1,)}, r"\(row, column\).*place=\(1,\)"),
        ({"target_shape": (9, 1)}, "Patch gives images"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        transforms.Patch(**{"target_shape": (6, 7, 2), "size": 2, **options})
