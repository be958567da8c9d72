"""The two sources that ship, their data, their weights and their training."""

import pathlib
import re
import shutil
import subprocess
import sys

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies as st

from reprogram import sources
from reprogram.sources import checksum
from reprogram.sources import images
from reprogram.sources import synthetic
from reprogram.sources import tiny

ROOT = pathlib.Path(__file__).parents[2]
NAMES = list(tiny.RECIPES)
SHAPE_LABELS = [3, 2, 5, 4, 0, 1]
SHAPE_MEANS = [97.245, 151.049, 84.65, 205.93, 182.995, 83.938]
WAVE_LABELS = [3, 2, 5, 4, 0, 1]
WAVE_MEANS = [-3.7714, -3.9719, -0.2591, -0.9737, -2.25, -5.0784]
SIZES = st.sampled_from([1, 8, 70])
few = hypothesis.settings(max_examples=20, deadline=None, derandomize=True)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_weights_reach_the_accuracy_of_their_card(name):
    source = sources.load(name)
    inputs, labels = tiny.RECIPES[name].draw(720, 10**9)
    logits = source.model.predict(source.preprocess(inputs), 120, verbose=0)
    card = (tiny.WEIGHTS / f"{name}.md").read_text()
    claimed = float(re.search(r"accuracy: (0\.\d+|1\.0+)", card)[1])
    assert claimed > 0.95
    assert np.mean(logits.argmax(axis=1) == labels) > claimed - 0.02


@pytest.mark.parametrize("name", NAMES)
def test_shipped_source_says_what_it_is(name):
    source = sources.load(name)
    assert source.name == name
    assert len(source.class_names) == source.model.output_shape[-1] == 12
    read = source.model.get_layer(source.feature_layer).output.shape
    assert read == {"shapes": (None, 8, 8, 96), "waves": (None, 64, 96)}[name]
    assert source.licence == "Apache-2.0" and "2026" in source.citation
    assert not source.model.trainable_weights
    assert source.model.count_params() < 110_000
    assert (tiny.WEIGHTS / f"{name}.npz").stat().st_size < 300_000


def test_damaged_weights_are_refused(tmp_path):
    for suffix in ("", ".sha256"):
        shutil.copy(tiny.WEIGHTS / f"shapes.npz{suffix}", tmp_path)
    path = tmp_path / "shapes.npz"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="are damaged: expected SHA-256"):
        tiny.load("shapes", tmp_path)


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"waves\.npz is missing"):
        tiny.load("waves", tmp_path)
    shutil.copy(tiny.WEIGHTS / "waves.npz", tmp_path)
    with pytest.raises(ValueError, match=r"waves\.npz\.sha256 is missing"):
        tiny.load("waves", tmp_path)


def test_weights_come_back_as_float16_wrote_them(tmp_path):
    path = tmp_path / "model.npz"
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.build()
    before = [w.astype("float16") for w in model.get_weights()]
    checksum.save_weights(model, path)
    model.set_weights([0 * w for w in before])
    checksum.load_weights(model, path)
    for old, new in zip(before, model.get_weights(), strict=True):
        assert new.dtype == "float32"
        np.testing.assert_array_equal(old.astype("float32"), new)


@pytest.mark.parametrize("name", NAMES)
def test_data_follow_from_the_seed(name):
    draw = tiny.RECIPES[name].draw
    first, labels = draw(48, 5)
    again, same = draw(48, 5)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(labels, same)
    assert (draw(48, 6)[0] != first).any()
    assert np.bincount(labels).tolist() == [4] * 12
    assert first.dtype == "float32" and labels.dtype == "int64"


def test_golden_data():
    pictures, labels = synthetic.shapes(6, 0)
    assert labels.tolist() == SHAPE_LABELS
    np.testing.assert_allclose(
        pictures.mean(axis=(1, 2, 3)), SHAPE_MEANS, atol=1e-2
    )
    series, labels = synthetic.waves(6, 0)
    assert labels.tolist() == WAVE_LABELS
    np.testing.assert_allclose(series.mean(axis=(1, 2)), WAVE_MEANS, atol=1e-3)


