"""The benchmark of a transform's step: every transform has its case."""

import numpy as np
import pytest
from keras import ops

from benchmarks import transform_step
from reprogram import transforms


def test_every_transform_has_a_case():
    names = {name.split(",")[0] for name in transform_step.CASES}
    assert names == set(transforms.TRANSFORMS) - {"identity"}


def test_a_figure_is_held_to_the_bar(monkeypatch):
    monkeypatch.setattr(
        transform_step,
        "steps",
        lambda name: {"transform": lambda: None, "bare": lambda: None},
    )
    bare, ratio = transform_step.measure("gain", rounds=3)
    assert bare["bar"] is None and bare["name"] == "step: gain: bare"
    assert ratio["bar"] == 1.2 and ratio["holds"] is (ratio["value"] <= 1.2)


@pytest.mark.parametrize("name", ["segments", "mixing"])
def test_both_steps_run(name):
    made = transform_step.steps(name)
    assert set(made) == {"transform", "bare"}
    for step in made.values():
        step()


def test_the_bare_pass_holds_the_networks_of_a_sample_mask():
    layer = transforms.SampleMask((8, 8, 3), (4,), 1)
    layer.build((None, 8, 8, 3))
    x = np.random.default_rng(0).random((2, 8, 8, 3)).astype("float32")
    found = transform_step.masked(layer, ops.array(x))
    np.testing.assert_allclose(found, x * layer.masks(x), rtol=1e-5)
