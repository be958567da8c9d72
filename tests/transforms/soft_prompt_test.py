"""The prompt stands in front; the sequence and its mask stay what they were."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from reprogram import gradients
from reprogram import transforms


def built(length=3, width=4, **options):
    layer = transforms.SoftPrompt(length, **options)
    layer.build((None, None, width))
    return layer


def sequence(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 5))
def test_prompt_comes_first_and_the_sequence_follows_unchanged(
    length, batch, tokens
):
    layer = built(length)
    x = sequence(batch, tokens, 4)
    out = np.asarray(layer(x))
    assert out.shape == layer.compute_output_shape(x.shape)
    np.testing.assert_array_equal(out[:, length:], x)
    program = ops.convert_to_numpy(layer.program)
    np.testing.assert_array_equal(
        out[:, :length], np.broadcast_to(program, (batch, length, 4))
    )


def test_one_layer_reads_every_length():
    layer = built(2)
    assert layer.compute_output_shape((None, None, 4)) == (None, None, 4)
    assert layer(keras.Input((None, 4))).shape == (None, None, 4)
    assert [layer(sequence(1, n, 4)).shape[1] for n in (1, 6)] == [3, 8]


def test_mask_grows_by_the_prompt_which_is_never_masked():
    layer = built(2)
    mask = np.array([[True, False, False], [False, True, True]])
    grown = layer.compute_mask(sequence(2, 3, 4), mask)
    assert np.asarray(grown).tolist() == [
        [True, True, True, False, False],
        [True, True, False, True, True],
    ]
    assert layer.compute_mask(sequence(2, 3, 4), None) is None


def test_mask_of_an_embedding_reaches_the_next_layer():
    embed = keras.layers.Embedding(9, 4, mask_zero=True)
    pool = keras.layers.GlobalAveragePooling1D()
    layer = built(2)
    short, padded = np.array([[3, 5]]), np.array([[3, 5, 0, 0]])
    np.testing.assert_allclose(
        pool(layer(embed(short))), pool(layer(embed(padded))), rtol=1e-6
    )


def test_gradient_of_the_prompt_sums_over_the_batch():
    layer = built(3)
    x, weights = sequence(2, 5, 4), sequence(2, 8, 4)
    run = gradients.stateless(layer, [layer.program])
    _, found = gradients.value_and_grad(
        lambda program: ops.sum(run([program], x) * weights)
    )(layer.program)
    np.testing.assert_allclose(found, weights[:, :3].sum(axis=0), rtol=1e-5)


def test_dropout_clears_the_prompt_in_training_only():
    layer = built(100, initializer="ones", dropout=0.5)
    x = np.ones((2, 3, 4), "float32")
    assert (np.asarray(layer(x)) == 1).all()
    assert (np.asarray(layer(x, training=False)) == 1).all()
    trained = np.asarray(layer(x, training=True))
    assert (trained[:, 100:] == 1).all()
    assert 100 < (trained[0, :100] == 0).sum() < 300


def test_prompt_takes_the_type_of_the_sequence():
    layer = built(2, dtype="mixed_bfloat16")
    out = layer(ops.ones((1, 3, 4), "bfloat16"))
    assert keras.backend.standardize_dtype(out.dtype) == "bfloat16"
    assert layer.program.dtype == "float32"


def test_default_prompt_is_small_and_arguments_reach_the_program():
    values = ops.convert_to_numpy(built(500).program)
    assert 0.018 < values.std() < 0.022 and abs(values.mean()) < 0.002
    layer = built(2, initializer="ones", regularizer=keras.regularizers.L2(1))
    layer(sequence(1, 3, 4))
    assert float(sum(layer.losses)) == pytest.approx(8.0)


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="positive.*length=0"):
        transforms.SoftPrompt(0)
    with pytest.raises(ValueError, match=r"\(None, 4\).*`input_layer`"):
        transforms.SoftPrompt(2).build((None, 4))
    with pytest.raises(ValueError, match=r"\(None, 4, None\)"):
        transforms.SoftPrompt(2).build((None, 4, None))
