"""Labels as columns of numbers, and calibrated probabilities."""

import numpy as np
import pytest

from reprogram.predictors.molecules import labels


def test_labels_are_read():
    read = labels.read
    three = ["C", "CC", "CCC"]
    assert read(three, [0, 1, 1]).problem == "classification"
    assert read(three, [0.5, 1, 2]).problem == "regression"
    assert read(three, [[0, 1], [1, None], [1, 0]]).problem == "multilabel"
    many = read([*three, "O"], ["a", "b", "c", None])
    assert many.classes == ("a", "b", "c") and np.isnan(many.values[3]).all()
    for labels_, problem, match in (
        ([1, 2], "", "need labels of shape"),
        ([1.0, "x", 2.0], "regression", "are numbers"),
        (["a", "a", "a"], "", "at least two classes"),
        ([[0, 2], [1, 1], [0, 0]], "multilabel", "0, 1 or missing"),
        ([[0.5, 2], [0.5, 1], [None, 0]], "", "Column 1 of the labels"),
        ([[0, 2], [1, 1], [0, 0]], "classification", "one class a molecule"),
    ):
        with pytest.raises(ValueError, match=match):
            read(three, labels_, problem)


def test_calibrated_probabilities_rise_and_fit():
    rng = np.random.default_rng(3)
    score = rng.uniform(size=2000)
    label = (rng.uniform(size=2000) < score).astype(float)
    curve = labels.calibrate(score, label)
    p = labels.probability(score, curve)
    assert (np.diff(p[np.argsort(score)]) >= 0).all()
    assert abs(p.mean() - label.mean()) < 0.01
    wrong = labels.calibrate(1 - score, label)
    assert wrong[0] > 0  # never turned around
