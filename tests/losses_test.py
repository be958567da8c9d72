"""The masked loss is the loss of what is known, gradients too."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from reprogram.gradients import value_and_grad
from reprogram.losses import LOSSES
from reprogram.losses import NAMED
from reprogram.losses import LogitAdjusted
from reprogram.losses import Masked
from reprogram.losses import get

KINDS = ("squared", "binary")
PLAIN = {
    "squared": keras.losses.MeanSquaredError(),
    "binary": keras.losses.BinaryCrossentropy(from_logits=True),
}


def draw(kind, shape, missing, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=shape).astype("float32")
    targets = rng.normal(size=shape)
    if kind == "binary":
        targets = (targets > 0) * 1.0
    targets[rng.random(shape) < missing] = np.nan
    return targets.astype("float32"), scores


def value_and_slope(loss, targets, scores):
    function = value_and_grad(lambda x: loss(targets, x))
    value, slope = function(ops.convert_to_tensor(scores))
    return float(value), ops.convert_to_numpy(slope)


@pytest.mark.parametrize("kind", KINDS)
def test_without_gaps_it_is_the_loss_of_keras(kind):
    targets, scores = draw(kind, (6, 3), 0.0)
    found = value_and_slope(Masked(kind), targets, scores)
    expected = value_and_slope(PLAIN[kind], targets, scores)
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-4, atol=1e-7)


@settings(deadline=None, derandomize=True, max_examples=15)
@given(
    st.sampled_from(KINDS),
    st.integers(1, 7),
    st.integers(1, 4),
    st.integers(0, 99),
)
def test_with_gaps_it_is_the_loss_of_the_known(kind, rows, columns, seed):
    targets, scores = draw(kind, (rows, columns), 0.4, seed)
    known = np.isfinite(targets)
    value, slope = value_and_slope(Masked(kind), targets, scores)
    assert (slope[~known] == 0).all()
    if not known.any():
        assert value == 0
        return
    targets, scores = targets[known][:, None], scores[known][:, None]
    expected = value_and_slope(PLAIN[kind], targets, scores)
    assert value == pytest.approx(expected[0], rel=1e-4, abs=1e-6)
    np.testing.assert_allclose(
        slope[known], expected[1][:, 0], rtol=1e-3, atol=1e-6
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1e-3, 1e4])
def test_gradients_are_finite_where_nothing_is_known(kind, size):
    targets, scores = draw(kind, (4, 2), 1.1)
    value, slope = value_and_slope(Masked(kind), targets, scores * size)
    assert value == 0 and (slope == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_fit_learns_from_batches_with_gaps(kind):
    targets, inputs = draw(kind, (32, 2), 0.5)
    targets[:8] = np.nan
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.Adam(0.1), Masked(kind))
    history = model.fit(
        inputs, targets, epochs=8, batch_size=8, shuffle=False, verbose=0
    ).history["loss"]
    assert np.isfinite(history).all() and history[-1] < history[0]


def test_the_loss_survives_saving():
    loss = Masked("binary", reduction="sum")
    config = keras.saving.serialize_keras_object(loss)
    made = keras.saving.deserialize_keras_object(config)
    assert isinstance(made, Masked)
    assert (made.kind, made.name, made.reduction) == (
        "binary",
        "masked_binary",
        "sum",
    )


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="'squared', 'binary'.*'cubic'"):
        Masked("cubic")


def test_every_problem_has_a_loss_of_scores():
    assert set(LOSSES) == {"classification", "multilabel", "regression"}
    loss = LOSSES["classification"]()
    scores = np.array([[0.0, 0.0, 0.0]], "float32")
    assert float(loss(np.array([2]), scores)) == pytest.approx(np.log(3))
    assert LOSSES["multilabel"]().kind == "binary"
    assert LOSSES["regression"]().kind == "squared"


def classes(samples=12, count=3, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(samples, count)).astype("float32")
    return rng.integers(0, count, samples), scores


def shares(scores):
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def test_focal_counts_rare_classes_more_and_easy_samples_less():
    labels, scores = classes()
    counts = [60, 30, 10]
    weights = 100 / (3 * np.array(counts))
    p = shares(scores)[np.arange(12), labels]
    expected = np.mean(weights[labels] * (1 - p) ** 2 * -np.log(p))
    loss = get("focal", counts=counts)
    assert float(loss(labels, scores)) == pytest.approx(expected, rel=1e-4)
    assert float(loss(labels[:, None], scores)) == pytest.approx(
        expected, rel=1e-4
    )
    plain = np.mean((1 - p) ** 2 * -np.log(p))
    for even in (None, [5, 5, 5]):
        found = float(get("focal", counts=even)(labels, scores))
        assert found == pytest.approx(plain, rel=1e-4)


def test_adjusted_logits_are_the_scores_plus_the_log_of_the_share():
    labels, scores = classes()
    share = np.array([0.6, 0.3, 0.1])
    p = shares(scores + np.log(share))[np.arange(12), labels]
    loss = get("logit_adjusted", counts=[60, 30, 10])
    assert float(loss(labels, scores)) == pytest.approx(-np.log(p).mean(), 1e-5)
    even = get("logit_adjusted", counts=[4, 4, 4])
    plain = get("")
    assert float(even(labels, scores)) == pytest.approx(
        float(plain(labels, scores)), rel=1e-5
    )
    off = LogitAdjusted([60, 30, 10], strength=0.0)
    assert float(off(labels, scores)) == pytest.approx(
        float(plain(labels, scores)), rel=1e-5
    )


def test_a_class_absent_from_the_data_counts_as_one_sample():
    labels, scores = classes()
    for name in ("focal", "logit_adjusted"):
        absent = float(get(name, counts=[9, 3, 0])(labels, scores))
        assert absent == float(get(name, counts=[9, 3, 1])(labels, scores))
        assert np.isfinite(absent)


def test_smoothed_labels_are_those_of_keras():
    labels, scores = classes()
    rows = np.eye(3)[labels] * 0.9 + 0.1 / 3
    expected = -(rows * np.log(shares(scores))).sum(axis=1).mean()
    for counts in (None, [4, 4, 4]):
        loss = get("label_smoothing", counts=counts)
        assert float(loss(labels, scores)) == pytest.approx(expected, rel=1e-4)


def test_masked_focal_is_the_focal_loss_of_the_known():
    targets, scores = draw("binary", (8, 3), 0.4)
    known = np.isfinite(targets)
    p = 1 / (1 + np.exp(-scores[known]))
    right = np.where(targets[known] > 0.5, p, 1 - p)
    expected = np.mean((1 - right) ** 2 * -np.log(right))
    loss = get("focal", "multilabel")
    assert float(loss(targets, scores)) == pytest.approx(expected, rel=1e-4)
    value, slope = value_and_slope(loss, targets, scores)
    assert (slope[~known] == 0).all() and np.isfinite(slope).all()


@pytest.mark.parametrize("name", NAMED)
def test_named_losses_train_and_survive_saving(name, tmp_path):
    labels, scores = classes(32)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    loss = get(name, counts=np.bincount(labels, minlength=3))
    model.compile(keras.optimizers.Adam(0.1), loss)
    history = model.fit(scores, labels, epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(scores, labels, verbose=0) == pytest.approx(
        model.evaluate(scores, labels, verbose=0), rel=1e-5
    )


def test_losses_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="no loss 'dice' for classification"):
        get("dice")
    with pytest.raises(ValueError, match="no loss 'logit_adjusted' for multi"):
        get("logit_adjusted", "multilabel")
    with pytest.raises(ValueError, match=r"at least two classes.*\[3.0\]"):
        LogitAdjusted([3])
    with pytest.raises(ValueError, match="at least two classes"):
        get("focal", counts=[3, -1])
    assert get("", "regression").kind == "squared"
