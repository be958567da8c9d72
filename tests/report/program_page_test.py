"""Pictures show what goes in, what the source sees, and what changed."""

import keras
import numpy as np
import pytest

from reprogram import mappings
from reprogram import transforms
from reprogram.report.pages import program as pictures
from reprogram.reprogrammer import Reprogrammer


def made(shape, transform):
    source = keras.Sequential(
        [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    return Reprogrammer(source, transform, mappings.LinearMapping(2))


@pytest.mark.parametrize(
    ("shape", "given"), [((8, 8, 3), (4, 4, 1)), ((8, 8, 1), (8, 8, 1))]
)
def test_images(shape, given):
    model = made(shape, transforms.Padding(shape, value_range=(-1.0, 1.0)))
    x = np.random.default_rng(0).uniform(-1, 1, (5, *given)).astype("float32")
    model(x)
    start = model.transform.get_weights()
    model.transform.program.assign_add(np.full(shape, 5.0))
    after = model.transform.get_weights()
    (found,) = pictures.of_program(model, start, x)
    assert found["src"].startswith("data:image/svg+xml;base64,")
    wide = shape != given
    assert ("at most 1" in found["text"]) == wide
    for a, b in zip(after, model.transform.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_series():
    model = made((30, 1), transforms.Segments((30, 1)))
    x = np.ones((2, 7, 1), "float32")
    model(x)
    (found,) = pictures.of_program(model, model.transform.get_weights(), x)
    assert "at most 0" in found["text"] and "2 inputs" in found["alt"]


def test_tokens_have_no_picture():
    model = made((4,), None)
    model(np.ones((2, 4), "float32"))
    assert pictures.of_program(model, [], np.ones((2, 4))) == []


def test_runs_show_their_program():
    from tests import commands

    runs = commands.runs()
    for folder in (runs.images, runs.series):
        text = (folder / "report.html").read_text("utf-8")
        assert "The program" in text
    assert "The program" not in (runs.molecules / "report.html").read_text()
