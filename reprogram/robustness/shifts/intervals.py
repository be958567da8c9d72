"""Intervals at 95 % of shares and means."""

import numpy as np


def wilson(count: int, total: int) -> tuple[float, float]:
    """Returns the Wilson interval of a share.

    Args:
        count: Hits.
        total: Trials.

    Example:
    >>> tuple(round(end, 3) for end in wilson(8, 10))
    (0.49, 0.943)

    Reference: Wilson, Probable Inference, the Law of Succession, and
    Statistical Inference, 1927.
    """
    from scipy import stats

    if not total:
        return 0.0, 1.0
    found = stats.binomtest(int(count), int(total)).proportion_ci(
        method="wilson"
    )
    return float(found.low), float(found.high)


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """Returns the interval of a mean by Student's t.

    Args:
        values: Independent values `(n,)`.

    Example:
    >>> mean_interval(np.array([1.0, 1.0, 1.0]))
    (1.0, 1.0)
    """
    from scipy import stats

    if len(values) < 2:
        return -np.inf, np.inf
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return float(np.mean(values) - half), float(np.mean(values) + half)