def test_pictures_are_bounded_and_waves_finite():
    pictures, _ = synthetic.shapes(240, 3)
    assert pictures.min() >= 0 and pictures.max() <= 255
    series, _ = synthetic.waves(240, 3)
    assert np.isfinite(series).all()
    assert (series.std(axis=1) > 0).all()


@few
@hypothesis.given(SIZES, SIZES, st.floats(0, 255, width=32))
def test_flat_images_stay_flat(height, width, value):
    gray = tiny.unit_images(np.full((2, height, width, 1), value))
    color = tiny.unit_images(np.full((2, height, width, 3), value))
    assert gray.shape == color.shape == (2, 32, 32, 1)
    assert gray.dtype == color.dtype == "float32"
    np.testing.assert_allclose(gray, value / 255, atol=1e-5)
    np.testing.assert_allclose(color, value / 255, atol=1e-3)


def test_images_that_fit_are_not_changed():
    batch = np.random.default_rng(0).uniform(0, 255, (3, 5, 7, 3))
    fitted = images.fit_images(batch, 5, 7, 3)
    np.testing.assert_array_equal(fitted, batch.astype("float32"))
    np.testing.assert_array_equal(
        images.fit_images(batch, None, None, None), fitted
    )


def test_gray_is_repeated_and_color_becomes_luminance():
    gray = np.arange(4.0).reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(
        images.fit_images(gray, 2, 2, 3), np.repeat(gray, 3, axis=-1)
    )
    red = np.array([255.0, 0, 0]).reshape(1, 1, 1, 3)
    assert images.fit_images(red, 1, 1, 1).item() == pytest.approx(76.2, 0.01)


@pytest.mark.parametrize("shape", [(8, 8), (2, 8, 8), (2, 8, 8, 4)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=re.escape(f"Received: shape {shape}")):
        tiny.unit_images(np.zeros(shape))


@few
@hypothesis.given(
    st.sampled_from([2, 31, 500, 1024, 3000]),
    st.integers(1, 4),
    st.floats(0.001, 1000),
    st.floats(-1000, 1000),
)
def test_unit_and_offset_of_a_series_do_not_matter(length, channels, a, b):
    random = np.random.default_rng(length)
    raw = random.standard_normal((2, length, channels))
    series = tiny.unit_series(raw)
    assert series.shape == (2, 1024, 1) and series.dtype == "float32"
    np.testing.assert_allclose(series.mean(axis=1), 0, atol=1e-4)
    np.testing.assert_allclose(series.std(axis=1), 1, atol=1e-3)
    np.testing.assert_allclose(tiny.unit_series(a * raw + b), series, atol=2e-3)


def test_constant_series_becomes_zeros():
    assert not tiny.unit_series(np.full((2, 50, 3), 0.1)).any()


def test_series_of_the_right_length_is_only_standardized():
    raw = np.random.default_rng(0).normal(3, 2, (2, 1024, 1))
    expected = (raw - raw.mean(1, keepdims=True)) / raw.std(1, keepdims=True)
    np.testing.assert_allclose(tiny.unit_series(raw), expected, atol=1e-6)


def test_series_with_holes_are_counted_and_named():
    raw = np.ones((4, 10, 1))
    raw[2, 3] = np.nan
    raw[3, 0] = np.inf
    with pytest.raises(ValueError, match="2 that are not, first at row 2"):
        tiny.unit_series(raw)


@pytest.mark.parametrize("shape", [(10,), (2, 10), (2, 0, 1)])
def test_series_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=re.escape(f"shape {shape}")):
        tiny.unit_series(np.zeros(shape))


def test_training_script_writes_weights_and_card(tmp_path):
    command = "-m scripts.pretrain_synthetic --source=waves --steps=2"
    command = f"{command} --batch_size=12 --output_dir={tmp_path}"
    subprocess.run([sys.executable, *command.split()], cwd=ROOT, check=True)
    assert tiny.load("waves", tmp_path).class_names[0] == "sine"
    card = (tmp_path / "waves.md").read_text()
    for part in ("Held-out accuracy: ", "--steps=2 --batch_size=12", "seconds"):
        assert part in card
