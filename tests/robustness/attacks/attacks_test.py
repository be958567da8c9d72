"""Attacks against closed forms, their limits, and AutoAttack's reference."""

import functools
import pathlib

import keras
import numpy as np
import pytest
from keras import ops

from benchmarks import robustness_models
from reprogram.robustness import L1
from reprogram.robustness import L2
from reprogram.robustness import Linf
from reprogram.robustness import auto_attack
from reprogram.robustness import sweep
from reprogram.robustness import threats
from reprogram.robustness.attacks import ATTACKS
from reprogram.robustness.attacks import get
from reprogram.robustness.attacks.square import share_at
from reprogram.robustness.attacks.tools.hyperplane import reach

WIDE = (-50.0, 50.0)
RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(6, 2)).astype("float32")
X = RNG.uniform(0.2, 0.8, (12, 6)).astype("float32")
Y = (X @ WEIGHTS).argmax(axis=1).astype("int32")
BALLS = {"Linf": Linf, "L2": L2, "L1": L1}
SHORT = {"pgd": {"steps": 30}, "square": {"queries": 200}}
CASE = pathlib.Path(__file__).parents[4] / "shared/data/robustness"


def linear(x):
    return ops.matmul(x, WEIGHTS)


def exact(norm):
    """Distance of each sample to the boundary: margin over dual norm."""
    scores = X @ WEIGHTS
    margin = np.abs(scores[:, 0] - scores[:, 1])
    slope = (WEIGHTS[:, 0] - WEIGHTS[:, 1])[None]
    return margin / float(threats.dual(BALLS[norm](0.1))(slope)[0])


def attack(name, threat, model=linear, x=X, y=Y, **options):
    options = {**SHORT.get(name, {}), **options}
    return get(name)(model, x, y, threat, **options)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("name", ["fgsm", "pgd", "apgd"])
def test_linear_models_fall_exactly_at_their_distance(name, norm):
    distance = exact(norm)
    epsilon = float(np.median(distance)) * 1.02
    found = attack(name, BALLS[norm](epsilon, WIDE))
    near, far = distance < 0.97 * epsilon, distance > 1.001 * epsilon
    assert near.any() and far.any()
    assert found.success[near].all() and not found.success[far].any()


@pytest.mark.parametrize("name", ["deepfool", "carlini_wagner", "fab"])
def test_shortest_moves_of_a_linear_model(name):
    found = attack(name, L2(20.0, WIDE))
    assert found.success.all()
    moved = np.linalg.norm(found.adversarial - X, axis=1)
    np.testing.assert_allclose(found.distance, moved, rtol=1e-4, atol=1e-6)
    assert (moved >= exact("L2") * (1 - 1e-3)).all()
    slack = 1.05 if name == "deepfool" else 1.1
    assert (moved <= exact("L2") * slack + 1e-3).all()


@pytest.mark.parametrize(
    "name", sorted(set(ATTACKS) - {"universal", "spatial", "semantic"})
)
def test_results_are_inside_and_checked(name):
    euclidean = ("deepfool", "carlini_wagner", "boundary")
    norm = L2 if name in euclidean else Linf
    threat = norm(0.15)
    found = attack(name, threat)
    inside = found.success
    assert found.adversarial.min() >= 0 and found.adversarial.max() <= 1
    assert (found.distance[inside] <= 0.15 * 1.0002 + 1e-6).all()
    wrong = np.asarray(linear(found.adversarial)).argmax(axis=1) != Y
    np.testing.assert_array_equal(wrong & inside, inside)
    assert found.robust_accuracy() == 1 - inside.mean()
    assert found.queries.min() >= 1


