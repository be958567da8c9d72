"""Shifts against their definitions, and what is measured under them."""

import colorsys
import io

import numpy as np
import pytest
from keras import ops
from PIL import Image
from scipy import ndimage

from reprogram.metrics import share_interval
from reprogram.robustness import shifts
from reprogram.robustness.shifts import blurs
from reprogram.robustness.shifts import corrupt
from reprogram.robustness.shifts import disturb
from reprogram.robustness.shifts import weather
from reprogram.robustness.shifts.corruptions import CORRUPTIONS
from reprogram.robustness.shifts.evaluate import Row
from reprogram.robustness.shifts.evaluate import ShiftReport
from reprogram.robustness.shifts.series import DISTURBANCES

RNG = np.random.default_rng(0)
IMAGES = ndimage.gaussian_filter(
    RNG.uniform(0, 1, (3, 40, 33, 3)), (0, 2, 2, 0)
)
IMAGES = (IMAGES - IMAGES.min()) / np.ptp(IMAGES)
SERIES = np.sin(np.arange(200) / 9)[None, :, None] * [[[1.0, 5.0]]]
SERIES = SERIES + RNG.normal(0, 0.05, (4, 200, 2)).cumsum(axis=1)


def test_the_fifteen_are_there():
    assert len(CORRUPTIONS) == 15 and set(shifts.SHIFTS["images"]) == set(
        CORRUPTIONS
    )
    assert set(DISTURBANCES) == set(shifts.SHIFTS["series"])


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_corruption_takes_any_image(name):
    for x in (IMAGES, IMAGES[..., :1], IMAGES[:1, :8, :8, [0, 1]]):
        found = [corrupt(x, name, s) for s in (1, 3, 5)]
        assert all(f.shape == x.shape for f in found)
        assert all(f.dtype == "float32" for f in found)
        assert np.min(found) >= 0 and np.max(found) <= 1
    found = [corrupt(IMAGES, name, s) for s in (1, 5)]
    mild, strong = (np.abs(f - IMAGES).mean() for f in found)
    assert mild > 1e-3 and (strong > mild or name == "elastic_transform")
    np.testing.assert_array_equal(found[0], corrupt(IMAGES, name, 1))
    scaled = corrupt(IMAGES * 255, name, 5, bounds=(0, 255)) / 255
    np.testing.assert_allclose(scaled, found[1], atol=0.02)


@pytest.mark.parametrize("name", ["snow", "fog", "shot_noise", "glass_blur"])
def test_seeds_differ(name):
    first, second = (corrupt(IMAGES, name, 3, seed=s) for s in (0, 1))
    assert np.abs(first - second).max() > 0.01


def test_noise_has_the_paper_s_strength():
    gray = np.full((4, 60, 60, 3), 0.5)
    for severity, value in ((1, 0.08), (3, 0.18)):
        found = corrupt(gray, "gaussian_noise", severity)
        assert abs(found.std() / value - 1) < 0.03
    # Poisson counts: variance 0.5 / 60.
    found = corrupt(gray, "shot_noise", 1)
    assert abs(found.var() / (0.5 / 60) - 1) < 0.05
    found = corrupt(gray, "impulse_noise", 5)
    assert abs(np.isin(found, (0, 1)).mean() - 0.27) < 0.02
    assert abs((found == 1).mean() - 0.135) < 0.02


def test_light_by_hand():
    found = corrupt(IMAGES, "brightness", 2)
    for before, after in zip(
        IMAGES.reshape(-1, 3)[::97], found.reshape(-1, 3)[::97], strict=True
    ):
        hue, saturation, value = colorsys.rgb_to_hsv(*before)
        expected = colorsys.hsv_to_rgb(hue, saturation, min(value + 0.2, 1))
        np.testing.assert_allclose(after, expected, atol=1e-5)
    mean = IMAGES.mean(axis=(1, 2), keepdims=True)
    found = corrupt(IMAGES, "contrast", 5)
    np.testing.assert_allclose(found, mean + 0.05 * (IMAGES - mean), atol=1e-5)


def test_files_by_pillow():
    file = io.BytesIO()
    pixels = np.round(IMAGES[0] * 255).astype("uint8")
    Image.fromarray(pixels).save(file, "JPEG", quality=7)
    expected = np.asarray(Image.open(file)) / 255
    found = corrupt(IMAGES[:1], "jpeg_compression", 5)[0]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    coarse = corrupt(IMAGES, "pixelate", 5)
    assert len(np.unique(coarse[0, ..., 0])) <= 10 * 8
    np.testing.assert_allclose(coarse.mean(), IMAGES.mean(), atol=0.03)


