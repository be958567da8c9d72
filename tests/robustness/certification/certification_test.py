"""Certificates against closed forms; CLEVER on linear models; fits."""

import numpy as np
import pytest
from keras import ops
from scipy import stats

from reprogram.robustness import L2
from reprogram.robustness import Linf
from reprogram.robustness import certification
from reprogram.robustness import threats
from reprogram.robustness.attacks import get
from reprogram.robustness.certification import counting
from reprogram.robustness.certification import smoothing
from reprogram.robustness.certification.clever import location

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(5, 3)).astype("float32")
X = RNG.uniform(0.2, 0.8, (6, 5)).astype("float32")
Y = (X @ WEIGHTS).argmax(axis=1).astype("int32")


def linear(x):
    return ops.matmul(x, WEIGHTS)


def plane(x):
    """Two classes: the side of a plane."""
    score = ops.sum(x, axis=1, keepdims=True) - 2.5
    return ops.concatenate([score, -score], axis=1)


def distance():
    return np.abs(X.sum(axis=1) - 2.5) / np.sqrt(5)


def test_a_smoothed_plane_meets_its_exact_radius():
    deviation = 0.3
    found = certification.certify(plane, X, deviation, votes=20_000)
    # The vote of a half space is the normal distribution of its distance.
    exact = stats.norm.cdf(distance() / deviation)
    share = found.counts.max(axis=1) / 20_000
    assert (np.abs(share - exact) < 5 * np.sqrt(0.25 / 20_000)).all()
    assert (found.radii <= distance() + 1e-9).all()
    clear = (exact > 0.6) & (exact < 0.99)
    assert clear.any()
    assert (found.radii[clear] > 0.85 * distance()[clear]).all()
    sides = (X.sum(axis=1) < 2.5).astype(int)
    sure = found.classes != smoothing.ABSTAIN
    np.testing.assert_array_equal(found.classes[sure], sides[sure])


@pytest.mark.parametrize(
    ("count", "votes", "radius"),
    [(100_000, 100_000, 3.81), (99_000, 100_000, 2.29), (50_100, 100_000, 0.0)],
)
def test_radii_follow_from_counts(count, votes, radius):
    lower = smoothing.lower_bound(count, votes, 0.001)
    assert np.isclose(smoothing.certified_radius(lower, 1.0), radius, atol=6e-3)
    # The bound is right as often as it says.
    assert stats.binom.sf(count - 1, votes, lower) <= 0.001 * (1 + 1e-6)


def test_no_votes_no_radius_and_abstention():
    assert smoothing.lower_bound(0, 100, 0.001) == 0.0
    middle = np.full((1, 5), 0.5, "float32")
    found = certification.certify(plane, middle, 0.3, votes=2000)
    assert found.classes.tolist() == [smoothing.ABSTAIN]
    assert certification.predict(plane, middle, 0.3).tolist() == [-1]
    assert found.certified_accuracy([0], 0.0) == 0.0


def test_votes_do_not_depend_on_batches_beyond_the_noise():
    one = counting.Votes(plane, X, 0.3, 64)([0], 1000, [0])
    two = counting.Votes(plane, X, 0.3, 1000)([0], 1000, [0])
    assert one.sum() == two.sum() == 1000
    assert abs(one[0, 0] - two[0, 0]) < 5 * np.sqrt(1000 * 0.25 * 2)
    np.testing.assert_array_equal(
        one, counting.Votes(plane, X, 0.3, 64)([0], 1000, [0])
    )


def test_inputs_that_share_their_noise_get_their_own_votes():
    """Each share of votes is that of the input alone, up to its deviation."""
    found = counting.Votes(plane, X, 0.3, 600)([1, 4], 20_000, [3])
    shares = found[:, 0] / 20_000
    distance = (X[[1, 4]].sum(axis=1) - 2.5) / np.sqrt(5) / 0.3
    expected = stats.norm.cdf(distance)
    assert (abs(shares - expected) < 5 * np.sqrt(0.25 / 20_000)).all()


