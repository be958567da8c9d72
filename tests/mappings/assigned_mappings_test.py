"""Explicit, optimal and semantic assignments of source classes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops
from scipy.special import softmax

from reprogram import mappings

few = settings(max_examples=20, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)
NAMES = ("beagle", "tabby", "pug", "siamese", "goldfish")


def table_of(mapping):
    return ops.convert_to_numpy(mapping.table)


def explained(table, scores, labels, classes):
    """Shares of the target classes that an assignment explains."""
    predicted = scores.argmax(axis=1)
    return sum(
        (predicted[labels == k] == source).mean()
        for k in range(classes)
        if (labels == k).any()
        for source in table[k]
    )


def test_explicit_lists_of_any_length_are_means_of_their_own():
    scores = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
    sets = [[1], [0, 2, 4]]
    shares = softmax(scores, axis=1)
    expected = np.stack([shares[:, s].mean(axis=1) for s in sets], axis=1)
    found = mappings.ExplicitMapping(sets)(scores)
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-5)
    found = mappings.ExplicitMapping(sets, aggregation="logit")(scores)
    expected = np.stack([scores[:, s].mean(axis=1) for s in sets], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_answer_of_one_source_class_lands_on_its_target_only():
    """The published reshape gives half of every class to the other."""
    sets = [[4, 0], [1, 3, 5], [2]]
    mapping = mappings.ExplicitMapping(sets, from_logits=False)
    shares = np.exp(mapping(np.eye(7, dtype="float32")))
    expected = np.zeros((7, 3))
    for target, sources in enumerate(sets):
        expected[sources, target] = 1 / len(sources)
    np.testing.assert_allclose(shares, expected, atol=1e-6)


def test_explicit_names_are_looked_up_and_saved_as_ids():
    sets = [["pug", "beagle"], ["tabby"]]
    mapping = mappings.ExplicitMapping(sets, source_names=NAMES)
    assert mapping.assignment == ((2, 0), (1,))
    again = mappings.ExplicitMapping.from_config(mapping.get_config())
    again.build((None, 5))
    assert table_of(again).tolist() == [[2, 0], [1, -1]]


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ([[0], []], "own. Received: .1, 0. source classes"),
        ([], "source class of its own"),
        ([[0, 1], [1]], r"more than once: \[1\].*no source class to two"),
        ([[0, 0], [1]], r"more than once: \[0\]"),
        ([[0], [-1]], "id from 0. Received: -1"),
        ([[0], [1.5]], "id from 0. Received: 1.5"),
        ([["pub"], ["tabby"]], "no class 'pub' among its 5. Did you mean 'pug"),
        ([[0]], "at least 2 target classes"),
    ],
)
def test_explicit_assignments_that_make_no_sense_are_refused(sets, message):
    with pytest.raises(ValueError, match=message):
        mappings.ExplicitMapping(sets, source_names=NAMES)


def test_explicit_refuses_a_source_that_lacks_a_class():
    with pytest.raises(ValueError, match=r"class 5.*\(batch, 6 or more\)"):
        mappings.ExplicitMapping([[0], [5]]).build((None, 5))


@few
@given(seeds)
def test_no_assignment_explains_more_than_the_optimal_one(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(30, 5))
    labels = rng.integers(0, 3, 30)
    tables = {}
    for kind in (mappings.OptimalMapping, mappings.FrequencyMapping):
        mapping = kind(3)
        mapping.adapt(scores, labels)
        tables[kind] = explained(table_of(mapping), scores, labels, 3)
    every = (
        explained(np.array(sources)[:, None], scores, labels, 3)
        for sources in itertools.permutations(range(5), 3)
    )
    best = max(every)
    assert tables[mappings.OptimalMapping] == pytest.approx(best, abs=1e-5)
    assert tables[mappings.FrequencyMapping] <= best + 1e-9


@few
@given(seeds)
def test_optimal_sets_are_disjoint_and_permute_with_the_labels(seed):
    rng = np.random.default_rng(seed)
    scores, labels = rng.normal(size=(30, 9)), rng.integers(0, 3, 30)
    order = rng.permutation(3)
    plain, permuted = (mappings.OptimalMapping(3, 2) for _ in range(2))
    plain.adapt(scores, labels)
    permuted.adapt(scores, order[labels])
    assert len(set(table_of(plain).flat)) == 6
    rows = [set(row) for row in table_of(plain)]
    assert [set(row) for row in table_of(permuted)[order]] == rows


@pytest.mark.parametrize("present", [(0, 1), (0, 2), (1, 2)])
def test_optimal_copes_with_a_class_absent_from_the_data(present):
    mapping = mappings.OptimalMapping(3)
    mapping.adapt(np.eye(7)[[5, 6, 5, 6]], np.tile(present, 2))
    table = table_of(mapping)
    assert table[present, 0].tolist() == [5, 6]
    assert len(set(table.flat)) == 3


def vectors(names):
    """Letters that a name has: an encoder for tests."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return np.array([[name.count(c) for c in letters] for name in names], float)


@few
@given(st.permutations(NAMES), st.permutations(("tabbies", "pugs")))
def test_similar_names_find_each_other_in_any_order(sources, targets):
    mapping = mappings.SemanticMapping.from_names(sources, targets, vectors)
    mapping.build((None, 5))
    found = {t: sources[i] for t, i in zip(targets, table_of(mapping)[:, 0])}
    assert found == {"tabbies": "tabby", "pugs": "pug"}


def test_similarity_is_the_cosine_and_rounds_share_the_source_classes():
    mapping = mappings.SemanticMapping.from_names(
        NAMES, ("a dog", "a cat"), vectors, labels_per_class=2
    )
    a, b = vectors(NAMES), vectors(("a dog", "a cat"))
    cosine = (b / np.linalg.norm(b, axis=1)[:, None]) @ (
        a / np.linalg.norm(a, axis=1)[:, None]
    ).T
    np.testing.assert_allclose(mapping.similarity, cosine, atol=1e-6)
    mapping.build((None, 5))
    assert len(set(table_of(mapping).flat)) == 4
    best = max(
        itertools.permutations(range(5), 2),
        key=lambda pair: cosine[0, pair[0]] + cosine[1, pair[1]],
    )
    assert table_of(mapping)[:, 0].tolist() == list(best)


def test_a_name_without_a_vector_is_no_error():
    mapping = mappings.SemanticMapping.from_names(
        NAMES, ("2020", "tabby"), vectors
    )
    mapping.build((None, 5))
    assert table_of(mapping)[1, 0] == 1


def test_semantic_errors_say_what_to_do():
    with pytest.raises(ValueError, match="for each of 5 names.*Pool over"):
        mappings.SemanticMapping.from_names(
            NAMES, ("a", "b"), lambda names: np.zeros((len(names), 3, 4))
        )
    with pytest.raises(ValueError, match=r"finite table.*\(2,\)"):
        mappings.SemanticMapping([0.0, 1.0])
    mapping = mappings.SemanticMapping(np.eye(3))
    with pytest.raises(ValueError, match="knows 3 source classes.*4"):
        mapping.build((None, 4))
