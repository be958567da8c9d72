"""The recognizer of spoken words, from a file of weights."""

import re

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from reprogram import gradients
from reprogram import mappings
from reprogram import sources
from reprogram import transforms
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import speech
from reprogram.sources.log_mel import LogMel

SHAPES = {
    "logmel/0": (513, 4),
    "conv2d/0": (5, 1, 1, 3),
    "conv2d/1": (3,),
    **{f"batch_normalization/{i}": (3,) for i in range(4)},
    "conv2d_1/0": (5, 1, 3, 1),
    "conv2d_1/1": (1,),
    **{f"batch_normalization_1/{i}": (1,) for i in range(4)},
    **{f"bidirectional/{i}": (4, 8) for i in (0, 3)},
    **{f"bidirectional/{i}": (2, 8) for i in (1, 4)},
    **{f"bidirectional/{i}": (8,) for i in (2, 5)},
    **{f"bidirectional_1/{i}": (4, 8) for i in (0, 3)},
    **{f"bidirectional_1/{i}": (2, 8) for i in (1, 4)},
    **{f"bidirectional_1/{i}": (8,) for i in (2, 5)},
    "dense/0": (4, 4),
    "dense/1": (4,),
    "dense_1/0": (4, 6),
    "dense_1/1": (6,),
    "dense_2/0": (6, 5),
    "dense_2/1": (5,),
    "output/0": (5, 7),
    "output/1": (7,),
}


@pytest.fixture
def write(tmp_path):
    """Writes small weights, with some changed, and returns the path."""

    def file(**changes):
        rng = np.random.default_rng(0)
        shapes = {**SHAPES, **changes}
        arrays = {
            key: rng.uniform(0.1, 0.9, shape).astype("float32")
            for key, shape in shapes.items()
            if shape is not None
        }
        path = tmp_path / "words.npz"
        np.savez(path, **arrays)
        return path

    return file


def clips(count=2):
    rng = np.random.default_rng(1)
    return rng.normal(0, 0.1, (count, speech.LENGTH, 1)).astype("float32")