def test_no_attack_succeeds_inside_the_certified_radius():
    x = RNG.uniform(0.2, 0.8, (25, 5)).astype("float32")
    found = certification.certify(plane, x, 0.2, votes=2000)
    sure = found.classes >= 0
    errors = 0
    for row in np.flatnonzero(sure):
        radius = float(found.radii[row]) * 0.999
        wide = L2(radius, (-5.0, 5.0))
        attacked = get("pgd")(
            plane, x[row : row + 1], found.classes[row : row + 1], wide, 10
        )
        # The smoothed plane is the plane itself.
        errors += int(attacked.success[0] and attacked.distance[0] > 0)
    assert stats.binom.sf(errors - 1, sure.sum(), 0.001) > 1e-3


def test_certificates_refuse_nonsense():
    with pytest.raises(ValueError, match="alpha=0"):
        certification.certify(plane, X, 0.3, alpha=0)
    with pytest.raises(ValueError, match="positive deviation"):
        certification.certify(plane, X, -1.0)


@pytest.mark.parametrize("norm", [Linf, L2])
def test_clever_of_a_linear_model_is_margin_over_dual_norm(norm):
    threat = norm(3.0, (-10.0, 10.0))
    found = certification.clever(linear, X, Y, threat, 100, 4)
    scores = X @ WEIGHTS
    for row in range(len(X)):
        values = [
            (scores[row, Y[row]] - scores[row, k])
            / float(
                threats.dual(threat)(
                    (WEIGHTS[:, Y[row]] - WEIGHTS[:, k])[None]
                )[0]
            )
            for k in range(3)
            if k != Y[row]
        ]
        assert np.isclose(found.scores[row], min(min(values), 3.0), rtol=1e-3)
        assert np.isclose(found.low[row], found.high[row], rtol=1e-5)


def test_clever_is_zero_where_the_model_errs():
    wrong = (Y + 1) % 3
    found = certification.clever(linear, X, wrong, Linf(0.5), 100, 4)
    assert (found.scores == 0).all()


@pytest.mark.parametrize("shape", [2.0, 3.0, 5.0])
def test_fit_beats_the_largest_sample(shape):
    """The true end is 10; a bare fit would return the largest sample."""
    ours, bare = [], []
    for seed in range(20):
        draw = 10 - np.random.default_rng(seed).weibull(shape, 500)
        ours.append(location(draw)[0] - 10)
        bare.append(draw.max() - 10)
    assert abs(np.mean(ours)) < 0.8 * abs(np.mean(bare))


def test_clever_needs_enough_batches_and_gradients():
    with pytest.raises(ValueError, match="at least 100"):
        certification.clever(linear, X, Y, Linf(0.1), batches=50)
    with pytest.raises(ValueError, match="needs gradients"):
        certification.clever(lambda x: np.asarray(x) @ WEIGHTS, X, Y, Linf(0.1))


def test_curvature_of_a_quadratic_model_is_exact():
    """The Hessian is constant, so the score has a closed form."""
    rng = np.random.default_rng(3)
    half = rng.normal(size=(4, 4))
    hessian = ((half + half.T) / 2).astype("float32")

    def bowl(x):
        value = ops.sum(x * ops.matmul(x, hessian), axis=1, keepdims=True) / 2
        return ops.concatenate([value + 1.0, 0 * value], axis=1)

    x = rng.uniform(-0.3, 0.3, (5, 4)).astype("float32")
    margins = np.einsum("ni,ij,nj->n", x, hessian, x) / 2 + 1
    lengths = np.linalg.norm(x @ hessian, axis=1)
    largest = abs(np.linalg.eigvalsh(hessian)).max()
    expected = (np.sqrt(lengths**2 + 2 * largest * margins) - lengths) / largest
    found = certification.clever_second_order(
        bowl, x, np.zeros(5, "int32"), L2(5.0, (-9, 9)), iterations=40
    )
    np.testing.assert_allclose(found.scores, expected, rtol=0.01)
    with pytest.raises(ValueError, match="distances in L2. Received: Linf"):
        certification.clever_second_order(bowl, x, [0] * 5, Linf(0.1, (-9, 9)))


def test_curvature_of_a_linear_model_is_none():
    found = certification.clever_second_order(linear, X, Y, L2(2.0))
    first = certification.clever(linear, X, Y, L2(2.0), batches=100, samples=2)
    np.testing.assert_allclose(found.scores, first.scores, rtol=1e-3)