@pytest.mark.parametrize("name", ["pgd", "apgd", "square", "fab"])
def test_seeds_decide(name):
    first, second = (attack(name, Linf(0.1), seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.adversarial, second.adversarial)


@pytest.mark.parametrize("name", ["pgd", "apgd", "square"])
def test_what_is_wrong_before_is_not_attacked(name):
    y = Y.copy()
    y[:3] = 1 - y[:3]
    found = attack(name, Linf(0.01), y=y)
    assert found.success[:3].all() and (found.distance[:3] == 0).all()
    np.testing.assert_array_equal(found.adversarial[:3], X[:3])
    assert (found.queries[:3] <= found.queries[3:].min()).all()


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_moves_to_hyperplanes_with_slopes_of_all_sizes(norm):
    """Against bisection in float64; a difference of sums was off by 1e14."""
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 1, 784) * (rng.random(784) < 0.5)
    slope = rng.normal(size=784) * 10.0 ** rng.uniform(-8, 0, 784)
    slope *= rng.random(784) < 0.7
    room, steep = np.where(slope > 0, 1 - x, x), np.abs(slope)
    power = steep if norm == "L2" else np.sign(steep)
    for share in (0.05, 0.5, 0.95):
        need, ends = share * steep @ room, [0.0, 1e9]
        for _ in range(100):
            middle = np.mean(ends)
            short = steep @ np.minimum(room, middle * power) < need
            ends[0 if short else 1] = middle
        exact = np.sign(slope) * np.minimum(room, ends[1] * power)
        found = reach(BALLS[norm](1.0), x[None], slope[None], np.array([need]))
        np.testing.assert_allclose(found[0], exact, rtol=1e-3, atol=1e-5)


def test_deepfool_crosses_boundaries_that_rounding_blurs():
    def coarse(x):
        z = linear(x)
        return z + ops.stop_gradient(ops.round(z * 2e4) / 2e4 - z)

    threat, options = L2(20.0, WIDE), {"steps": 6, "overshoot": 0.0}
    assert attack("deepfool", threat, model=coarse, **options).success.all()


def test_square_asks_nothing_twice():
    asked = []

    def stubborn(x):
        asked.extend(np.array(x))
        return np.stack([1 + 0 * x.sum(axis=(1, 2, 3)), 0 * x[:, 0, 0, 0]], 1)

    x = np.full((1, 8, 8, 1), 0.5, "float32")
    attack("square", Linf(0.1), stubborn, x, np.zeros(1, int), queries=200)
    # The model never gives in: every question starts from the stripes.
    moved = [np.abs(row - x[0]).max() > 0.09 for row in asked]
    stripes = asked[moved.index(True)]
    later = asked[moved.index(True) + 8 : -8]
    same = [np.array_equal(row, stripes) for row in later]
    assert len(later) > 100 and not any(same)


def test_square_asks_once_an_iteration_and_needs_no_tensors():
    asked = []

    def service(x):
        x = np.asarray(x)
        asked.append(len(x))
        return x @ WEIGHTS

    found = attack("square", Linf(1e-4), model=service, queries=40)
    assert not found.success.any()
    # One answer before, one to check, and one for each query.
    assert (found.queries == 42).all()
    with pytest.raises(ValueError, match="black-box"):
        attack("pgd", Linf(0.1), model=service)


def test_square_schedule_is_that_of_the_paper():
    steps = (0, 11, 51, 201, 501, 1001, 2001, 4001, 6001, 8001)
    shares = [share_at(step, 10_000, 0.8) for step in steps]
    assert shares == [0.8 / 2**k for k in range(10)]
    # Shorter runs stretch it.
    assert share_at(801, 1000, 0.8) == 0.8 / 2**9


def test_square_on_dark_images_stays_finite():
    x = np.zeros((4, 6, 6, 1), "float32")
    found = attack(
        "square",
        Linf(0.1),
        model=lambda v: ops.stack(
            [ops.mean(v, (1, 2, 3)), 0.05 - ops.mean(v, (1, 2, 3))], 1
        ),
        x=x,
        y=np.ones(4, "int32"),
    )
    assert np.isfinite(found.adversarial).all() and found.success.all()


