"""Shares of the parts, and folds."""

import numpy as np

from reprogram.predictors.molecules import stacking


def test_shares_follow_the_errors():
    rng = np.random.default_rng(0)
    y = rng.normal(size=200)
    noise = rng.normal(size=(200, 3)) * [0.3, 0.3, 3]
    shares = stacking.weigh(y[:, None] + noise, y, np.ones(3) / 3)
    assert shares[2] < 0.1 and shares[:2].min() > 0.3
    start = np.array([0.9, 0.05, 0.05])
    few = stacking.weigh(y[:3, None] + noise[:3], y[:3], start, strength=1e4)
    np.testing.assert_allclose(few, start, atol=0.02)


def test_folds_share_out_the_classes():
    y = np.arange(50) < 10
    for rest, held in stacking.folds(y, "labels", seed=3):
        assert len(held) == 10 and y[held].sum() == 2
        assert sorted([*rest, *held]) == list(range(50))
    rare = np.arange(32) < 2
    counts = [rare[held].sum() for _, held in stacking.folds(rare, "labels")]
    assert sorted(counts) == [0, 0, 0, 1, 1]
    pair = stacking.folds(np.arange(2), "labels")
    assert sorted(held.tolist() for _, held in pair) == [[0], [1]]
