"""CLEVER of second order: the slope at the input and the curvature around it.

For a twice differentiable model. It is an estimate: nothing is certified.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from reprogram.gradients import value_and_grad
from reprogram.robustness.certification.clever import Estimate
from reprogram.robustness.certification.clever import bootstrapped
from reprogram.robustness.certification.clever import location
from reprogram.robustness.certification.clever import prepared
from reprogram.robustness.models import graph
from reprogram.robustness.models import logits
from reprogram.robustness.threats.balls import wide


def clever_second_order(
    model: Callable,
    x: np.ndarray,
    y: np.ndarray,
    threat: Any,
    batches: int = 100,
    samples: int = 32,
    iterations: int = 8,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> Estimate:
    """Estimates how far each input is from the nearest other class.

    A margin `g` falls at most by the length of its gradient at the input times
    the distance plus half the largest curvature `m` around times its square;
    the root of that is the score, `(sqrt(|grad|^2 + 2 m g) - |grad|) / m`. The
    curvature is the spectral norm of the Hessian at points drawn in the ball,
    by power iteration, extrapolated as in `clever`.

    Args:
        model: Function from inputs `(n, ...)` to scores `(n, classes)`.
        x: Inputs inside the threat's bounds, `(n, ...)`.
        y: Class ids `(n,)`, usually the predicted ones.
        threat: `L2`; points are drawn in its ball.
        batches: Number of maxima that the distribution is fitted to, at least
            100.
        samples: Number of points for each maximum.
        iterations: Number of steps of the power method, one Hessian product
            each.
        seed: Random seed of the points and first directions.
        tell: Function that is called with a line of progress.

    Returns:
        The estimates. Where the curvature is zero, as in a network of ReLUs,
        they are those of a linear model and too high: use `clever` there.

    Raises:
        ValueError: If the inputs do not fit, the threat is not `L2`, the
            model has no gradients or `batches` are too few.

    Example:
    >>> from reprogram.robustness import L2
    >>> def model(x):
    ...     return ops.concatenate([x**2, 0 * x], axis=1)
    >>> x = np.array([[1.0]], "float32")
    >>> found = clever_second_order(model, x, np.array([0]), L2(2.0, (-3, 3)))
    >>> round(float(found.scores[0]), 3)
    0.414

    Reference: Weng et al., On Extensions of CLEVER: A Neural Network
    Robustness Evaluation Algorithm, 2018.
    """
    if threat.name != "L2":
        raise ValueError(
            "The score of second order is of distances in L2. Received:"
            f" {threat.name}. Use `clever` for other norms."
        )
    sizes = batches, samples
    x, y, facts = prepared("clever_second_order", model, x, y, threat, sizes)
    slope, curve = _functions(model, facts, iterations)
    rng = np.random.default_rng(seed)
    found = []
    for row in range(len(x)):
        best: tuple[float, ...] = (np.inf,)
        copies = np.repeat(x[row][None], batches * samples, axis=0)
        points = threat.sample(copies, 100_003 * seed + row)
        first = rng.normal(size=copies.shape).astype("float32")
        for other in range(facts.classes):
            if other == y[row]:
                continue
            pair = np.int32(y[row]), np.int32(other)
            margin, length = slope(x[row][None], *pair)
            norms = ops.convert_to_numpy(curve(points, first, *pair))
            maxima = norms.reshape(batches, samples).max(axis=1)
            maxima = maxima.astype("float64")
            score = _score(
                *(float(margin[0]), float(length[0]), maxima, other),
                *(threat.epsilon, rng),
            )
            best = min(best, score, key=lambda one: one[0])
        found.append(best)
        if tell is not None:
            tell(f"{row + 1} of {len(x)}: {best[0]:.4f}")
    return Estimate(*(np.array(column) for column in zip(*found)))


def _functions(
    model: Callable, facts: Any, iterations: int
) -> tuple[Callable, Callable]:
    """Compiles margins with lengths of gradients, and norms of Hessians."""
    scores = logits(model, facts)

    def margin(x: Any, y: Any, other: Any) -> Any:
        z = scores(x)
        return ops.take(z, y, axis=1) - ops.take(z, other, axis=1)

    def total(x: Any, y: Any, other: Any) -> Any:
        return ops.sum(margin(x, y, other))

    gradient = value_and_grad(total)

    def along(x: Any, direction: Any, y: Any, other: Any) -> Any:
        return ops.sum(gradient(x, y, other)[1] * direction)

    product = value_and_grad(along)

    def slope(x: Any, y: Any, other: Any) -> tuple[Any, Any]:
        return margin(x, y, other), _length(gradient(x, y, other)[1])

    def curve(x: Any, direction: Any, y: Any, other: Any) -> Any:
        def power(_: Any, direction: Any) -> Any:
            length = wide(ops.maximum(_length(direction), 1e-12), x)
            return product(x, direction / length, y, other)[1]

        return _length(ops.fori_loop(0, iterations, power, direction))

    key = ("second order", facts.answers)
    return (
        graph(model, (*key, "slope"), slope),
        graph(model, (*key, "curve", iterations), curve),
    )


def _length(x: Any) -> Any:
    return ops.sqrt(ops.sum(ops.reshape(x, (x.shape[0], -1)) ** 2, axis=1))


def _score(
    margin: float,
    length: float,
    maxima: np.ndarray,
    other: int,
    radius: float,
    rng: np.random.Generator,
) -> tuple[float, ...]:
    limit, p_value = location(maxima)
    values = [
        float(np.clip(_root(margin, length, value), 0.0, radius))
        for value in (limit, *bootstrapped(maxima, rng))
    ]
    return (*values, p_value, other)


def _root(margin: float, length: float, curvature: float) -> float:
    """Returns the distance at which the lower bound of a margin is 0."""
    # Written so that it is exact where the curvature is none.
    root = np.sqrt(length**2 + 2 * curvature * max(margin, 0.0))
    return 2 * margin / max(length + root, 1e-12)
