"""Metrics against scikit-learn and SciPy, and where there is none."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn

from reprogram import metrics

CLASSES = ["accuracy", "balanced_accuracy", "roc_auc", "mcc", "ece"]
LABELS = ["roc_auc", "average_precision", "balanced_accuracy", "mcc", "ece"]
VALUES = ["rmse", "mae", "r2", "spearman"]


def evaluate(problem, targets, predictions):
    return dict(metrics.evaluate(problem, targets, predictions))


def classes(count, samples=60, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, count, samples)
    p = rng.dirichlet(np.ones(count), samples) + 0.5 * np.eye(count)[y]
    return y, p / p.sum(axis=1, keepdims=True)


def columns(count=3, samples=40, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(samples, count))
    return y, y + rng.normal(size=y.shape)


@pytest.mark.parametrize("count", [2, 4])
def test_classification_agrees_with_scikit_learn(count):
    y, p = classes(count)
    found = evaluate("classification", y, p)
    assert list(found) == CLASSES
    guess = p.argmax(axis=1)
    assert found["accuracy"] == sklearn.accuracy_score(y, guess)
    assert found["mcc"] == sklearn.matthews_corrcoef(y, guess)
    balanced = sklearn.balanced_accuracy_score(y, guess)
    assert found["balanced_accuracy"] == pytest.approx(balanced)
    scores = p[:, 1] if count == 2 else p
    area = sklearn.roc_auc_score(y, scores, multi_class="ovr")
    assert found["roc_auc"] == pytest.approx(area)


def test_a_class_that_the_test_set_lacks_is_left_out():
    y, p = classes(3)
    y, p = y[y != 1], p[y != 1]
    found = evaluate("classification", y, p)
    areas = [sklearn.roc_auc_score(y == k, p[:, k]) for k in (0, 2)]
    assert found["roc_auc"] == pytest.approx(np.mean(areas))
    guess = p.argmax(axis=1)
    recall = sklearn.recall_score(y, guess, labels=[0, 2], average="macro")
    assert found["balanced_accuracy"] == pytest.approx(recall)


def test_one_class_alone_has_no_ranking():
    found = evaluate("classification", np.ones(5, int), classes(2, 5)[1])
    assert np.isnan(found["roc_auc"]) and np.isnan(found["mcc"])
    assert found["accuracy"] == found["balanced_accuracy"]


def test_equal_probabilities_are_worth_nothing():
    y, p = classes(2)
    found = evaluate("classification", y, np.full_like(p, 0.5))
    assert found["roc_auc"] == found["balanced_accuracy"] == 0.5
    assert found["mcc"] == 0.0


def test_multilabel_agrees_with_scikit_learn():
    y, p = columns()
    y = (y > 0).astype("float32")
    found = evaluate("multilabel", y, p)
    assert list(found) == LABELS
    assert found["roc_auc"] == pytest.approx(sklearn.roc_auc_score(y, p))
    precision = sklearn.average_precision_score(y, p)
    assert found["average_precision"] == pytest.approx(precision)


def test_multilabel_uses_what_is_known():
    y, p = columns()
    y = (y > 0).astype("float32")
    y[:10, 0] = np.nan
    y[:, 1] = 1.0
    y[:, 2] = np.nan
    found = evaluate("multilabel", y, p)
    area = sklearn.roc_auc_score(y[10:, 0], p[10:, 0])
    assert found["roc_auc"] == pytest.approx(area)
    nothing = evaluate("multilabel", y[:, 1:], p[:, 1:])
    assert np.isnan(list(nothing.values())).all()


def test_regression_agrees_with_scikit_learn_and_scipy():
    y, p = columns()
    found = evaluate("regression", y, p)
    assert list(found) == VALUES
    rmse = sklearn.root_mean_squared_error(y, p)
    assert found["rmse"] == pytest.approx(rmse)
    assert found["mae"] == pytest.approx(sklearn.mean_absolute_error(y, p))
    assert found["r2"] == pytest.approx(sklearn.r2_score(y, p))
    ranks = [stats.spearmanr(a, b).statistic for a, b in zip(y.T, p.T)]
    assert found["spearman"] == pytest.approx(np.mean(ranks))


def test_regression_uses_what_is_known():
    y, p = columns(2)
    y[5:, 0] = np.nan
    y[:, 1] = np.nan
    assert evaluate("regression", y, p) == evaluate(
        "regression", y[:5, 0], p[:5, 0]
    )
    nothing = evaluate("regression", y[:, 1], p[:, 1])
    assert np.isnan(list(nothing.values())).all()


def test_constants_have_no_rank():
    y, p = columns(1)
    found = evaluate("regression", y, np.zeros_like(p))
    assert np.isnan(found["spearman"])
    assert found["rmse"] == pytest.approx(np.sqrt((y**2).mean()))
    found = evaluate("regression", np.ones_like(y), p)
    assert np.isnan(found["spearman"]) and np.isnan(found["r2"])
    assert np.isfinite(found["mae"])


def test_one_row_is_enough_for_an_error():
    found = evaluate("regression", np.array([[1.0]]), np.array([[3.0]]))
    assert found["rmse"] == found["mae"] == 2.0
    assert np.isnan(found["r2"]) and np.isnan(found["spearman"])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_predictions_that_are_not_finite_have_no_score(bad):
    y, p = columns()
    p[3, 1] = bad
    for problem in ("regression", "multilabel"):
        targets = y if problem == "regression" else (y > 0) * 1.0
        found = evaluate(problem, targets, p)
        assert np.isnan(list(found.values())).all()
    labels, probabilities = classes(3)
    probabilities[0, 0] = bad
    found = evaluate("classification", labels, probabilities)
    assert list(found) == CLASSES and np.isnan(list(found.values())).all()


@pytest.mark.parametrize(
    ("problem", "targets", "predictions", "message"),
    [
        (
            "ranking",
            (3,),
            (3, 1),
            "classification, multilabel, regression.*'ra",
        ),
        ("regression", (3, 1), (2, 1), "3 targets, 2 predictions"),
        (
            "regression",
            (3, 2),
            (3, 1),
            r"targets \(3, 2\), predictions \(3, 1\)",
        ),
        ("multilabel", (3, 1), (3, 2), r"\(3, 1\), predictions \(3, 2\)"),
        ("classification", (3, 1), (3, 2), "class ids and a column"),
        ("classification", (3,), (3,), "column of predictions for every class"),
    ],
)
def test_errors(problem, targets, predictions, message):
    with pytest.raises(ValueError, match=message):
        evaluate(problem, np.zeros(targets, int), np.zeros(predictions))


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_without_a_column_is_refused(label):
    with pytest.raises(ValueError, match="column of predictions"):
        evaluate("classification", np.array([0, label]), np.zeros((2, 2)))


def test_calibration_error_is_the_mean_gap_of_the_bins():
    rng = np.random.default_rng(0)
    confidence = rng.random(200)
    hits = rng.random(200) < confidence**2
    gaps = []
    for low in np.arange(10) / 10:
        inside = (confidence >= low) & (confidence < low + 0.1)
        gap = abs(hits[inside].mean() - confidence[inside].mean())
        gaps.append(gap * inside.mean())
    found = metrics.calibration_error(hits, confidence, bins=10)
    assert found == pytest.approx(sum(gaps))
    assert metrics.calibration_error(np.ones(3, bool), np.ones(3)) == 0
    assert metrics.calibration_error(np.zeros(3, bool), np.ones(3)) == 1


def test_calibration_of_classes_and_of_labels():
    y, p = classes(3)
    hits, confidence = p.argmax(axis=1) == y, p.max(axis=1)
    found = evaluate("classification", y, p)["ece"]
    assert found == metrics.calibration_error(hits, confidence)
    two, q = classes(2)
    single = evaluate("multilabel", two.astype(float), q[:, 1])
    both = evaluate("classification", two, q)
    for name in ("ece", "mcc", "balanced_accuracy"):
        assert single[name] == pytest.approx(both[name])


def test_the_interval_of_a_share_stays_within_its_range():
    low, high = metrics.share_interval(16, 16)
    assert low == pytest.approx(16 / (16 + stats.norm.ppf(0.975) ** 2))
    assert high == 1.0
    assert metrics.share_interval(0, 16) == pytest.approx((0, 1 - low))
    assert metrics.share_interval(0, 0) == (0.0, 1.0)
    wide, narrow = (metrics.share_interval(8, 10, c) for c in (0.99, 0.5))
    assert wide[0] < narrow[0] < 0.8 < narrow[1] < wide[1]


@pytest.mark.parametrize(("successes", "count"), [(17, 16), (-1, 16), (0, -1)])
def test_a_share_of_impossible_counts_is_refused(successes, count):
    with pytest.raises(ValueError, match="Received: .* successes of"):
        metrics.share_interval(successes, count)
