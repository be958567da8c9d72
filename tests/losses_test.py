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
from reprogram.losses import Masked

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
    with pytest.raises(ValueError, match="squared or binary.*'cubic'"):
        Masked("cubic")


def test_every_problem_has_a_loss_of_scores():
    assert set(LOSSES) == {"classification", "multilabel", "regression"}
    loss = LOSSES["classification"]()
    scores = np.array([[0.0, 0.0, 0.0]], "float32")
    assert float(loss(np.array([2]), scores)) == pytest.approx(np.log(3))
    assert LOSSES["multilabel"]().kind == "binary"
    assert LOSSES["regression"]().kind == "squared"
