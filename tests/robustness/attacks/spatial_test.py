"""Attacks that turn, move and edit images, against references and by hand."""

import numpy as np
import pytest
from keras import ops
from scipy import ndimage

from reprogram.robustness import Semantic
from reprogram.robustness import Spatial
from reprogram.robustness import sweep
from reprogram.robustness.attacks import get
from reprogram.robustness.attacks.tools.warps import move
from reprogram.robustness.threats.semantic import edited

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0.1, 0.9, (6, 9, 9, 3)).astype("float32")


def bright(x):
    """Two classes: the mean is above a half, or it is not."""
    mean = ops.mean(x, (1, 2, 3))
    return ops.stack([0.5 + 0.0 * mean, mean], 1)


def corner(x):
    """Two classes: the top left is brighter than the bottom right."""
    return ops.stack(
        [ops.mean(x[:, :4, :4], (1, 2, 3)), ops.mean(x[:, 5:, 5:], (1, 2, 3))],
        1,
    )


def test_moves_agree_with_scipy():
    for degrees, down, right in ((0, 1, 0), (17.0, 0.5, -1.2), (-30, -3, 3)):
        turn = np.deg2rad(degrees)
        matrix = np.array(
            [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
        )
        # A border of zeros, as scipy blends nothing in from outside.
        wide = np.pad(IMAGES, ((0, 0), (3, 3), (3, 3), (0, 0)))
        middle = np.full(2, 7.0)
        offset = middle - matrix @ (middle + np.array([down, right]))
        for channel in range(3):
            expected = [
                ndimage.affine_transform(
                    image[..., channel], matrix, offset, order=1
                )[3:-3, 3:-3]
                for image in wide
            ]
            found = move(IMAGES, degrees, down, right)[..., channel]
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_comes_in_from_outside_is_filled():
    found = move(np.full((1, 4, 4, 1), 0.5), 0, 1, 0, fill=0.25)
    np.testing.assert_allclose(found[0, 0], 0.25)
    np.testing.assert_allclose(found[0, 1:], 0.5)


def test_the_lowest_value_comes_in_unless_told():
    assert Spatial(bounds=(-1.0, 1.0)).outside() == -1.0
    assert Spatial(fill=0.5).outside() == 0.5
    x = np.full((1, 4, 4, 1), 0.5, "float32")

    def model(x):  # errs if anything dark comes in
        return ops.stack([ops.min(x, (1, 2, 3)), 0.0 * x[:, 0, 0, 0]], 1)

    threat = Spatial(0, 2, bounds=(-1.0, 1.0))
    found = get("spatial")(model, x, np.array([0]), threat, (1, 3, 3))
    assert found.success.all() and found.adversarial.min() == -1.0
    filled = Spatial(0, 2, bounds=(-1.0, 1.0), fill=0.5)
    found = get("spatial")(model, x, np.array([0]), filled, (1, 3, 3))
    assert not found.success.any() and (found.distance == 0).all()


def test_the_grid_is_tried_until_something_falls():
    y = np.asarray(corner(IMAGES)).argmax(1).astype("int32")
    grid = (5, 3, 3)
    found = get("spatial")(corner, IMAGES, y, Spatial(90, 2), grid)
    expected = np.zeros(6, bool)
    for degrees in np.linspace(-90, 90, 5):
        for down in (-2, 0, 2):
            for right in (-2, 0, 2):
                moved = move(IMAGES, degrees, down, right)
                expected |= np.asarray(corner(moved)).argmax(1) != y
    np.testing.assert_array_equal(found.success, expected)
    assert found.queries[~found.success].tolist() == [47] * np.sum(~expected)
    wrong = np.asarray(corner(found.adversarial)).argmax(1) != y
    np.testing.assert_array_equal(wrong, found.success)


def test_worst_of_k_grows_with_k_and_strength():
    y = np.asarray(corner(IMAGES)).argmax(1).astype("int32")
    few, many = (
        get("spatial")(corner, IMAGES, y, Spatial(180, 2), worst_of=k)
        for k in (1, 60)
    )
    assert few.success.mean() <= many.success.mean() and many.success.any()
    found = sweep(
        get("spatial"), corner, IMAGES, y, Spatial(180, 2), (0.0, 0.5, 1.0)
    )
    values = [result.robust_accuracy() for result in found.values()]
    assert values[0] == 1.0 and sorted(values, reverse=True) == values


def test_survivors_come_back_with_the_smallest_margin():
    y = np.ones(6, "int32")

    def model(x):
        mean = ops.mean(x[:, :3], (1, 2, 3))
        return ops.stack([0.0 * mean, mean], 1)

    found = get("spatial")(model, IMAGES, y, Spatial(0, 2), (1, 3, 1))
    assert not found.success.any()
    down = move(IMAGES, 0, 2, 0)
    np.testing.assert_allclose(found.adversarial, down, atol=1e-6)


def test_edits_by_hand():
    def one(knob=1.0, images=IMAGES, **ranges):
        none = dict.fromkeys(
            ("hue", "saturation", "lightness", "brightness", "contrast"), 0
        )
        threat = Semantic(**{**none, "blur": 0, **ranges})
        knobs = np.full((len(images), 1), knob, "float32")
        return ops.convert_to_numpy(edited(images, knobs, threat))

    mean = IMAGES.mean(axis=(1, 2), keepdims=True)
    for found, expected in (
        (one(brightness=0.1), IMAGES + 0.1),
        (one(-1.0, contrast=0.5), mean + 0.5 * (IMAGES - mean)),
        (one(lightness=0.5), IMAGES + 0.5 * (1 - IMAGES)),
        (one(-1.0, lightness=0.5), IMAGES * 0.5),
        (one(-1.0, blur=1.0), IMAGES),
        (one(hue=360.0), IMAGES),
    ):
        np.testing.assert_allclose(found, np.clip(expected, 0, 1), atol=1e-3)
    gray = one(-1.0, saturation=1.0)
    np.testing.assert_allclose(gray[..., 0], gray[..., 2], atol=1e-5)
    blurred = ndimage.gaussian_filter(
        IMAGES, (0, 1, 1, 0), mode="nearest", truncate=4
    )
    np.testing.assert_allclose(one(blur=1.0), blurred, atol=2e-3)
    single = IMAGES[..., :1]
    np.testing.assert_array_equal(one(hue=90.0, images=single), single)


def test_semantic_finds_the_worst_composition():
    mean = IMAGES.mean(axis=(1, 2, 3))
    y = (mean > 0.5).astype("int32")
    strong = Semantic(brightness=0.2)
    found = get("semantic")(bright, IMAGES, y, strong)
    assert found.success.all() and found.adversarial.max() <= 1
    weak = strong.at(1e-3)
    assert get("semantic")(bright, IMAGES, y, weak).robust_accuracy() > 0
    # Neither knob alone is enough, and the one draw turns only the first.
    gray = np.full((6, 5, 5, 1), 0.4, "float32")
    both = Semantic(0, 0, 0.1, 0.1, 0, 0)
    zeros = np.zeros(6, "int32")
    few = get("semantic")(bright, gray, zeros, both, queries=1, steps=0)
    more = get("semantic")(bright, gray, zeros, both, queries=1, steps=10)
    assert not few.success.any() and more.success.all()
    assert (few.queries == 3).all() and (more.queries <= 13).all()


def test_semantic_and_spatial_take_services_without_gradients():
    def service(x):
        mean = np.asarray(x).mean(axis=(1, 2, 3))
        return np.stack([np.full_like(mean, 0.5), mean], 1)

    y = (IMAGES.mean(axis=(1, 2, 3)) > 0.5).astype("int32")
    found = get("semantic")(service, IMAGES, y, Semantic(brightness=0.2))
    assert found.success.all()
    found = get("spatial")(service, IMAGES, y, Spatial(10, 1), worst_of=5)
    assert (found.queries <= 12 + 250).all()


def test_threats_and_grids_that_do_not_fit_are_told():
    y = np.zeros(6, "int32")
    with pytest.raises(ValueError, match="at least 0"):
        Spatial(-1)
    with pytest.raises(ValueError, match="one is above 0"):
        Semantic(0, 0, 0, 0, 0, 0)
    with pytest.raises(ValueError, match="three numbers"):
        get("spatial")(corner, IMAGES, y, Spatial(), (0, 1, 1))
    with pytest.raises(ValueError, match="worst_of"):
        get("spatial")(corner, IMAGES, y, Spatial(), worst_of=0)