@pytest.mark.parametrize("name", [n for n in CORRUPTIONS if "blur" in n])
def test_blurs_leave_flat_images_and_average(name):
    flat = np.full((2, 30, 30, 1), 0.3)
    np.testing.assert_allclose(corrupt(flat, name, 5), 0.3, atol=1e-5)
    noise = RNG.uniform(0, 1, (2, 230, 230, 1))
    blurred = corrupt(noise, name, 3)[:, 40:-40, 40:-40]
    assert blurred.std() < 0.5 * noise.std()
    assert abs(blurred.mean() - noise.mean()) < 0.02


def test_kernels():
    point = np.zeros((1, 31, 31, 1))
    point[0, 15, 15] = 1.0
    streak = blurs.streaked(point, 6, 100.0, np.array([0.0]))[0, ..., 0]
    # To the left of the point only, in its row.
    assert (streak[15, 3:16] > 0.05).all() and streak[14].max() == 0
    np.testing.assert_allclose(streak.sum(), 1.0)
    disk = blurs.defocus(
        np.pad(point, ((0, 0), (100, 93), (100, 93), (0, 0))), 0, RNG
    )
    area = (disk[0] > 0.5 * disk.max()).sum()
    assert abs(area / (np.pi * 9) - 1) < 0.15
    magnified = blurs.magnified(IMAGES, 2.0)
    np.testing.assert_allclose(
        ndimage.zoom(magnified[0, ..., 0], 0.5, order=1).mean(),
        IMAGES[0, 10:30, 8:25, 0].mean(),
        atol=0.03,
    )


def test_plasma_gets_rougher_as_noise_decays_less():
    rough, smooth = (
        np.abs(np.diff(weather.plasma(4, (64, 64), decay, RNG))).mean()
        for decay in (1.3, 3.0)
    )
    assert rough > 2 * smooth


def test_black_images_get_fog():
    assert corrupt(np.zeros((1, 16, 16, 1)), "fog", 3).max() > 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "rain"}, "no corruption 'rain'"),
        ({"severity": 6}, "1, 2, 3, 4 or 5. Received: 6"),
        ({"x": IMAGES * 255}, r"such as \(0, 255\)"),
        ({"x": IMAGES[0]}, r"\(n, height, width, channels\)"),
        ({"x": np.full((1, 4, 4, 1), np.nan)}, "Received values from nan"),
    ],
)
def test_images_that_do_not_fit_are_told(change, message):
    options = {"x": IMAGES, "name": "fog", "severity": 1, **change}
    with pytest.raises(ValueError, match=message):
        corrupt(**options)


@pytest.mark.parametrize("name", DISTURBANCES)
def test_every_disturbance_grows_and_knows_no_unit(name):
    found = [disturb(SERIES, name, s) for s in (1, 2, 3, 4, 5)]
    moved = [np.abs(f - SERIES).mean() for f in found]
    assert moved[0] > 0 and moved[4] > 2 * moved[0]
    np.testing.assert_allclose(
        disturb(SERIES * 1000, name, 3), found[2] * 1000, rtol=1e-3, atol=0.1
    )
    np.testing.assert_array_equal(found[0], disturb(SERIES, name, 1))


def test_disturbances_by_their_definitions():
    deviation = SERIES.std(axis=1, keepdims=True)
    drift = (disturb(SERIES, "drift", 5) - SERIES) / deviation
    np.testing.assert_allclose(np.abs(drift).max(axis=1), 1.0, atol=1e-4)
    np.testing.assert_allclose(drift[:, 0], 0.0, atol=1e-6)
    noise = (disturb(SERIES, "noise", 5) - SERIES) / deviation
    assert abs(noise.std() - 0.5) < 0.03
    warped = disturb(SERIES, "warping", 5)
    np.testing.assert_allclose(
        warped[:, [0, -1]], SERIES[:, [0, -1]], atol=1e-5
    )
    assert warped.max() <= SERIES.max() + 1e-5
    late = disturb(SERIES, "clock_shift", 4)[0]
    early = np.concatenate([SERIES[0, 20:], np.repeat(SERIES[0, -1:], 20, 0)])
    delayed = np.concatenate([np.repeat(SERIES[0, :1], 20, 0), SERIES[0, :-20]])
    assert min(np.abs(late - e).max() for e in (early, delayed)) < 1e-5
    many = np.tile(np.arange(200.0)[None, :, None], (50, 1, 1))
    held = disturb(many, "dropout", 5)
    assert abs((held != many).mean() - 0.5) < 0.05
    assert (np.diff(held, axis=1) >= 0).all() and (held <= many).all()


