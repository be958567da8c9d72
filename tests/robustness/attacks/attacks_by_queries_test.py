"""Attacks that ask, against closed forms, references and their budgets."""

import keras
import numpy as np
import pytest
from keras import ops

from reprogram.robustness import L1
from reprogram.robustness import L2
from reprogram.robustness import Linf
from reprogram.robustness import Semantic
from reprogram.robustness import Spatial
from reprogram.robustness import threats
from reprogram.robustness.attacks import get
from reprogram.robustness.attacks import square_euclidean
from reprogram.robustness.attacks.tools import decisions

WIDE = (-50.0, 50.0)
RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(6, 2)).astype("float32")
X = RNG.uniform(0.2, 0.8, (12, 6)).astype("float32")
Y = (X @ WEIGHTS).argmax(axis=1).astype("int32")
IMAGES = RNG.uniform(0.1, 0.9, (6, 9, 9, 3)).astype("float32")
DECIDE = ("hop_skip_jump", "boundary")
SCORE = ("nes", "simba")


def linear(x):
    return ops.matmul(x, WEIGHTS)


def exact(norm):
    """Distance of each sample to the boundary: margin over dual norm."""
    scores = X @ WEIGHTS
    margin = np.abs(scores[:, 0] - scores[:, 1])
    slope = (WEIGHTS[:, 0] - WEIGHTS[:, 1])[None]
    ball = {"Linf": Linf, "L2": L2}[norm](0.1)
    return margin / float(threats.dual(ball)(slope)[0])


def bright(x):
    """Two classes: the mean is above a half, or it is not."""
    mean = ops.mean(x, (1, 2, 3))
    return ops.stack([0.5 + 0.0 * mean, mean], 1)


@pytest.mark.parametrize(
    ("name", "norm"),
    [("hop_skip_jump", "L2"), ("hop_skip_jump", "Linf"), ("boundary", "L2")],
)
def test_decisions_find_the_nearest_error_of_a_linear_model(name, norm):
    threat = {"Linf": Linf, "L2": L2}[norm](20.0, WIDE)
    found = get(name)(linear, X, Y, threat, queries=1500)
    assert found.success.all()
    ratio = found.distance / exact(norm)
    assert ratio.min() >= 1 - 1e-4 and ratio.max() < 1.05


@pytest.mark.parametrize("name", DECIDE)
def test_decisions_need_no_scores(name):
    def decided(x):
        return ops.one_hot(ops.argmax(linear(x), axis=1), 2)

    soft = get(name)(linear, X, Y, L2(20.0, WIDE), queries=300)
    hard = get(name)(decided, X, Y, L2(20.0, WIDE), queries=300)
    np.testing.assert_array_equal(soft.adversarial, hard.adversarial)


@pytest.mark.parametrize("name", DECIDE)
def test_more_queries_get_nearer(name):
    near, far = (
        np.median(get(name)(linear, X, Y, L2(9.0, WIDE), queries=q).distance)
        for q in (1200, 150)
    )
    assert near < far


@pytest.mark.parametrize("name", DECIDE)
def test_a_start_is_used_and_none_is_no_success(name):
    def never(x):
        first = ops.sum(x, axis=1)
        return ops.stack([1.0 + 0.0 * first, 0.0 * first], 1)

    zeros = np.zeros(12, "int32")
    found = get(name)(never, X, zeros, L2(1.0), queries=300)
    assert not found.success.any() and (found.distance == 0).all()
    assert (found.queries == decisions.TRIES + 2).all()
    start = np.where(Y[:, None] == 0, X[Y == 1][0], X[Y == 0][0])
    warm = get(name)(linear, X, Y, L2(2.0), queries=100, start=start)
    assert warm.success.all()


@pytest.mark.parametrize("name", [*DECIDE, *SCORE])
def test_budgets_hold_and_every_question_is_counted(name):
    asked = []

    def service(x):
        x = np.asarray(x)
        asked.append(len(x))
        return x @ WEIGHTS

    threat = L2(1e-4) if name in DECIDE else Linf(1e-4)
    found = get(name)(service, X[:8], Y[:8], threat, queries=300)
    # One answer before and one to check come on top.
    assert found.queries.max() <= 302 and found.queries.min() > 150
    # Eight samples fill a batch: none is asked in vain, but for `inspect`.
    spent = sum(asked) - found.queries.sum()
    assert 0 <= spent <= 0.1 * sum(asked)


