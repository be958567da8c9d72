"""Which source class serves which target class, and what that gives."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from reprogram import mappings
from reprogram.mappings.assignment import AGGREGATIONS
from reprogram.reprogrammer import Reprogrammer

few = settings(max_examples=20, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)


def table_of(mapping):
    return ops.convert_to_numpy(mapping.table)


def softmax(x):
    x = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def adapted(scores, labels, classes, **options):
    mapping = mappings.FrequencyMapping(classes, **options)
    mapping.adapt(scores, labels)
    return mapping


@few
@given(seeds)
def test_random_sets_are_disjoint_and_follow_the_seed(seed):
    mapping = mappings.RandomMapping(3, 4, seed=seed)
    mapping.build((None, 15))
    table = table_of(mapping)
    assert table.shape == (3, 4) and len(set(table.flat)) == 12
    assert set(table.flat) <= set(range(15))
    again = mappings.RandomMapping.from_config(mapping.get_config())
    again.build((None, 15))
    np.testing.assert_array_equal(table_of(again), table)
    other = mappings.RandomMapping(3, 4, seed=seed + 1)
    other.build((None, 15))
    assert not np.array_equal(table_of(other), table)


@few
@given(seeds)
def test_answer_of_one_source_class_lands_on_its_target_only(seed):
    mapping = mappings.RandomMapping(3, 2, seed=seed, from_logits=False)
    shares = np.exp(mapping(np.eye(9, dtype="float32")))
    expected = np.zeros((9, 3))
    for target, sources in enumerate(table_of(mapping)):
        expected[sources, target] = 1 / 2
    np.testing.assert_allclose(shares, expected, atol=1e-6)


def test_softmax_gives_the_mean_probability_renormalized():
    logits = np.random.default_rng(0).normal(size=(5, 9)).astype("float32")
    mapping = mappings.RandomMapping(3, 2)
    answers = np.asarray(mapping(logits * 3))
    means = softmax(logits * 3)[:, table_of(mapping)].mean(axis=-1)
    np.testing.assert_allclose(np.exp(answers), means, rtol=1e-4)
    np.testing.assert_allclose(
        softmax(answers), means / means.sum(axis=1, keepdims=True), rtol=1e-4
    )


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_every_aggregation_is_the_mean_it_names(aggregation):
    logits = np.random.default_rng(0).normal(size=(5, 9)).astype("float32")
    options = {"labels_per_class": 2, "aggregation": aggregation}
    mapping = mappings.RandomMapping(3, **options)
    answers = np.asarray(mapping(logits))
    chosen = {
        "probability": softmax(logits),
        "log_probability": np.log(softmax(logits)),
        "logit": logits,
    }[aggregation][:, table_of(mapping)].mean(axis=-1)
    chosen = np.log(chosen) if aggregation == "probability" else chosen
    np.testing.assert_allclose(answers, chosen, rtol=1e-4, atol=1e-5)
    given_shares = mappings.RandomMapping(3, from_logits=False, **options)
    if aggregation != "logit":
        np.testing.assert_allclose(
            given_shares(softmax(logits)), chosen, rtol=1e-4, atol=1e-5
        )


def test_impossible_answers_stay_finite():
    mapping = mappings.RandomMapping(2, 2, from_logits=False)
    assert np.isfinite(mapping(np.zeros((1, 6), "float32"))).all()
    mapping = mappings.RandomMapping(2, 2)
    logits = np.array([[1e4, -1e4, 0, 0, 0, 0]], "float32")
    assert np.isfinite(mapping(logits)).all()


@pytest.mark.filterwarnings("ignore:The model does not have any trainable")
def test_table_is_the_same_when_fit_builds_it_and_after_loading(tmp_path):
    source = keras.Sequential([keras.Input((4,)), keras.layers.Dense(9)])
    model = Reprogrammer(source, mapping=mappings.RandomMapping(3, 2))
    model.compile("sgd", "mse")
    model.fit(np.ones((2, 4)), np.ones((2, 3)), verbose=0)
    expected = mappings.RandomMapping(3, 2)
    expected.build((None, 9))
    np.testing.assert_array_equal(table_of(model.mapping), table_of(expected))
    model.mapping.table.assign(np.arange(6).reshape(3, 2))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert table_of(loaded.mapping).tolist() == [[0, 1], [2, 3], [4, 5]]


@few
@given(seeds)
def test_permuted_labels_permute_the_answers(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(20, 8)).astype("float32")
    labels = rng.integers(0, 3, 20)
    order = rng.permutation(3)
    plain = adapted(scores, labels, 3, labels_per_class=2)
    permuted = adapted(scores, order[labels], 3, labels_per_class=2)
    assert len(set(table_of(plain).flat)) == 6
    np.testing.assert_array_equal(table_of(permuted)[order], table_of(plain))
    np.testing.assert_allclose(
        np.asarray(permuted(scores))[:, order], plain(scores), rtol=1e-6
    )


def test_most_frequent_answers_are_assigned_first():
    predicted = np.array([4, 4, 4, 1, 1, 2, 2, 4])
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    mapping = adapted(np.eye(5)[predicted], labels, 2, labels_per_class=2)
    assert table_of(mapping).tolist() == [[4, 1], [2, 0]]


def test_large_classes_do_not_take_all():
    predicted = np.repeat([0, 1, 0, 2], [50, 40, 9, 1])
    labels = np.repeat([0, 1], [90, 10])
    mapping = adapted(np.eye(3)[predicted], labels, 2)
    assert table_of(mapping).tolist() == [[1], [0]]


@pytest.mark.parametrize("present", [(0, 1), (0, 2), (1, 2)])
def test_class_absent_from_the_data_still_gets_source_classes(present):
    scores = np.eye(7)[[5, 6, 5, 6]]
    mapping = adapted(scores, np.tile(present, 2), 3, labels_per_class=2)
    table = table_of(mapping)
    assert table[present, 0].tolist() == [5, 6]
    assert len(set(table.flat)) == 6
    assert np.isfinite(mapping(scores.astype("float32"))).all()


def test_ties_go_to_the_lower_source_then_to_the_lower_target():
    flat = adapted(np.zeros((6, 4)), np.array([0, 1, 2] * 2), 3)
    assert table_of(flat).tolist() == [[0], [1], [2]]
    scores = np.array([[2.0, 2.0, 1.0], [2.0, 2.0, 1.5]])
    mapping = adapted(scores, np.array([1, 0]), 2)
    assert table_of(mapping).tolist() == [[0], [1]]
    higher = np.array([[3.0, 0.0, 1.0], [2.0, 0.0, 0.5]])
    mapping = adapted(higher, np.array([1, 0]), 2)
    assert table_of(mapping).tolist() == [[2], [0]]


def test_order_of_the_samples_does_not_matter():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 3, (16, 6)).astype("float32")
    labels = np.repeat([0, 1], 8)
    order = rng.permutation(16)
    np.testing.assert_array_equal(
        table_of(adapted(scores[order], labels[order], 2, labels_per_class=3)),
        table_of(adapted(scores, labels, 2, labels_per_class=3)),
    )


@pytest.mark.parametrize(
    "mapping",
    [mappings.FrequencyMapping(2), mappings.LinearMapping(2)],
    ids=["frequency", "linear"],
)
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, -1, 1], "ids 0 to 1. Received -1 in row 1.*Encode the labels"),
        ([0, 1, 2], "Received 2 in row 2.*raise `classes`"),
        ([0, 1, 0.5], "Received 0.5 in row 2"),
        ([0, np.nan, 1], "Received nan in row 1"),
        (["no", "yes", "no"], "type <U3. Encode the labels"),
        ([[1, 0], [0, 1], [1, 0]], r"shape \(3, 2\).*`argmax"),
    ],
    ids=["signs", "many", "half", "missing", "words", "one-hot"],
)
def test_labels_that_are_no_class_ids_are_refused(mapping, labels, message):
    scores = np.random.default_rng(0).normal(size=(3, 4))
    with pytest.raises(ValueError, match=message):
        mapping.adapt(scores, np.array(labels))


def test_columns_of_class_ids_and_booleans_are_accepted():
    scores = np.eye(3)[[2, 0, 2]]
    for labels in (np.array([[0.0], [1.0], [0.0]]), np.array([0, 1, 0], bool)):
        assert table_of(adapted(scores, labels, 2)).tolist() == [[2], [0]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": 1}, "at least 2 target classes.*classes=1"),
        ({"classes": 2, "labels_per_class": 0}, "labels_per_class=0"),
        ({"classes": 2, "aggregation": "max"}, "probability.*'max'"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        mappings.RandomMapping(**options)


@pytest.mark.parametrize("shape", [(None, 5), (None, 3, 9), (None, None)])
def test_sources_that_are_too_small_are_refused(shape):
    with pytest.raises(ValueError, match="at least 6.*LinearMapping"):
        mappings.RandomMapping(3, 2).build(shape)


def test_answers_of_another_source_are_refused():
    mapping = mappings.RandomMapping(2)
    mapping.build((None, 6))
    with pytest.raises(ValueError, match="expected axis -1.*6.*5"):
        mapping(np.zeros((1, 5), "float32"))


def test_names_give_layers():
    mapping = mappings.get("random", classes=4, seed=2)
    assert isinstance(mapping, mappings.RandomMapping) and mapping.seed == 2
    assert mappings.get(mapping) is mapping
    assert isinstance(mappings.get(None), keras.layers.Identity)
    with pytest.raises(ValueError, match="'magic'.*random, frequency.*linear"):
        mappings.get("magic")
