"""The pitch follows the series, and the gradient reaches all numbers."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from reprogram import gradients
from reprogram import transforms

few = settings(max_examples=12, deadline=None, derandomize=True)


def expected(x, target, pitches, loudness, names=("values", "slopes")):
    """The definition in NumPy, in float64."""
    batch, length, channels = x.shape
    voices = len(names) * channels
    ends = np.geomspace(*pitches, voices + 1)
    grid = np.linspace(0, length - 1, target)
    found = {
        "sums": np.cumsum(x - x.mean(axis=1, keepdims=True), axis=1),
        "values": x,
        "slopes": np.gradient(x, axis=1) if length > 1 else np.zeros_like(x),
    }
    lines = np.concatenate([found[name] for name in names], axis=2)
    out = np.zeros((batch, target))
    for row in range(batch):
        for c in range(voices):
            s = lines[row, :, c] - lines[row, :, c].mean()
            s = s / max(np.abs(s).max(), 1e-9)
            s = np.interp(grid, np.arange(length), s)
            pitch = ends[c] * (ends[c + 1] / ends[c]) ** ((s + 1) / 2)
            tone = np.sin(2 * np.pi * np.cumsum(pitch))
            out[row] += loudness[0] * tone / voices
        mean = x[row].mean(axis=1)
        if length > target:
            copies = np.interp(grid, np.arange(length), mean)
        else:
            copies = np.tile(mean, target // length)
            copies = np.pad(copies, (0, target - len(copies)))
        out[row] += loudness[1] * copies
    return out[..., None]


@few
@given(st.integers(1, 40), st.integers(1, 3), st.integers(1, 30))
def test_sound_follows_the_definition(length, channels, target):
    pitches, loudness = (0.02, 0.3), (0.7, 0.2)
    layer = transforms.Sonification((target, 1), pitches, loudness)
    x = np.random.default_rng(0).normal(size=(2, length, channels))
    found = layer(x.astype("float32"))
    wanted = expected(x, target, pitches, loudness)
    np.testing.assert_allclose(found, wanted, atol=2e-4)


def test_sounds_follow_one_another():
    sounds = (("values", "slopes"), ("sums", "values", "slopes"), ["sums"])
    layer = transforms.Sonification((25, 2), sounds=sounds)
    x = np.random.default_rng(0).normal(size=(2, 9, 2)).astype("float32")
    found = np.asarray(layer(x))
    assert found.shape == layer.compute_output_shape(x.shape) == (2, 75, 2)
    for part, names in zip(np.split(found, 3, axis=1), sounds):
        wanted = expected(x, 25, layer.pitches, layer.loudness, names)
        np.testing.assert_allclose(part[..., :1], wanted, atol=2e-4)
    again = transforms.Sonification.from_config(layer.get_config())
    np.testing.assert_array_equal(again(x), found)


@pytest.mark.parametrize("sounds", [(), ((),), (("values", "noise"),)])
def test_sounds_need_known_voices(sounds):
    with pytest.raises(ValueError, match="sums, values, slopes"):
        transforms.Sonification((8, 1), sounds=sounds)


def test_values_and_slopes_have_their_voices():
    layer = transforms.Sonification((4000, 1), loudness=(1.0, 0.0))
    ramp = np.linspace(-1, 1, 50)  # rises steadily: the slope stays as it is
    sound = ops.convert_to_numpy(layer(ramp[None, :, None].astype("float32")))
    middle = np.sqrt(0.01875 * 0.375)

    def pitches(part):
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
        at = np.fft.rfftfreq(len(part))
        low, high = at < middle, at >= middle
        return [(power * at)[m].sum() / power[m].sum() for m in (low, high)]

    start, end = (
        pitches(sound[0, s, 0]) for s in (slice(400), slice(-400, None))
    )
    assert start[0] < 0.03 and end[0] > 0.06
    np.testing.assert_allclose(start[1], end[1], rtol=0.05)


def test_gradient_reaches_pitches_levels_and_program():
    layer = transforms.Sonification((64, 1))
    x = np.random.default_rng(0).normal(size=(2, 12, 1)).astype("float32")
    layer(x)

    def loss(values):
        out = gradients.stateless(layer, layer.trainable_variables)(values, x)
        return ops.sum(out * ops.arange(1.0, 65.0)[:, None])

    values = [v.value for v in layer.trainable_variables]
    _, found = gradients.value_and_grad(loss)(values)
    assert len(found) == 3
    assert all(np.abs(np.array(g)).min() > 0 for g in found)


def test_missing_steps_are_zero_and_silence_is_finite():
    layer = transforms.Sonification((32, 1))
    x = np.zeros((1, 6, 1), "float32")
    cut = x.copy()
    cut[:, 4:] = np.nan
    np.testing.assert_array_equal(layer(x), layer(cut))
    assert np.isfinite(ops.convert_to_numpy(layer(cut))).all()


def test_sum_stays_in_the_range():
    layer = transforms.Sonification(
        (32, 2), loudness=(5.0, 5.0), value_range=(-1.0, 1.0)
    )
    x = np.random.default_rng(0).normal(size=(2, 5, 1)).astype("float32")
    found = ops.convert_to_numpy(layer(x))
    assert found.shape == (2, 32, 2) and np.abs(found).max() <= 1


@pytest.mark.parametrize("pitches", [(0, 0.1), (0.2, 0.1), (0.1, 0.6)])
def test_pitches_must_be_hearable(pitches):
    with pytest.raises(ValueError, match="cycles a sample"):
        transforms.Sonification((8, 1), pitches)


def test_only_series_are_read():
    with pytest.raises(ValueError, match="known sizes"):
        transforms.Sonification((8, 1)).build((None, None, 1))
    with pytest.raises(ValueError, match="target_shape"):
        transforms.Sonification((8, 8, 1))


def test_starts_alike_after_saving(tmp_path):
    inputs = keras.Input((5, 1))
    model = keras.Model(inputs, transforms.Sonification((16, 1))(inputs))
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    x = np.ones((1, 5, 1), "float32")
    np.testing.assert_allclose(model(x), again(x), atol=1e-6)