@pytest.mark.parametrize("name", [*DECIDE, *SCORE])
def test_seeds_decide_and_wrong_ones_are_left_alone(name):
    y = Y.copy()
    y[:3] = 1 - y[:3]
    first, second = (
        get(name)(linear, X, y, L2(0.1), queries=200, seed=3) for _ in range(2)
    )
    np.testing.assert_array_equal(first.adversarial, second.adversarial)
    np.testing.assert_array_equal(first.adversarial[:3], X[:3])
    assert first.success[:3].all() and (first.queries[:3] == 2).sum() == 0


@pytest.mark.parametrize("name", [*SCORE, "square"])
@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_scores_lead_to_the_errors_of_a_linear_model(name, norm):
    distance = exact(norm)
    epsilon = float(np.median(distance)) * 1.3
    threat = {"Linf": Linf, "L2": L2}[norm](epsilon, WIDE)
    options = {"size": epsilon / 8} if norm == "L2" and name == "simba" else {}
    found = get(name)(linear, X, Y, threat, queries=1500, **options)
    near, far = distance < 0.5 * epsilon, distance > 1.001 * epsilon
    assert near.any() and far.any()
    assert found.success[near].all() and not found.success[far].any()


@pytest.mark.parametrize("shape", [(9, 9, 3), (20, 2), (6,)])
def test_square_in_l2_spends_the_whole_radius(shape):
    x = RNG.uniform(0.3, 0.7, (8, *shape)).astype("float32")

    def service(x):
        x = np.asarray(x).reshape(len(x), -1)
        return np.stack([np.full(len(x), 99.0), x[:, 0]], 1)

    found = get("square")(service, x, np.zeros(8, int), L2(0.2), queries=40)
    np.testing.assert_allclose(found.distance, 0.2, rtol=1e-3)
    assert (found.queries == 42).all() and not found.success.any()


def test_bumps_of_square_are_a_hill_and_a_valley():
    found = square_euclidean.bumps_down(7, 5)
    np.testing.assert_allclose(np.linalg.norm(found), 1.0)
    assert (found[:3] >= 0).all() and (found[3:] <= 0).all()
    assert found[:3].argmax() == 1 * 5 + 2 and found[3:].argmin() == 2 * 5 + 2
    # One, a quarter, a ninth: frames around the middle add up.
    ring = found[1, 1] / found[1, 2]
    np.testing.assert_allclose(ring, (1 / 4 + 1 / 9) / (1 + 1 / 4 + 1 / 9))


def test_nes_takes_any_threat_and_simba_frequencies():
    found = get("nes")(linear, X, Y, L1(2.0, WIDE), queries=800)
    assert found.success.any() and (found.distance <= 2.0002).all()
    y = np.asarray(bright(IMAGES)).argmax(1).astype("int32")
    found = get("simba")(bright, IMAGES, y, L2(2.0), basis="dct", queries=400)
    assert found.success.any()
    with pytest.raises(ValueError, match="Frequencies belong to images"):
        get("simba")(linear, X, Y, L2(1.0), basis="dct")


def test_keras_models_and_dropout():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((9, 9, 3)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(3),
        ]
    )
    y = model.predict(IMAGES, verbose=0).argmax(1)
    for name, threat, options in (
        ("hop_skip_jump", L2(5.0), {"queries": 500}),
        ("nes", Linf(0.3), {"queries": 500}),
        ("spatial", Spatial(), {"grid": (5, 3, 3)}),
        ("semantic", Semantic(), {"queries": 20}),
    ):
        found = get(name)(model, IMAGES, y, threat, **options)
        wrong = model.predict(found.adversarial, verbose=0).argmax(1) != y
        assert (wrong | ~found.success).all()


def test_nan_is_told_in_the_middle_of_an_attack():
    def model(x):
        return linear(x) + ops.where(x[:, :1] > 1.5, float("nan"), 0.0)

    for name, options in (("nes", {"deviation": 0.1}), ("simba", {})):
        with pytest.raises(ValueError, match="returns NaN"):
            get(name)(model, X, Y, Linf(3.0, WIDE), **options)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("hop_skip_jump", {"threat": L1(0.1)}, "threats L2 and Linf"),
        ("boundary", {"threat": Linf(0.1)}, "threats L2 and needs 100"),
        ("boundary", {"queries": 20}, "queries=20"),
        ("nes", {"probes": 1}, "two probes"),
        ("simba", {"basis": "wavelet"}, "values and dct"),
        ("spatial", {}, "images .* Received shape"),
        ("semantic", {}, "images .* Received shape"),
    ],
)
def test_what_does_not_fit_is_told(name, change, message):
    threat = change.pop("threat", L2(0.1))
    with pytest.raises(ValueError, match=message):
        get(name)(linear, X, Y, threat, **change)
