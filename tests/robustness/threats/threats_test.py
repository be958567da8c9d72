"""Projections, steps and draws of every threat."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from reprogram import robustness
from reprogram.robustness import L0
from reprogram.robustness import L1
from reprogram.robustness import L2
from reprogram.robustness import Linf
from reprogram.robustness import Restricted
from reprogram.robustness import threats

few = settings(max_examples=20, deadline=None, derandomize=True)
BALLS = {"Linf": Linf(0.2), "L2": L2(0.7), "L1": L1(1.1), "L0": L0(2)}


def drawn(seed, shape=(4, 6)):
    rng = np.random.default_rng(seed)
    origin = rng.uniform(0, 1, shape).astype("float32")
    return origin, (origin + rng.normal(size=shape)).astype("float32")


@few
@given(st.sampled_from(sorted(BALLS)), st.integers(0, 1000))
def test_projections_lie_in_ball_and_bounds_and_stay(name, seed):
    threat = BALLS[name]
    origin, x = drawn(seed)
    found = ops.convert_to_numpy(threat.project(x, origin))
    length = ops.convert_to_numpy(threat.norm(found - origin))
    assert (length <= threat.epsilon * (1 + 1e-4) + 1e-6).all()
    assert found.min() >= 0 and found.max() <= 1
    again = ops.convert_to_numpy(threat.project(found, origin))
    np.testing.assert_allclose(again, found, atol=1e-5)


@few
@given(st.sampled_from(sorted(BALLS)), st.integers(0, 1000))
def test_draws_lie_in_ball_and_bounds(name, seed):
    threat = BALLS[name]
    origin, _ = drawn(seed)
    found = ops.convert_to_numpy(threat.sample(origin, seed))
    length = ops.convert_to_numpy(threat.norm(found - origin))
    assert (length <= threat.epsilon * (1 + 1e-4) + 1e-6).all()
    assert found.min() >= 0 and found.max() <= 1
    assert (found != origin).any()


@few
@given(st.integers(0, 1000), st.floats(0.1, 3.0))
def test_the_projection_on_l1_is_the_nearest_point(seed, radius):
    """Against bisection on the threshold, in float64."""
    origin, x = drawn(seed, (1, 8))
    found = ops.convert_to_numpy(L1(radius).project(x, origin))[0]
    delta = (x - origin)[0].astype("float64")
    room = np.where(delta > 0, 1 - origin[0], origin[0])
    low, high = 0.0, np.abs(delta).max()
    for _ in range(60):
        cut = (low + high) / 2
        size = np.clip(np.abs(delta) - cut, 0, room).sum()
        low, high = (cut, high) if size > radius else (low, cut)
    free = np.minimum(np.abs(delta), room).sum() <= radius
    cut = 0.0 if free else high
    size = np.clip(np.abs(delta) - cut, 0, room)
    wanted = origin[0] + np.sign(delta) * size
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("name", ["Linf", "L2", "L1"])
def test_dual_norms_bound_linear_scores(name):
    rng = np.random.default_rng(0)
    threat, gradient = BALLS[name], rng.normal(size=(1, 6))
    speed = float(threats.dual(threat)(gradient)[0])
    moves = rng.normal(size=(2000, 6)).astype("float32")
    moves /= ops.convert_to_numpy(threat.norm(moves))[:, None]
    gains = moves @ gradient[0]
    assert gains.max() <= speed * (1 + 1e-5)
    order = {"Linf": 1, "L2": 2, "L1": np.inf}[name]
    assert np.isclose(speed, np.linalg.norm(gradient[0], order), rtol=1e-5)


@pytest.mark.parametrize("name", ["Linf", "L2"])
def test_steps_gain_most_for_their_length(name):
    threat = BALLS[name]
    gradient = np.random.default_rng(0).normal(size=(1, 6)).astype("float32")
    x = np.full((1, 6), 0.5, "float32")
    move = ops.convert_to_numpy(threat.step(x, gradient, 0.1)) - x
    gain = float((move * gradient).sum())
    assert np.isclose(gain, 0.1 * float(threats.dual(threat)(gradient)[0]))


def test_masked_values_stay():
    mask = np.array([1, 1, 0, 0, 1, 0], bool)
    threat = Restricted(Linf(0.3), mask)
    origin, x = drawn(0)
    for found in (threat.project(x, origin), threat.sample(origin, 0)):
        found = ops.convert_to_numpy(found)
        np.testing.assert_array_equal(found[:, ~mask], origin[:, ~mask])
        assert (found[:, mask] != origin[:, mask]).any()


def test_no_epsilon_no_bounds():
    with pytest.raises(ValueError, match="Received: -1"):
        Linf(-1)
    with pytest.raises(ValueError, match="lowest, highest"):
        L2(1.0, (1.0, 0.0))
    with pytest.raises(ValueError, match="L0 has no dual"):
        threats.dual(L0(1))


def test_the_old_name_of_restricted_threats_still_works():
    with pytest.warns(DeprecationWarning, match="now called Restricted"):
        assert robustness.Masked is Restricted