def test_series_that_do_not_fit_are_told():
    with pytest.raises(ValueError, match="no disturbance 'rain'"):
        disturb(SERIES, "rain", 1)
    with pytest.raises(ValueError, match=r"\(n, steps, channels\)"):
        disturb(SERIES[..., 0], "noise", 1)


def bright(x):
    mean = ops.mean(x, (1, 2, 3))
    return ops.stack([10 * (mean - 0.5), 0.0 * mean], 1)


def test_accuracy_falls_where_the_shift_crosses_the_boundary():
    x = np.full((20, 8, 8, 1), 0.3, "float32") + np.linspace(
        0, 0.1, 20
    ).reshape(20, 1, 1, 1)
    y = np.ones(20, int)
    images = shifts.SHIFTS["images"]
    names = ("brightness", "contrast")
    found = shifts.evaluate(
        bright, x, y, {n: images[n] for n in names}, bounds=(0, 1)
    )
    rows = {(row.shift, row.severity): row for row in found.rows}
    assert rows["clean", 0].accuracy == 1 and len(rows) == 11
    expected = [(x + a).mean((1, 2, 3)) <= 0.5 for a in (0.1, 0.2, 0.3)]
    for severity, right in enumerate(expected, 1):
        row = rows["brightness", severity]
        assert row.accuracy == right.mean()
        assert row.interval == share_interval(right.sum(), 20)
    assert (found.errors()["contrast"] == 0).all()
    # Two shifts, five severities; contrast makes no error.
    total = found.errors()["brightness"].sum()
    np.testing.assert_allclose(found.mean_corruption_error(), total / 10)
    sure = rows["brightness", 5]
    assert sure.accuracy == 0 and sure.calibration_error > 0.5


def test_mean_corruption_error_is_the_paper_s():
    def report(clean, *errors):
        rows = [Row("clean", 0, 1 - clean, (0, 1), 0.0, 9)]
        for name, pair in zip("ab", errors, strict=True):
            rows += [
                Row(name, s, 1 - e, (0, 1), 0.0, 9)
                for s, e in enumerate(pair, 1)
            ]
        return ShiftReport(tuple(rows))

    model = report(0.1, (0.2, 0.4), (0.3, 0.3))
    reference = report(0.4, (0.6, 0.8), (0.5, 0.7))
    value = model.mean_corruption_error(reference)
    np.testing.assert_allclose(value, (0.6 / 1.4 + 0.6 / 1.2) / 2)
    relative = model.mean_corruption_error(reference, relative=True)
    np.testing.assert_allclose(relative, (0.4 / 0.6 + 0.4 / 0.4) / 2)
    np.testing.assert_allclose(model.mean_corruption_error(), 0.3)
    with pytest.raises(ValueError, match="same shifts"):
        model.mean_corruption_error(report(0.0, (0.0, 0.0), (0.0, 0.0)))


def test_series_and_groups():
    y = (SERIES[:, -1, 0] > 0).astype(int)

    def model(x):
        return ops.stack([0 * x[:, -1, 0], x[:, -1, 0]], 1)

    found = shifts.evaluate(
        model, SERIES, y, shifts.SHIFTS["series"], severities=(1,)
    )
    assert [row.shift for row in found.rows] == ["clean", *DISTURBANCES]
    years = [2019, 2019, 2020, 2020]
    wrong = np.where(np.array(years) == 2019, y, 1 - y)
    found = shifts.by_group(model, SERIES, wrong, years)
    assert {r.shift: r.accuracy for r in found.rows} == {
        "clean": 0.5,
        "2019": 1.0,
        "2020": 0.0,
    }
    with pytest.raises(ValueError, match="`groups` holds one"):
        shifts.by_group(model, SERIES, y, [1])
    with pytest.raises(ValueError, match="one shift and one severity"):
        shifts.evaluate(model, SERIES, y, {})
