"""Estimates against the gradient of a quadratic, and their counts."""

import numpy as np
import pytest

from reprogram.blackbox import estimators

SIZE = 6
MATRIX = np.diag(np.arange(1.0, SIZE + 1)) + 0.3
CENTER = np.linspace(-1, 1, SIZE)
OPTIONS = {
    "one_sided": {"directions": 4, "radius": 1e-4},
    "two_sided": {"directions": 4, "radius": 0.1},
    "orthogonal": {"directions": 4, "radius": 0.1},
    "spsa": {"repeats": 4, "radius": 0.1},
    "natural_evolution": {"pairs": 4, "deviation": 0.1},
    "guided": {"pairs": 4, "radius": 0.1, "trust": 0.0},
}
POINTS = {"one_sided": 5}


def loss(points):
    return 0.5 * np.einsum("ij,jk,ik->i", points, MATRIX, points)


def draw(estimator, count, seed=0):
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        points = estimator.points(CENTER, rng)
        found.append(estimator.gradient(CENTER, points, loss(points)))
    return np.array(found)


@pytest.mark.parametrize("name", OPTIONS)
def test_estimates_are_unbiased_on_a_quadratic(name):
    found = draw(estimators.get(name, **OPTIONS[name]), 4000)
    error = found.mean(axis=0) - MATRIX @ CENTER
    deviation = found.std(axis=0) / np.sqrt(len(found))
    # Six values: 4.5 deviations are exceeded once in 20,000 tests.
    assert (np.abs(error) < 4.5 * deviation + 1e-2).all()


@pytest.mark.parametrize("name", OPTIONS)
def test_number_of_points(name):
    estimator = estimators.get(name, **OPTIONS[name])
    points = estimator.points(CENTER, np.random.default_rng(0))
    assert points.shape == (POINTS.get(name, 8), SIZE)


def test_orthogonal_directions_have_lower_variance():
    plain = draw(estimators.TwoSided(SIZE, 0.1), 300)
    orthogonal = draw(estimators.Orthogonal(SIZE, 0.1), 300)
    assert orthogonal.var(axis=0).sum() < 0.2 * plain.var(axis=0).sum()
    # With as many directions as values the estimate is the gradient.
    np.testing.assert_allclose(orthogonal[0], MATRIX @ CENTER, atol=1e-6)


def test_more_orthogonal_directions_than_values_start_a_block():
    points = estimators.Orthogonal(8, 1.0).points(
        np.zeros(3), np.random.default_rng(0)
    )
    steps = points[:8]
    np.testing.assert_allclose(steps[:3] @ steps[:3].T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(steps[6:] @ steps[6:].T, np.eye(2), atol=1e-9)


def test_guided_estimates_follow_a_good_surrogate():
    gradient = MATRIX @ CENTER
    plain = estimators.Guided(2, 0.1)
    guided = plain.along(gradient)

    def cosine(found):
        lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(gradient)
        return (found @ gradient / lengths).mean()

    assert cosine(draw(guided, 200)) > cosine(draw(plain, 200)) + 0.1
    assert plain.along(np.zeros(SIZE)).directions is None


def test_clipping_keeps_direction_and_limits_length():
    inner = estimators.Orthogonal(SIZE, 0.1)
    found = draw(estimators.Clipped(inner), 1)[0]
    free = draw(inner, 1)[0]
    assert np.linalg.norm(free) > np.sqrt(SIZE)
    assert np.isclose(np.linalg.norm(found), np.sqrt(SIZE))
    np.testing.assert_allclose(
        found / np.linalg.norm(found), free / np.linalg.norm(free)
    )


def test_ranks_do_not_depend_on_the_scale_of_the_loss():
    estimator = estimators.NaturalEvolution(4, 0.1, ranks=True)
    points = estimator.points(CENTER, np.random.default_rng(0))
    one = estimator.gradient(CENTER, points, loss(points))
    two = estimator.gradient(CENTER, points, 1000 * loss(points) + 5)
    np.testing.assert_array_equal(one, two)


def test_unknown_names_are_told():
    with pytest.raises(ValueError, match="'newton'. Expected one of one_sided"):
        estimators.get("newton")
