"""CLEVER: an estimate of the distance to the nearest adversarial input.

The largest gradient of a margin near an input bounds how fast it can fall.
Extreme value theory extrapolates it from samples. It is an estimate: nothing
is certified by it.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.gradients import value_and_grad
from reprogram.robustness.certification.counting import Draws
from reprogram.robustness.checks import checked
from reprogram.robustness.checks import white_box
from reprogram.robustness.models import graph
from reprogram.robustness.models import logits
from reprogram.robustness.threats import dual

LARGEST = 256  # points in one call; more fall out of the caches
FEWEST = 100  # below it the fit has outliers
SHAPES = np.geomspace(0.5, 50.0, 60)


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A CLEVER score of each sample; an estimate, not a certificate.

    Args:
        scores: Estimated smallest distance `(n,)`, at most the radius.
        low: Lower end of the 95 % interval from bootstrap fits `(n,)`.
        high: Upper end of that interval `(n,)`.
        p_values: P-values of the Kolmogorov-Smirnov test of the fit `(n,)`;
            where one is below 0.001 the largest sample was taken instead.
        targets: Class ids with the smallest score `(n,)`.
    """

    scores: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p_values: np.ndarray
    targets: np.ndarray


def clever(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    batches: int = 500,
    samples: int = 1024,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> Estimate:
    """Estimates how far each input is from the nearest other class.

    One pool of points is drawn in the ball around an input, and the gradients
    of all margins are computed at each.

    Args:
        model: Function from inputs `(n, ...)` to scores `(n, classes)`.
        x: Inputs inside the threat's bounds, `(n, ...)`.
        y: Class ids `(n,)`, usually the predicted ones.
        threat: `Linf`, `L2` or `L1`; points are drawn in its ball.
        batches: Number of maxima that the distribution is fitted to, at least
            100.
        samples: Number of points for each maximum.
        seed: Random seed of the points.
        tell: Function that is called with a line of progress.

    Returns:
        The estimates; 0 where the model is wrong already.

    Raises:
        ValueError: If the inputs do not fit, the model has no gradients or
            `batches` are too few.

    Reference: Weng et al., Evaluating the Robustness of Neural Networks: An
    Extreme Value Theory Approach, 2018.
    """
    x, y, facts = prepared("clever", model, x, y, threat, (batches, samples))
    groups = max(1, min(LARGEST // samples, batches))
    steepest = _steepest(model, facts, threat, (groups, samples))
    scores = graph(model, ("clever", facts.answers), logits(model, facts))
    found = []
    for row in range(len(x)):
        z = ops.convert_to_numpy(scores(x[row : row + 1]))[0]
        maxima = _maxima(
            steepest, x[row], y[row], threat, (batches, groups), seed + row
        )
        margins = z[y[row]] - z
        found.append(_score(margins, maxima, int(y[row]), threat, seed))
        if tell is not None:
            tell(f"{row + 1} of {len(x)}: {found[-1][0]:.4f}")
    columns = [np.array(column) for column in zip(*found)]
    return Estimate(*columns)


def _steepest(
    model: Callable, facts: Any, threat: Any, sizes: tuple[int, int]
) -> Callable:
    """Compiles the steepest of each margin in groups of random points.

    Points are drawn in the graph; of them only the largest dual norms leave
    it, `(groups, classes)`.
    """
    scores, length = logits(model, facts), dual(threat)
    groups, samples = sizes

    def margin(x: Any, y: Any, other: Any) -> Any:
        z = scores(x)
        own = ops.take(z, y, axis=1)
        return ops.sum(own - ops.take(z, other, axis=1))

    slope = value_and_grad(margin)

    def steepest(x: Any, y: Any, radius: Any, seed: Any) -> Any:
        copies = ops.repeat(x, groups * samples, axis=0)
        points = threat.at(radius).sample(copies, Draws(seed))
        # The column of the class itself stays zero: no gradient is spent on it.
        columns = [ops.zeros((groups,), "float32")]
        for step in range(1, facts.classes):
            other = ops.mod(y + step, facts.classes)
            found = length(slope(points, y, other)[1])
            columns.append(ops.max(ops.reshape(found, sizes), axis=1))
        places = ops.mod(ops.arange(facts.classes) - y, facts.classes)
        return ops.take(ops.stack(columns, axis=1), places, axis=1)

    key = ("clever", threat.key(), facts.answers, sizes)
    return graph(model, key, steepest)


def _maxima(
    steepest: Callable,
    x: np.ndarray,
    y: int,
    threat: Any,
    sizes: tuple[int, int],
    seed: int,
) -> np.ndarray:
    """Returns the steepest of each margin, `(batches, classes)`."""
    batches, together = sizes
    rng, maxima = np.random.default_rng(seed), []
    for first in range(0, batches, together):
        draw = rng.integers(0, 2**31 - 1, 2).astype("uint32")
        radius = np.float32(threat.epsilon)
        found = steepest(x[None], np.int32(y), radius, draw)
        # Always as many, so that there is one graph; what is too many is cut.
        maxima.extend(ops.convert_to_numpy(found)[: batches - first])
    return np.array(maxima, "float64")


def _score(
    margins: np.ndarray, maxima: np.ndarray, y: int, threat: Any, seed: int
) -> tuple[float, ...]:
    rng = np.random.default_rng(seed)
    others = [k for k in range(len(margins)) if k != y]
    fits = {k: location(maxima[:, k]) for k in others}

    def score(k: int, limit: float) -> float:
        return float(np.clip(margins[k] / max(limit, 1e-12), 0, threat.epsilon))

    nearest = min(others, key=lambda k: score(k, fits[k][0]))
    values = [
        score(nearest, value)
        for value in (fits[nearest][0], *bootstrapped(maxima[:, nearest], rng))
    ]
    return (*values, fits[nearest][1], nearest)


def prepared(
    name: str,
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    sizes: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray, Any]:
    """Checks inputs, and the numbers of maxima and of points of each."""
    batches, samples = sizes
    if batches < FEWEST or samples < 1:
        raise ValueError(
            f"The fit needs at least {FEWEST} batches. Received:"
            f" batches={batches}, samples={samples}."
        )
    x, y, facts = checked(model, x, y, threat)
    white_box(facts, name)
    return x, y, facts


def bootstrapped(maxima: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns the upper and the lower end of the largest possible value."""
    draws = [location(rng.choice(maxima, len(maxima)))[0] for _ in range(20)]
    return np.quantile(draws, [0.975, 0.025])


def location(maxima: np.ndarray) -> tuple[float, float]:
    """Estimates the largest possible value from maxima of samples.

    Fits a reverse Weibull distribution: its shape by profile likelihood on a
    grid, with a weak preference for small shapes, as the likelihood of the
    end point alone has its supremum at the largest sample.

    Args:
        maxima: Values `(batches,)`.

    Returns:
        The end point, and the p-value of a Kolmogorov-Smirnov test; where
        that is below 0.001, the largest value.

    Example:
    >>> rng = np.random.default_rng(0)
    >>> bool(abs(location(10 - rng.weibull(3, 500))[0] - 10) < 0.2)
    True
    """
    from scipy import stats

    largest, spread = maxima.max(), np.ptp(maxima)
    if spread <= 1e-6 * max(abs(largest), 1e-12):
        return float(largest), 1.0
    gaps = spread * np.geomspace(1e-3, 3.0, 40)
    best = (-np.inf, largest, 1.0, 1.0)
    for gap in gaps:
        distance = largest + gap - maxima
        logs = np.log(distance)
        powers = distance[None] ** SHAPES[:, None]
        scales = powers.mean(axis=1)
        likelihood = (
            np.log(SHAPES)
            - np.log(scales)
            + (SHAPES - 1) * logs.mean()
            - 1.0
            - 0.01 * SHAPES / 10
        )
        k = int(likelihood.argmax())
        if likelihood[k] > best[0]:
            shape = SHAPES[k]
            best = (
                likelihood[k],
                largest + gap,
                shape,
                scales[k] ** (1 / shape),
            )
    _, end, shape, scale = best
    fitted = stats.weibull_min(shape, scale=scale)
    p_value = float(stats.kstest(end - maxima, fitted.cdf).pvalue)
    return float(end if p_value >= 1e-3 else largest), p_value
