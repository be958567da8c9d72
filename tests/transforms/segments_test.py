"""Copies lie where they should, and the program only between them."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from reprogram import gradients
from reprogram import mappings
from reprogram import transforms
from reprogram.reprogrammer import Reprogrammer
from reprogram.transforms import programs

few = settings(max_examples=12, deadline=None, derandomize=True)


def built(shape, target, **options):
    layer = transforms.Segments(target, **options)
    layer.build((None, *shape))
    return layer


def expected(x, program, segments, masked=True):
    """The equation of the paper with the mask, step by step."""
    length, target = x.shape[1], program.shape[0]
    stride = (target // length) // segments * length
    out = np.zeros((len(x), *program.shape))
    free = np.ones(program.shape[0])
    for j in range(segments):
        place = slice(j * stride, j * stride + length)
        out[:, place] += np.tile(x, program.shape[1] // x.shape[2])
        free[place] = 0
    return out + (free[:, None] if masked else 1) * program


@st.composite
def sizes(draw):
    length, segments = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    target = length * segments + draw(st.integers(0, 12))
    return length, segments, target


@few
@given(sizes(), st.integers(1, 2), st.integers(1, 2), st.booleans())
def test_copies_and_program_follow_the_equation(size, given, times, masked):
    length, segments, target = size
    layer = built(
        (length, given),
        (target, given * times),
        segments=segments,
        masked=masked,
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, length, given)).astype("float32")
    program = ops.convert_to_numpy(layer.program)
    np.testing.assert_allclose(
        layer(x), expected(x, program, segments, masked), atol=1e-6
    )


def test_one_second_of_sound_holds_ten_copies():
    layer = built((286, 1), (16000, 1), segments=10, initializer="zeros")
    x = np.ones((1, 286, 1), "float32")
    filled = np.flatnonzero(np.asarray(layer(x))[0, :, 0])
    starts = filled[np.flatnonzero(np.diff(filled, prepend=-2) > 1)]
    assert starts.tolist() == [5 * 286 * j for j in range(10)]
    assert len(filled) == 2860


def test_no_gradient_reaches_the_program_below_the_data():
    layer = built((2, 1), (9, 1), segments=2)
    run = gradients.stateless(layer, [layer.program])
    total = gradients.value_and_grad(lambda v, x: ops.sum(run([v], x)))
    _, slope = total(layer.program.value, ops.ones((1, 2, 1)))
    assert np.asarray(slope)[:, 0].tolist() == [0, 0, 1, 1, 0, 0, 1, 1, 1]


def test_dropout_fires_in_training_only_and_spares_the_data():
    layer = built((10, 1), (300, 1), initializer="ones", dropout=0.5)
    x = np.full((1, 10, 1), 7.0, "float32")
    calm = np.asarray(layer(x))[0, :, 0]
    assert (calm[:10] == 7).all() and (calm[10:] == 1).all()
    np.testing.assert_array_equal(layer(x, training=False)[0, :, 0], calm)
    trained = np.asarray(layer(x, training=True))[0, :, 0]
    assert (trained[:10] == 7).all()
    assert set(trained[10:]) == {0.0, 2.0}
    assert 90 < (trained[10:] == 0).sum() < 200


def test_the_program_fills_what_shorter_series_leave():
    layer = built((4, 1), (9, 1), segments=2, initializer="ones")
    x = np.array([[5, 5, 5, 5], [5, 5, np.nan, np.nan]], "float32")[..., None]
    out = np.asarray(layer(x))[..., 0]
    assert out[0].tolist() == [5, 5, 5, 5, 5, 5, 5, 5, 1]
    assert out[1].tolist() == [5, 5, 1, 1, 5, 5, 1, 1, 1]
    seen = np.array([[1, 0, 1, 1], [1, 1, 1, 0]], bool)
    out = np.asarray(layer(np.full_like(x, 5), mask=seen))[..., 0]
    assert out[0].tolist() == [5, 1, 5, 5, 5, 1, 5, 5, 1]


def test_sum_stays_in_the_range_and_programs_have_few_numbers():
    layer = built((3, 1), (9, 1), value_range=(-1, 1), initializer="ones")
    x = np.array([[[-4], [0], [4]]], "float32")
    assert np.asarray(layer(x)).ravel().tolist() == [-1, 0, 1] + [1] * 6
    layer = built((3, 1), (64, 1), program=programs.Cosine(4))
    assert layer.program.shape[0] == 4 and layer(x).shape == (1, 64, 1)
    layer = built((3, 1), (9, 1), regularizer="l2", initializer="ones")
    layer(x)
    assert float(sum(layer.losses)) == pytest.approx(0.09)


def test_default_program_is_a_quiet_noise():
    program = ops.convert_to_numpy(built((5, 1), (4000, 1)).program)
    assert 0.015 < program.std() < 0.025 and (program != 0).all()


def test_layers_in_a_row_train_on_series_of_other_lengths(tmp_path):
    inputs = keras.Input((24, 1))
    source = keras.Model(
        inputs, keras.layers.Dense(4)(keras.layers.Flatten()(inputs))
    )
    chain = keras.Sequential(
        [
            transforms.Missing(),
            transforms.Gain(rms=1.0),
            transforms.Mixing(1),
            transforms.Resampling(missing_outside=True),
            transforms.Segments((24, 1), segments=2),
        ]
    )
    model = Reprogrammer(source, chain, mappings.LinearMapping(2))
    model.compile("adam", "mse")
    before = model.source_fingerprint()
    x = np.random.default_rng(0).normal(size=(8, 6, 3)).astype("float32")
    x[::2, 4:] = np.nan
    history = model.fit(x, np.ones((8, 2)), epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert before == model.source_fingerprint()
    assert len(model.trainable_weights) == 7
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(x), model(x), atol=1e-6)
    changed = x.copy()
    changed[::2, 3] = 9.0
    assert not np.allclose(model(changed), model(x))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_shape": (4, 4, 3)}, r"\(length, channels\).*\(4, 4, 3\)"),
        ({"segments": 0}, "at least one copy.*segments=0"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        transforms.Segments(**{"target_shape": (9, 1), **options})


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((None, 5, 1), "2 copies of a series of 5 steps.*the 9.*Lower"),
        ((None, 4, 2), "2 channels of data.*1 channels.*Put Mixing"),
        ((None, None, 1), "known sizes.*Fill shorter series up with NaN"),
        ((None, 4), r"\(batch, length, channels\).*\(None, 4\)"),
    ],
)
def test_data_that_do_not_fit_are_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        transforms.Segments((9, 1), segments=2).build(shape)
