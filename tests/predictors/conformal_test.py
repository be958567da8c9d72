"""Conformal intervals and sets, and how often they hold the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from reprogram.predictors import conformal
from reprogram.predictors.assessment import Assessment


@settings(deadline=None, max_examples=15)
@given(st.integers(10, 60), st.sampled_from([0.8, 0.9]), st.integers(0, 99))
def test_intervals_hold_the_truth_as_often_as_promised(count, level, seed):
    rng = np.random.default_rng(seed)
    held = []
    for _ in range(300):
        noise = rng.normal(size=count + 1)
        spread = rng.uniform(0.5, 2, count + 1)
        scores = np.abs(noise[:-1])
        low, high = conformal.interval(np.zeros(1), spread[-1:], scores, level)
        held.append(low[0] <= noise[-1] * spread[-1] <= high[0])
    assert np.mean(held) > level - 0.07


def test_too_few_for_a_promise():
    low, high = conformal.interval(np.ones(2), np.ones(2), np.ones(5), 0.95)
    assert np.isneginf(low).all() and np.isposinf(high).all()


def test_golden_ranks():
    assert conformal.quantile(np.arange(1.0, 10.0), 0.9) == 9
    assert conformal.quantile(np.arange(1.0, 10.0), 0.5) == 5


@pytest.mark.parametrize("bad", [0, 1, 95, -0.1])
def test_confidence_is_a_share(bad):
    with pytest.raises(ValueError, match="share between 0 and 1"):
        conformal.quantile(np.ones(9), bad)


def test_sets_keep_the_promise_for_a_rare_class():
    rng = np.random.default_rng(1)
    held = {0: [], 1: []}
    for _ in range(200):
        label = (rng.uniform(size=200) < 0.15).astype(int)
        p = 1 / (1 + np.exp(-rng.normal(2 * label - 2, 1)))
        both = np.stack([1 - p, p], axis=1)
        sets = conformal.label_sets(both[100:], both[:100], label[:100], 0.9)
        for k in held:
            held[k] += list(sets[label[100:] == k, k])
    assert all(np.mean(rows) > 0.88 for rows in held.values())


@pytest.mark.parametrize("classes", [2, 3])
def test_covered_says_where_the_truth_is_held(classes):
    one = np.zeros((3, 1))
    rest = ([""] * 3, one[:, 0], one[:, 0] > 0, np.zeros(3, int))
    truth = np.array([0.0, classes - 1, np.nan])
    ends = Assessment(one, one - 1, one + 0.5, None, *rest)
    held = conformal.covered(ends, truth)
    np.testing.assert_array_equal(held, [[1], [0], [np.nan]])
    sets = np.zeros((3, classes), bool)
    sets[:, 0] = True
    shape = (3, 1, 2) if classes == 2 else (3, 3)
    chosen = Assessment(one, None, None, sets.reshape(shape), *rest)
    held = conformal.covered(chosen, truth)
    np.testing.assert_array_equal(held, [[1], [0], [np.nan]])
