"""The linear mapping starts at what scikit-learn's probes predict."""

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import RidgeClassifierCV
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler

from reprogram import mappings
from reprogram.mappings import probes
from reprogram.reprogrammer import Reprogrammer

ALPHAS = np.logspace(-1, 5, 19)
PENALTIES = np.logspace(-4, 1, 6)


def draw(samples=60, width=5, seed=0):
    rng = np.random.default_rng(seed)
    scale = np.logspace(-2, 2, width)
    return rng.normal(size=(samples, width)) * scale + 3 * scale


def signal(x, seed=1):
    rng = np.random.default_rng(seed)
    return StandardScaler().fit_transform(x)[:, 1] + rng.normal(size=len(x))


def warm(x, y, targets, problem, **options):
    mapping = mappings.LinearMapping(targets, problem, **options)
    mapping.adapt(x, y)
    return mapping, np.asarray(mapping(x.astype("float32")))


def softmax(x):
    x = np.exp(x - x.max(axis=1, keepdims=True))
    return x / x.sum(axis=1, keepdims=True)


def distance_to_logistic(x, labels, shares):
    """Smallest distance over the penalties that cross-validation tries."""
    x = StandardScaler().fit_transform(x)
    distances = []
    for penalty in PENALTIES:
        probe = LogisticRegression(C=penalty, max_iter=2000).fit(x, labels)
        distances.append(np.abs(probe.predict_proba(x) - shares).max())
    return min(distances)


def test_cold_mapping_answers_zero():
    mapping = mappings.LinearMapping(3)
    assert not np.asarray(mapping(draw().astype("float32"))).any()
    assert len(mapping.trainable_weights) == 2


def test_regression_equals_ridge_on_the_known_rows():
    x = draw()
    y = np.stack([1000 + 50 * signal(x), signal(x, 2)], axis=1)
    y[::3, 0] = np.nan
    mapping, answers = warm(x, y, 2, "regression")
    scaled = StandardScaler().fit_transform(x)
    for k in range(2):
        known = ~np.isnan(y[:, k])
        probe = RidgeCV(ALPHAS).fit(scaled[known], y[known, k])
        np.testing.assert_allclose(
            answers[:, k], probe.predict(scaled), rtol=1e-4, atol=1e-4
        )
    spread = ops.convert_to_numpy(mapping.spread)
    np.testing.assert_allclose(spread, np.nanstd(y, axis=0), rtol=1e-5)


def test_missing_values_are_not_zeros():
    x = draw()
    y = 5 + signal(x)[:, None]
    holes = np.where(np.arange(60)[:, None] % 2, np.nan, y)
    _, with_holes = warm(x, holes, 1, "regression")
    _, with_zeros = warm(x, np.nan_to_num(holes), 1, "regression")
    assert abs(with_holes.mean() - 5) < 0.6 < abs(with_zeros.mean() - 5)


@pytest.mark.parametrize("classes", [2, 3])
def test_classification_equals_logistic_regression(classes):
    x = draw()
    labels = np.digitize(signal(x), [-0.5, 0.5][: classes - 1])
    _, answers = warm(x, labels, classes, "classification")
    shares = softmax(answers)
    assert distance_to_logistic(x, labels, shares) < 2e-3
    assert (answers.argmax(axis=1) == labels).mean() > 0.5


@pytest.mark.parametrize("classes", [2, 3])
def test_many_inputs_are_classified_by_ridge_regression(classes):
    rng = np.random.default_rng(0)
    labels = np.arange(45) % classes
    x = rng.normal(size=(45, probes.WIDE + 1)) + 0.15 * labels[:, None]
    new = rng.normal(size=(30, probes.WIDE + 1)) + 0.15
    mapping, answers = warm(x, labels, classes, "classification")
    scaler = StandardScaler().fit(x)
    ridge = RidgeClassifierCV(len(x[0]) * np.logspace(-1, 3, 13))
    ridge.fit(scaler.transform(x), labels)
    margin = ridge.decision_function(np.clip(scaler.transform(new), -5, 5))
    if classes == 2:
        margin = np.stack([-margin, margin], axis=1)
    found = np.asarray(mapping(new.astype("float32")))
    ratio = (found / margin).ravel()
    np.testing.assert_allclose(ratio, ratio[0], rtol=2e-2)
    assert (answers.argmax(axis=1) == labels).all()


def test_shares_of_many_inputs_without_a_signal_are_equal():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(60, 2100)), np.arange(60) % 2
    mapping, _ = warm(x, labels, 2, "classification")
    new = rng.normal(size=(50, 2100)).astype("float32")
    assert np.abs(softmax(np.asarray(mapping(new))) - 0.5).max() < 0.3