def test_several_radii_fall_monotonically():
    found = sweep(get("pgd"), linear, X, Y, Linf(0.1), (0.02, 0.1, 0.3))
    values = [result.robust_accuracy() for result in found.values()]
    assert sorted(values, reverse=True) == values and values[0] > values[-1]


def test_universal_perturbation_is_one_for_all():
    found = get("universal")(linear, X, Y, Linf(0.3, WIDE))
    moves = (found.adversarial - X)[found.success & (found.distance > 0)]
    np.testing.assert_allclose(
        moves, np.tile(moves[:1], (len(moves), 1)), atol=1e-5
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": X + 5}, "outside the bounds"),
        ({"x": np.where(X > 0.7, np.nan, X)}, "holds NaN"),
        ({"y": np.eye(2)[Y]}, "take the argmax"),
        ({"y": Y[:-1]}, r"\(12,\)"),
        ({"y": Y + 1}, "classes 0 to 1"),
        ({"y": Y - 1}, "start at 0"),
        ({"model": lambda x: x[:, :1]}, "two classes or more"),
        ({"model": lambda x: x[:, :2] * float("nan")}, "returns NaN"),
    ],
)
def test_bad_input_is_told(change, message):
    with pytest.raises(ValueError, match=message):
        attack("pgd", Linf(0.1), **change)


def test_an_epsilon_over_the_whole_range_is_told():
    with pytest.raises(ValueError, match="covers the whole range"):
        attack("pgd", Linf(1.0))
    with pytest.raises(ValueError, match="There is no attack 'magic'"):
        get("magic")
    with pytest.raises(ValueError, match="knows the threats Linf"):
        attack("square", threats.L1(0.1))


def test_one_class_probabilities_and_randomness_are_flagged():
    generator = keras.random.SeedGenerator(0)

    def noisy(x):
        return linear(x) + keras.random.normal((1, 2), 0, 0.1, seed=generator)

    only = Y == 0
    found = attack("pgd", Linf(0.1), x=X[only], y=Y[only])
    assert any("one class" in flag for flag in found.flags)
    soft = attack("pgd", Linf(0.1), model=lambda x: ops.softmax(linear(x)))
    assert any("probabilities" in flag for flag in soft.flags)
    random = attack("pgd", Linf(0.1), model=noisy)
    assert any("differently" in flag for flag in random.flags)


def test_masked_gradients_are_flagged():
    def rounded(x):
        return linear(ops.round(x * 1e3) / 1e3)

    found = auto_attack(rounded, X, Y, Linf(0.2), queries=300)
    assert any("radient" in flag for flag in found.flags)
    assert found.robust_accuracy() < 1


def test_dropout_is_off():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dropout(0.9),
            keras.layers.Dense(2, use_bias=False),
        ]
    )
    model.set_weights([WEIGHTS])
    found = attack("pgd", Linf(1e-6), model=model)
    assert found.robust_accuracy() == 1.0 and not found.flags


def case():
    model, x, y = robustness_models.cnn(CASE.parents[1], "")
    return model, x.astype("float32"), y.astype("int32")


@pytest.mark.skipif(
    not CASE.is_dir(), reason="needs the folder ../shared beside the project"
)
def test_auto_attack_agrees_with_the_official_one(tmp_path):
    """Official: 97.7 % clean, 65.6 % after APGD-CE and APGD-T, and in all."""
    model, x, y = case()
    run = functools.partial(
        auto_attack, model, x, y, Linf(0.1), version="fast", folder=tmp_path
    )
    found = run()
    stages = dict(found.stages)
    assert round(stages["clean"], 3) == 0.977
    assert stages["apgd-ce"] <= 0.688
    assert found.robust_accuracy() <= 0.664
    again = run()  # reads what was kept
    np.testing.assert_array_equal(found.adversarial, again.adversarial)
    wrong = model.predict(found.adversarial, verbose=0).argmax(1) != y
    assert wrong.mean() == 1 - found.robust_accuracy()
