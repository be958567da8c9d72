"""Matching pursuit finds the sums; training keeps to them."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import layers
from keras import ops

from reprogram import mappings
from reprogram import transforms
from reprogram.reprogrammer import Reprogrammer
from reprogram.transforms import sparse_coding

few = settings(max_examples=15, deadline=None, derandomize=True)


def numpy_pursuit(words, vector, nonzeros):
    """Orthogonal matching pursuit, word by word."""
    chosen, left = [], vector
    for _ in range(nonzeros):
        lengths = np.linalg.norm(words, axis=1)
        gain = np.abs(words @ left) / np.where(lengths > 0, lengths, 1)
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
        factors = np.linalg.lstsq(words[chosen].T, vector, rcond=None)[0]
        left = vector - factors @ words[chosen]
    return left, chosen


@few
@given(st.integers(1, 5), st.integers(0, 10**6))
def test_sums_are_those_of_the_algorithm(nonzeros, seed):
    rng = np.random.default_rng(seed)
    words = rng.normal(size=(30, 8)) * rng.uniform(0.1, 10, (30, 1))
    vectors = rng.normal(size=(4, 8))
    support, factors = sparse_coding.nearest_sums(words, vectors, nonzeros)
    assert support.shape == factors.shape == (4, nonzeros)
    for vector, own, factor in zip(vectors, support, factors):
        left, chosen = numpy_pursuit(words, vector, nonzeros)
        assert sorted(own) == sorted(chosen)
        np.testing.assert_allclose(
            vector - factor @ words[own], left, atol=1e-8
        )


def test_words_that_point_the_other_way_count():
    words = np.array([[1.0, 0, 0], [0, 1, 0], [0.6, 0, 0.8]])
    support, factors = sparse_coding.nearest_sums(
        words, np.array([[0.5, -9.0, 0]]), 1
    )
    assert support.tolist() == [[1]] and factors.round(6).tolist() == [[-9.0]]


def test_long_words_have_no_advantage():
    words = np.array([[100.0, 0], [1, 1]])
    support, _ = sparse_coding.nearest_sums(words, np.array([[1.0, 0.9]]), 1)
    assert support.tolist() == [[1]]


def test_dictionaries_with_empty_words_and_few_words():
    words = np.array([[0.0, 0, 0], [0, 2, 0]])
    support, factors = sparse_coding.nearest_sums(words, np.ones((1, 3)), 4)
    assert (factors[:, None] @ words[support])[0].tolist() == [[0, 1, 0]]
    assert support.shape == (1, 4)


def built(tokens=5, width=8, **options):
    layer = transforms.SparseTokenMap(tokens, width, **options)
    layer.build((None, None))
    return layer


def sums(layer, words):
    support = ops.convert_to_numpy(layer.support)
    factors = ops.convert_to_numpy(layer.coefficients)
    return np.einsum("tk,tke->te", factors, words[support])


def test_start_makes_each_token_a_word():
    rng = np.random.default_rng(0)
    words = rng.normal(size=(9, 8)).astype("float32")
    layer = built(nonzeros=3)
    assert not layer.started()
    layer.start(words, tokens=[3, 1, 4, 1, 5])
    assert layer.started()
    np.testing.assert_array_equal(layer.program, words[[3, 1, 4, 1, 5]])
    np.testing.assert_array_equal(layer(np.array([[0, 4]]))[0], words[[3, 5]])
    layer.start(words, seed=1)
    drawn = ops.convert_to_numpy(layer.support)[:, 0]
    assert len(set(drawn)) == 5
    many = built(20)
    many.start(words)
    counts = np.bincount(ops.convert_to_numpy(many.support)[:, 0])
    assert counts.min() == 2 and counts.max() == 3
    with pytest.raises(ValueError, match="5 ids of source tokens.*0 to 8"):
        layer.start(words, tokens=[9] * 5)


@few
@given(st.integers(1, 4), st.integers(0, 10**6))
def test_projection_is_sparse_near_and_done_once(nonzeros, seed):
    rng = np.random.default_rng(seed)
    # Words much alike, for which the pursuit alone is not idempotent.
    words = 1.0 + 0.3 * rng.normal(size=(40, 8))
    layer = built(nonzeros=nonzeros)
    layer.program.assign(rng.normal(size=(5, 8)))
    before = ops.convert_to_numpy(layer.program)
    moved = layer.project(words)
    after = ops.convert_to_numpy(layer.program)
    np.testing.assert_allclose(after, sums(layer, words), atol=1e-4)
    expected = np.linalg.norm(after - before) / np.linalg.norm(before)
    assert moved == pytest.approx(expected, abs=1e-4)
    for row, vector in zip(before, after):
        left, _ = numpy_pursuit(words, row.astype("float64"), nonzeros)
        assert np.linalg.norm(row - vector) <= np.linalg.norm(left) + 1e-4
    assert layer.project(words) < 1e-4
    np.testing.assert_allclose(layer.program, after, atol=1e-4)


def language_model():
    keras.utils.set_random_seed(0)
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(40, 8, "random_normal", name="embeddings")(tokens)
    x = layers.GlobalAveragePooling1D()(layers.Conv1D(8, 3)(x))
    return keras.Model(tokens, layers.Dense(6)(x))


class Watch(keras.callbacks.Callback):
    """Notes how far the vectors are from sums of words when asked."""

    def __init__(self, words):
        super().__init__()
        self.words = words
        self.distances = []

    def note(self, *args, **kwargs):
        layer = self.model.transform
        gap = ops.convert_to_numpy(layer.program) - sums(layer, self.words)
        self.distances.append(np.abs(gap).max())

    on_test_batch_end = on_epoch_end = on_train_end = note


@pytest.mark.parametrize("every", [None, 2])
def test_training_alternates_and_what_is_measured_is_sparse(every, tmp_path):
    source = language_model()
    model = Reprogrammer(
        source,
        transforms.SparseTokenMap(5, 8, nonzeros=3),
        mappings.LinearMapping(2),
        input_layer="embeddings",
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.03), loss)
    mark = model.source_fingerprint()
    words = transforms.dictionary(source, "embeddings")
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, (64, 6))
    y = (x == 2).any(axis=1).astype(int)
    watch = Watch(words)
    history = model.fit(
        x,
        y,
        validation_data=(x, y),
        epochs=12,
        batch_size=16,
        callbacks=[transforms.SparseCoding(every), watch],
        verbose=0,
    ).history
    assert len(watch.distances) == 12 * (4 + 1) + 1
    assert max(watch.distances) < 1e-5
    assert history["val_loss"][-1] < 0.9 * history["val_loss"][0]
    assert mark == model.source_fingerprint()
    support = ops.convert_to_numpy(model.transform.support)
    used = ops.convert_to_numpy(model.transform.coefficients) != 0
    assert (support[used] < 40).all() and used.sum(axis=1).max() == 3
    assert len(model.trainable_weights) == 3
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(x), model(x), atol=1e-6)
    assert loaded.transform.project(words) < 1e-4


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="positive.*nonzeros=0"):
        transforms.SparseTokenMap(3, 4, nonzeros=0)
    with pytest.raises(ValueError, match="positive.*width=0"):
        transforms.SparseTokenMap(3, 0)
    with pytest.raises(ValueError, match="positive.*every=0"):
        transforms.SparseCoding(0)
    model = Reprogrammer(keras.Sequential([keras.Input((3,)), layers.Dense(1)]))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="SparseTokenMap.*Identity"):
        model.fit(
            np.ones((2, 3)),
            np.ones((2, 1)),
            callbacks=[transforms.SparseCoding()],
            verbose=0,
        )
