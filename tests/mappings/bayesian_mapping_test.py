"""Weights of source classes that are counted, BLM and BLM+."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from scipy.special import softmax

from reprogram import mappings
from reprogram.mappings.assignment import AGGREGATIONS

few = settings(max_examples=20, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)
BOTH = [mappings.BayesianMapping, mappings.BayesianPlusMapping]


def draw(samples=40, sources=7, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    scores = 2 * rng.normal(size=(samples, sources))
    return scores.astype("float32"), rng.integers(0, classes, samples)


def adapted(kind, scores, labels, classes, **options):
    mapping = kind(classes, **options)
    mapping.adapt(scores, labels)
    return mapping


def counted(scores, labels, classes, smoothing=1.0, top=None):
    """The published estimate, one pair of classes at a time."""
    sources = scores.shape[1]
    counts = np.zeros((sources, classes))
    for row, label in zip(scores, labels):
        if top is None:
            counts[row.argmax(), label] += 1
            continue
        shares = softmax(row.astype("float64"))
        for source in np.argsort(-shares)[:top]:
            counts[source, label] += shares[source]
    omega = np.zeros_like(counts)
    for source in range(sources):
        omega[source] = counts[source] / (counts[source].sum() + smoothing)
    for target in range(classes):
        total = omega[:, target].sum()
        omega[:, target] = omega[:, target] / total if total else 1 / sources
    return omega


@few
@given(seeds, st.sampled_from([0.5, 1.0, 10.0]))
def test_weights_are_those_of_the_paper(seed, smoothing):
    scores, labels = draw(seed=seed)
    mapping = adapted(BOTH[0], scores, labels, 3, smoothing=smoothing)
    expected = counted(scores, labels, 3, smoothing)
    np.testing.assert_allclose(mapping.matrix(), expected, rtol=1e-5)


@few
@given(seeds, st.sampled_from([(0.0, 1), (0.15, 1), (0.5, 2), (1.0, 3)]))
def test_plus_counts_the_probabilities_of_the_most_probable(seed, case):
    scores, labels = draw(seed=seed)
    ratio, top = case
    mapping = adapted(BOTH[1], scores, labels, 3, ratio=ratio)
    assert mapping.top(7) == top
    expected = counted(scores, labels, 3, top=top)
    np.testing.assert_allclose(mapping.matrix(), expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("classes", range(2, 9))
def test_plus_has_a_source_class_for_few_target_classes(classes):
    """The published code takes none below seven classes: all is NaN."""
    scores, labels = draw(classes=classes)
    mapping = adapted(BOTH[1], scores, labels, classes)
    assert mapping.top(7) >= 1
    assert np.isfinite(mapping.matrix()).all() and mapping.matrix().any()
    assert np.isfinite(mapping(scores)).all()
    assert BOTH[1](100).top(7) == 7


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_class_absent_from_the_data_is_no_shift_of_the_others(kind, missing):
    scores, labels = draw()
    keep = labels != missing
    mapping = adapted(kind, scores[keep], labels[keep], 3)
    others = [k for k in range(3) if k != missing]
    weights = mapping.matrix()
    np.testing.assert_allclose(weights[:, missing], 1 / 7, rtol=1e-6)
    expected = counted(scores[keep], labels[keep], 3, top=None)
    if kind is BOTH[0]:
        np.testing.assert_allclose(
            weights[:, others], expected[:, others], rtol=1e-5
        )
    assert np.isfinite(mapping(scores)).all()


@few
@given(seeds, st.sampled_from(BOTH))
def test_columns_sum_to_one_and_labels_permute(seed, kind):
    scores, labels = draw(seed=seed)
    order = np.random.default_rng(seed).permutation(3)
    weights = adapted(kind, scores, labels, 3).matrix()
    permuted = adapted(kind, scores, order[labels], 3).matrix()
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(permuted[:, order], weights, rtol=1e-5)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_every_aggregation_is_the_weighing_it_names(aggregation):
    scores, labels = draw()
    mapping = adapted(BOTH[0], scores, labels, 3, aggregation=aggregation)
    weights = mapping.matrix()
    expected = {
        "probability": np.log(softmax(scores, 1) @ weights + 1e-12),
        "log_probability": log_softmax(scores, 1) @ weights,
        "logit": scores @ weights,
    }[aggregation]
    np.testing.assert_allclose(mapping(scores), expected, rtol=1e-3, atol=1e-4)
    shares = softmax(scores, 1)
    other = adapted(
        BOTH[0], shares, labels, 3, aggregation=aggregation, from_logits=False
    )
    np.testing.assert_allclose(other.matrix(), weights, rtol=1e-6)
    if aggregation != "logit":
        np.testing.assert_allclose(other(shares), expected, atol=1e-3)


def test_there_may_be_more_target_classes_than_source_classes():
    scores, labels = draw(sources=3, classes=8, samples=80)
    mapping = adapted(BOTH[0], scores, labels, 8)
    assert mapping.matrix().shape == (3, 8)
    assert mapping(scores).shape == (80, 8)


def test_without_smoothing_unseen_source_classes_weigh_nothing():
    scores = np.eye(3, dtype="float32")[[0, 0, 1]]
    mapping = adapted(BOTH[0], scores, np.array([0, 1, 1]), 2, smoothing=0)
    assert mapping.matrix()[2].tolist() == [0, 0]


def test_before_adapting_all_source_classes_weigh_alike():
    mapping = mappings.BayesianMapping(2)
    answers = np.asarray(mapping(draw()[0]))
    np.testing.assert_allclose(answers[:, 0], answers[:, 1])
    assert not mapping.trainable_weights


@pytest.mark.parametrize("kind", BOTH)
def test_extreme_answers_stay_finite(kind):
    scores = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]], "float32")
    for aggregation in AGGREGATIONS:
        options = {"aggregation": aggregation}
        mapping = adapted(kind, scores, np.array([0, 1]), 2, **options)
        assert np.isfinite(mapping(scores)).all()


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (BOTH[0], {"classes": 1}, "at least 2 classes.*classes=1"),
        (BOTH[0], {"classes": 2, "smoothing": -1}, "smoothing=-1"),
        (BOTH[0], {"classes": 2, "aggregation": "max"}, "logit.*'max'"),
        (BOTH[1], {"classes": 2, "ratio": 2}, "between 0 and 1.*ratio=2"),
    ],
)
def test_wrong_arguments_are_named(kind, options, message):
    with pytest.raises(ValueError, match=message):
        kind(**options)


def test_what_is_no_table_of_scores_or_no_class_is_refused():
    with pytest.raises(ValueError, match=r"\(batch, source classes\)"):
        mappings.BayesianMapping(2).build((None, 3, 4))
    with pytest.raises(ValueError, match="Received 2 in row 0"):
        adapted(BOTH[0], np.eye(3), np.array([2, 0, 1]), 2)
