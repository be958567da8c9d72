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
from reprogram.robustness import threats
from reprogram.robustness.checks import checked
from reprogram.robustness.checks import white_box
from reprogram.robustness.scoring import graph
from reprogram.robustness.scoring import logits

LARGEST = 1024  # points in one call
FEWEST = 100  # below it the fit has outliers
SHAPES = np.geomspace(0.5, 50.0, 60)


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A CLEVER score of each sample; an estimate, not a certificate.

    Args:
        scores: Estimated smallest distance `(n,)`, at most the radius.
        low: Lower end of the 95 % interval from bootstrap fits `(n,)`.
        high: Upper end `(n,)`.
        p_values: Of the Kolmogorov-Smirnov test of the fit `(n,)`; where it
            is below 0.001 the largest sample was taken instead.
        targets: The class of the smallest score `(n,)`.
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
        model: Takes `(n, ...)`, returns scores `(n, classes)`.
        x: Inputs inside the threat's bounds, `(n, ...)`.
        y: Class ids `(n,)`, usually those the model gives.
        threat: `Linf`, `L2` or `L1`; its radius is where points are drawn.
        batches: Maxima that the distribution is fitted to, at least 100.
        samples: Points of which each is the maximum.
        seed: Of the points.
        tell: Receives progress.

    Returns:
        The estimates; 0 where the model is wrong already.

    Raises:
        ValueError: If the inputs do not fit, the model has no gradients or
            `batches` are too few.

    Reference: Weng et al., Evaluating the Robustness of Neural Networks: An
    Extreme Value Theory Approach, 2018.
    """
    if batches < FEWEST or samples < 1:
        raise ValueError(
            f"The fit needs at least {FEWEST} batches. Received:"
            f" batches={batches}, samples={samples}."
        )
    x, y, facts = checked(model, x, y, threat)
    white_box(facts, "clever")
    norms = _norms(model, facts, threat)
    found = []
    for row in range(len(x)):
        margins, maxima = _maxima(
            norms, x[row], y[row], threat, (batches, samples), seed + row
        )
        found.append(_score(margins, maxima, int(y[row]), threat, seed))
        if tell is not None:
            tell(f"{row + 1} of {len(x)}: {found[-1][0]:.4f}")
    columns = [np.array(column) for column in zip(*found)]
    return Estimate(*columns)


def _norms(model: Callable, facts: Any, threat: Any) -> Callable:
    """Compiles margins and dual norms of their gradients `(n, classes)`."""
    scores, length = logits(model, facts), threats.dual(threat)

    def margin(x: Any, y: Any, other: Any) -> Any:
        z = scores(x)
        own = ops.take(z, y, axis=1)
        return ops.sum(own - ops.take(z, other, axis=1))

    slope = value_and_grad(margin)

    def every(x: Any, y: Any) -> tuple[Any, Any]:
        z = scores(x)
        margins = ops.take(z, y, axis=1)[:, None] - z
        # The column of the class itself stays zero: no gradient is spent on it.
        columns = [ops.zeros_like(margins[:, 0])]
        for step in range(1, facts.classes):
            other = ops.mod(y + step, facts.classes)
            columns.append(length(slope(x, y, other)[1]))
        places = ops.mod(ops.arange(facts.classes) - y, facts.classes)
        return margins, ops.take(ops.stack(columns, axis=1), places, axis=1)

    key = ("clever", threat.key(), facts.answers)
    return graph(model, key, every)


def _maxima(
    norms: Callable,
    x: np.ndarray,
    y: int,
    threat: Any,
    sizes: tuple[int, int],
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Margins at the input, and maxima `(batches, classes)` around it."""
    label = np.int32(y)
    margins = ops.convert_to_numpy(norms(x[None], label)[0])[0]
    batches, samples = sizes
    together = max(1, LARGEST // samples)
    maxima = []
    for first in range(0, batches, together):
        # Always as many, so that there is one graph; what is too many is cut.
        copies = np.repeat(x[None], together * samples, axis=0)
        points = threat.sample(copies, 100_003 * seed + first)
        lengths = ops.convert_to_numpy(norms(points, label)[1])
        found = lengths.reshape(together, samples, -1).max(axis=1)
        maxima.extend(found[: batches - first])
    return margins, np.array(maxima, "float64")


def _score(
    margins: np.ndarray, maxima: np.ndarray, y: int, threat: Any, seed: int
) -> tuple[float, float, float, float, int]:
    rng = np.random.default_rng(seed)
    others = [k for k in range(len(margins)) if k != y]
    fits = {k: location(maxima[:, k]) for k in others}

    def score(k: int, limit: float) -> float:
        return float(np.clip(margins[k] / max(limit, 1e-12), 0, threat.epsilon))

    nearest = min(others, key=lambda k: score(k, fits[k][0]))
    column = maxima[:, nearest]
    draws = [location(rng.choice(column, len(column)))[0] for _ in range(20)]
    limit, p_value = fits[nearest]
    ends = np.quantile(draws, [0.975, 0.025])
    values = [score(nearest, value) for value in (limit, *ends)]
    return (*values, p_value, nearest)


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