def numpy_spectrogram(x, filters, window=1024, hop=128):
    """Frame by frame, as the equation says."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    frames = -(-len(x) // hop)
    padded = np.pad(x.astype("float64"), (0, window))
    rows = [padded[i * hop : i * hop + window] * hann for i in range(frames)]
    log = np.log(np.abs(np.fft.rfft(rows)) @ filters + 1e-6)
    return (log - log.mean()) / log.std()


@pytest.mark.parametrize("length", [16000, 1000, 129])
def test_spectrogram_is_that_of_the_equation(length):
    layer = LogMel(5, 1024, 128)
    x = clips()[:, :length]
    layer.build(x.shape)
    filters = np.random.default_rng(0).uniform(0, 1, (513, 5))
    layer.filters.assign(filters)
    out = layer(x)
    assert out.shape == layer.compute_output_shape(x.shape)
    expected = [numpy_spectrogram(one[:, 0], filters) for one in x]
    np.testing.assert_allclose(out, expected, atol=2e-3)


def test_silence_has_a_spectrogram_and_a_finite_gradient():
    layer = LogMel(5, 1024, 128)
    x = np.zeros((1, 4000, 1), "float32")
    assert not np.asarray(layer(x)).any()
    x[:, 1500:1700] = 0.1
    _, slope = gradients.value_and_grad(
        lambda x: ops.mean(ops.power(layer(x), 3))
    )(ops.convert_to_tensor(x))
    assert np.isfinite(slope).all() and np.abs(slope).max() > 0


def test_small_weights_become_a_frozen_source(write):
    source = sources.load(write())
    assert (source.name, source.modality) == ("words", "series")
    assert source.model.input_shape == (None, 16000, 1)
    assert source.model.output_shape == (None, 7)
    assert source.class_names == () and source.licence == "not stated"
    assert not source.model.trainable_weights
    assert source.feature_layer == "bidirectional"
    assert "2018" in source.citation
    with np.load(write()) as arrays:
        kept = {
            f"{layer.name}/{i}": ops.convert_to_numpy(weight)
            for layer in source.model.layers
            for i, weight in enumerate(layer.weights)
        }
        assert set(kept) == set(arrays.files)
        for key, value in kept.items():
            np.testing.assert_array_equal(value, arrays[key])


def test_names_are_known_for_36_words(write):
    path = write(**{"output/0": (5, 36), "output/1": (36,)})
    source = sources.load(path)
    assert len(source.class_names) == len(set(source.class_names)) == 36
    assert source.class_names[:3] == ("unknown", "nine", "yes")
    assert source.class_names[-1] == "wow" and source.licence == "MIT"


def test_source_is_bit_identical_after_fit_save_and_load(write, tmp_path):
    source = sources.load(write())
    model = Reprogrammer(
        source.model,
        transforms.Segments((16000, 1), 3, dropout=0.3),
        mappings.LinearMapping(2),
        feature_layer=source.feature_layer,
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    x = source.preprocess(np.random.default_rng(0).normal(size=(4, 90, 1)))
    mark = model.source_fingerprint()
    model.build(x.shape)
    start = ops.convert_to_numpy(model.transform.program)
    model.fit(x, np.array([0, 1, 0, 1]), batch_size=2, epochs=2, verbose=0)
    assert len(model.trainable_weights) == 3
    assert model.source_fingerprint() == mark
    moved = ops.convert_to_numpy(model.transform.program) - start
    assert np.isfinite(moved).all() and (moved != 0).mean() > 0.9
    first = np.asarray(model(x))
    np.testing.assert_array_equal(model(x), first)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(x), first, atol=1e-5)
    assert loaded.source_fingerprint() == mark


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.floats(10, 1e4), st.floats(-1e3, 1e3))
def test_series_of_any_unit_become_waveforms(unit, offset):
    raw = np.random.default_rng(0).normal(size=(3, 50, 2))
    out = speech.waveforms(unit * raw + offset)
    assert out.dtype == "float32" and out.shape == raw.shape
    np.testing.assert_allclose(np.abs(out).max(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(out, speech.waveforms(10 * raw), atol=1e-4)


def test_quiet_clips_only_lose_their_mean():
    x = clips() + 0.01
    expected = x - x.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(speech.waveforms(x), expected, atol=1e-6)


def test_shorter_series_may_end_in_nan():
    raw = np.array([[1.0, 3, np.nan, np.nan], [0, 1, 0, -1]])[..., None]
    out = speech.waveforms(raw)[..., 0]
    np.testing.assert_array_equal(out[0], [-1, 1, np.nan, np.nan])
    for bad in ([np.nan, 1, 2, 3], [1, np.nan, 2, 3], [1, 2, np.inf, np.nan]):
        raw[0, :, 0] = bad
        with pytest.raises(ValueError, match="1 that are not, first at row 0"):
            speech.waveforms(raw)
    for shape in [(4,), (2, 4), (2, 0, 1)]:
        expected = re.escape(f"Received: shape {shape}")
        with pytest.raises(ValueError, match=expected):
            speech.waveforms(np.zeros(shape))


def message(path) -> str:
    with pytest.raises(ValueError, match=".") as caught:
        sources.load(path)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_every_reason_why_a_file_does_not_load(write, tmp_path):
    assert "There is no file" in message(tmp_path / "nothing.npz")
    path = tmp_path / "text.npz"
    path.write_text("no archive")
    assert "(10 bytes) is damaged" in message(path)
    np.savez(path, x=np.array([{}], object))
    assert "is damaged or no `.npz`" in message(path)
    np.savez(path, other=np.ones(3))
    text = message(path)
    assert "does not hold the recognizer" in text and "Save another" in text
    assert "dense_1/1" in message(write(**{"dense_1/1": None}))
    assert "dense_1/1" in message(write(**{"dense_1/1": (6, 1)}))
    text = message(write(**{"dense_2/0": (9, 5)}))
    assert "'dense_2' has weights of shapes [(9, 5), (5,)]" in text
    assert "expected [(6, 5), (5,)]" in text


def test_real_weights_know_27_of_30_clips(shared):
    file = shared / "sources/speech/speechcmd_attrnn_v2_35.npz"
    recorded = shared / "data/speech/speechcommands_val30.npz"
    for path in (file, recorded):
        if not path.is_file():
            pytest.skip(f"needs {path}, not there")
    source = sources.load(file)
    with np.load(recorded) as data:
        raw, labels = data["pcm16"][..., None], data["y"]
    for clip in (raw / 32768.0, raw):
        logits = source.model.predict(source.preprocess(clip), verbose=0)
        assert (logits.argmax(axis=1) == labels).sum() == 27
    assert source.class_names[labels[0]] == "go"