def test_multilabel_equals_one_logistic_regression_a_column():
    x = draw()
    y = np.stack([signal(x) > 0, signal(x, 2) > 0.5], axis=1).astype(float)
    _, answers = warm(x, y, 2, "multilabel")
    for k in range(2):
        share = 1 / (1 + np.exp(-answers[:, k]))
        both = np.stack([1 - share, share], axis=1)
        assert distance_to_logistic(x, y[:, k], both) < 2e-3


def test_multilabel_ignores_rows_without_a_label():
    x = draw()
    y = (signal(x)[:, None] > 0).astype(float)
    y[40:] = np.nan
    _, answers = warm(x, y, 1, "multilabel")
    other = x.copy()
    other[40:] = x[40:][::-1]
    _, again = warm(other, y, 1, "multilabel")
    np.testing.assert_allclose(answers[:40], again[:40], atol=1e-4)


def test_permuted_labels_permute_the_answers():
    x = draw()
    labels = np.digitize(signal(x), [-0.5, 0.5])
    order = np.array([2, 0, 1])
    _, plain = warm(x, labels, 3, "classification")
    _, permuted = warm(x, order[labels], 3, "classification")
    np.testing.assert_allclose(
        softmax(permuted)[:, order], softmax(plain), atol=2e-3
    )


def test_class_absent_from_the_data_is_never_predicted():
    x = draw()
    labels = np.where(signal(x) > 0, 2, 0)
    _, answers = warm(x, labels, 3, "classification")
    assert np.isfinite(answers).all()
    assert set(answers.argmax(axis=1)) == {0, 2}
    shares = softmax(answers)[:, [0, 2]]
    shares = shares / shares.sum(axis=1, keepdims=True)
    assert distance_to_logistic(x, labels, shares) < 2e-3


def test_one_class_alone_is_predicted_everywhere():
    x = draw(8)
    _, answers = warm(x, np.ones(8, int), 3, "classification")
    assert (answers.argmax(axis=1) == 1).all()
    _, answers = warm(x, np.tile([1.0, 0.0], (8, 1)), 2, "multilabel")
    assert (answers[:, 0] > 0).all() and (answers[:, 1] < 0).all()


def test_few_or_constant_data_stay_finite():
    x = draw(4)
    x[:, 2] = 7.0
    for y, targets, problem in [
        (np.array([0, 1, 1, 1]), 2, "classification"),
        (np.array([[1.0], [np.nan], [2.0], [np.nan]]), 1, "regression"),
        (np.array([[1.0], [np.nan], [np.nan], [np.nan]]), 1, "regression"),
        (np.full((4, 1), 3.0), 1, "regression"),
        (np.array([[1.0], [0.0], [np.nan], [1.0]]), 1, "multilabel"),
    ]:
        _, answers = warm(x, y, targets, problem)
        assert np.isfinite(answers).all()


@pytest.mark.parametrize("problem", ["regression", "multilabel"])
def test_column_without_any_value_answers_zero(problem):
    x = draw(8)
    y = np.stack([np.arange(8) % 2, np.full(8, np.nan)], axis=1)
    _, answers = warm(x, y, 2, problem)
    assert answers[:, 0].any() and not answers[:, 1].any()


def test_refused_targets_leave_the_mapping_as_it_was():
    x = draw(8)
    mapping, answers = warm(x, np.arange(8.0), 1, "regression")
    with pytest.raises(ValueError, match="infinity"):
        mapping.adapt(2 * x, np.array([np.inf, *range(7)]))
    np.testing.assert_array_equal(mapping(x.astype("float32")), answers)


def test_errors_say_what_to_do():
    x = draw(4)
    source = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    model = Reprogrammer(source, mapping=mappings.LinearMapping(2))
    with pytest.raises(ValueError, match="4 inputs and 3 targets"):
        model.adapt(x, np.array([0, 1, 1]))
    with pytest.raises(ValueError, match="problem of classification.*'rank'"):
        mappings.LinearMapping(2, "rank")
    with pytest.raises(ValueError, match="targets=0"):
        mappings.LinearMapping(0)
    with pytest.raises(ValueError, match=r"has 2 targets.*\(4, 3\).*columns"):
        mappings.LinearMapping(2, "regression").adapt(x, np.ones((4, 3)))
    signs = np.array([[-1.0], [1.0], [1.0], [np.nan]])
    with pytest.raises(ValueError, match=r"0, 1 or NaN.*\[-1.0, 1.0\]"):
        mappings.LinearMapping(1, "multilabel").adapt(x, signs)
    mapping = mappings.LinearMapping(2)
    mapping.build((None, 5))
    with pytest.raises(ValueError, match="expected axis -1.*5.*4"):
        mapping(np.zeros((1, 4), "float32"))
