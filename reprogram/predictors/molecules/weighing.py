"""Folds of labels, and the shares that parts get for their errors."""

import numpy as np
from scipy import optimize


def folds(
    y: np.ndarray, problem: str, count: int = 5, seed: int = 0
) -> np.ndarray:
    """Deals rows into folds, class by class for labels.

    Args:
        y: Values `(rows,)`.
        problem: `"regression"` or `"labels"`.
        count: Number of folds.
        seed: Seed of the deal.

    Returns:
        The fold of each row.

    Example:
    >>> sorted(folds(np.arange(5.0), "regression").tolist())
    [0, 1, 2, 3, 4]
    """
    rng = np.random.default_rng(seed)
    strata = np.zeros(len(y), int) if problem == "regression" else y > 0.5
    found, dealt = np.zeros(len(y), int), 0
    for stratum in np.unique(strata):
        rows = rng.permutation(np.flatnonzero(strata == stratum))
        found[rows] = (dealt + np.arange(len(rows))) % count
        dealt += len(rows)
    return found


def weigh(
    answers: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    strength: float = 0.3,
) -> np.ndarray:
    """Finds shares of the parts whose weighted mean is nearest to the truth.

    Args:
        answers: Of each part without the row `(rows, parts)`.
        y: The truth `(rows,)`.
        start: Shares that few rows are drawn to `(parts,)`.
        strength: How strongly they are, in rows.

    Returns:
        Shares `(parts,)`, none negative, their sum 1.

    Example:
    >>> y = np.linspace(-1, 1, 50)
    >>> answers = np.stack([y, -y], axis=1)
    >>> weigh(answers, y, np.ones(2) / 2)[0] > 0.8
    np.True_

    Reference: Breiman, Stacked Regressions, 1996.
    """
    errors = answers - y[:, None]
    square = errors.T @ errors
    scale = strength * np.trace(square) / square.size
    parts = len(start)

    def loss(shares: np.ndarray) -> tuple[float, np.ndarray]:
        off = shares - start
        value = shares @ square @ shares + scale * parts * off @ off
        return value, 2 * square @ shares + 2 * scale * parts * off

    found = optimize.minimize(
        loss,
        start,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * parts,
        constraints={
            "type": "eq",
            "fun": lambda shares: shares.sum() - 1,
            "jac": lambda shares: np.ones(parts),
        },
    )
    shares = np.clip(found.x, 0, None)
    return shares / shares.sum()


def trust(errors: np.ndarray, power: float = 16.0) -> np.ndarray:
    """Turns the errors of the parts into shares, the less the error the more.

    Args:
        errors: Of each part on left-out rows `(parts,)`.
        power: How fast the share falls with the error.

    Returns:
        Shares `(parts,)`, their sum 1.

    Example:
    >>> trust(np.array([1.0, 2.0])).round(2).tolist()
    [1.0, 0.0]
    """
    floor = max(float(errors.min()), 1e-12)
    shares = (floor / np.maximum(errors, floor)) ** power
    return shares / shares.sum()
