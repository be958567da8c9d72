"""Identity plus low rank on top of a mapping, and linear of low rank."""

import keras
import numpy as np
import pytest
from keras import ops

from reprogram import mappings


def draw(samples=40, sources=7, classes=3):
    rng = np.random.default_rng(0)
    labels = np.arange(samples) % classes
    scores = rng.normal(size=(samples, sources))
    scores[:, :classes] += 2 * np.eye(classes)[(labels + 1) % classes]
    return scores.astype("float32"), labels


def test_it_starts_as_its_base():
    scores, labels = draw()
    base = mappings.FrequencyMapping(3)
    base.adapt(scores, labels)
    mapping = mappings.CorrectionMapping(3, rank=2)
    mapping.adapt(scores, labels)
    np.testing.assert_allclose(mapping(scores), base(scores), rtol=1e-6)
    assert [w.name for w in mapping.trainable_weights] == [
        *("left", "right", "bias")
    ]


def test_it_is_one_matrix():
    scores, _ = draw()
    options = {"labels_per_class": 2, "aggregation": "logit"}
    base = mappings.RandomMapping(3, **options)
    mapping = mappings.CorrectionMapping(3, rank=2, base=base)
    mapping.build((None, 7))
    rng = np.random.default_rng(1)
    for weight in mapping.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
    folded = scores @ mapping.matrix() + ops.convert_to_numpy(mapping.bias)
    np.testing.assert_allclose(mapping(scores), folded, rtol=1e-4, atol=1e-4)


def test_training_improves_on_the_base():
    scores, labels = draw()
    mapping = mappings.CorrectionMapping(3, 3, mappings.RandomMapping(3))
    model = keras.Sequential([keras.Input((7,)), mapping])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.1), loss)
    start = model.evaluate(scores, labels, verbose=0)
    model.fit(scores, labels, epochs=20, verbose=0)
    assert model.evaluate(scores, labels, verbose=0) < start - 0.05


def test_a_base_is_saved_with_it(tmp_path):
    scores, labels = draw()
    mapping = mappings.CorrectionMapping(3, base=mappings.OptimalMapping(3))
    mapping.adapt(scores, labels)
    model = keras.Sequential([keras.Input((7,)), mapping])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.layers[0].base, mappings.OptimalMapping)
    np.testing.assert_array_equal(loaded(scores), model(scores))


def test_correction_errors_say_what_to_do():
    for rank in (0, 4):
        with pytest.raises(ValueError, match=f"rank={rank}, classes=3"):
            mappings.CorrectionMapping(3, rank)
    wrong = mappings.CorrectionMapping(3, base=mappings.RandomMapping(2))
    with pytest.raises(ValueError, match="gives 2 answers.*3 classes"):
        wrong.build((None, 7))
    still = mappings.CorrectionMapping(3, base=mappings.RandomMapping(3))
    with pytest.raises(ValueError, match="RandomMapping has nothing to adapt"):
        still.adapt(*draw())


def linear(rank, scores, labels):
    mapping = mappings.LinearMapping(3, rank=rank)
    mapping.adapt(scores, labels)
    return mapping


def test_a_linear_mapping_of_low_rank_starts_at_the_nearest_probe():
    scores, labels = draw()
    full = linear(None, scores, labels)
    same = linear(3, scores, labels)
    np.testing.assert_allclose(same(scores), full(scores), atol=1e-4)
    low = linear(1, scores, labels)
    kernel = ops.convert_to_numpy(full.kernel)
    _, sizes, _ = np.linalg.svd(kernel)
    distance = np.linalg.norm(low.matrix() - kernel)
    assert distance == pytest.approx(np.linalg.norm(sizes[1:]), rel=1e-4)
    assert np.linalg.matrix_rank(low.matrix(), tol=1e-5) == 1
    assert sum(np.prod(w.shape) for w in low.trainable_weights) == 7 + 3 + 3


def test_a_cold_linear_mapping_of_low_rank_answers_zero_and_learns():
    scores, labels = draw()
    mapping = mappings.LinearMapping(3, rank=2)
    assert not np.asarray(mapping(scores)).any()
    model = keras.Sequential([keras.Input((7,)), mapping])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.1), loss)
    model.fit(scores, labels, epochs=10, verbose=0)
    assert model.evaluate(scores, labels, verbose=0) < 0.9


def test_ranks_that_do_not_fit_are_refused():
    for rank in (0, 4):
        with pytest.raises(ValueError, match=f"rank={rank}, targets=3"):
            mappings.LinearMapping(3, rank=rank)
    with pytest.raises(ValueError, match="rank of 3 needs as many inputs"):
        mappings.LinearMapping(3, rank=3).build((None, 2))
