"""Randomized smoothing: votes under Gaussian noise, and what they certify.

Reference: Cohen, Rosenfeld and Kolter, Certified Adversarial Robustness via
Randomized Smoothing, 2019.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from reprogram.robustness.certification.counting import Votes

ABSTAIN = -1


@dataclasses.dataclass(frozen=True)
class Certificate:
    """Certificates of the smoothed model, one for each sample.

    With probability `1 - alpha` for each sample, the smoothed model gives the
    class everywhere closer than the radius in L2.

    Args:
        classes: Class ids `(n,)`; -1 where it abstains.
        radii: Certified radii `(n,)` in the unit of the inputs; 0 where it
            abstains.
        counts: Votes `(n, classes)` of the second draw.
        lower: Lower confidence bounds of the vote's probability `(n,)`.
        deviation: Standard deviation of the noise, in the unit of the inputs.
        alpha: Probability of an error.
    """

    classes: np.ndarray
    radii: np.ndarray
    counts: np.ndarray
    lower: np.ndarray
    deviation: float
    alpha: float

    def certified_accuracy(self, labels: np.ndarray, radius: float) -> float:
        """Returns the share of correct samples certified at a radius."""
        right = self.classes == np.asarray(labels)
        return float(np.mean(right & (self.radii >= radius)))


def certify(
    model: Callable,
    x: np.ndarray,
    deviation: float,
    votes: int = 100_000,
    first_votes: int = 100,
    alpha: float = 0.001,
    batch_size: int = 512,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> Certificate:
    """Certifies the class that the model mostly gives under noise.

    Args:
        model: Function from inputs `(n, ...)` to scores `(n, classes)`.
        x: Inputs `(n, ...)`.
        deviation: Standard deviation of the noise, in the unit of the inputs.
        votes: Number of noisy copies of each input that are counted.
        first_votes: Number of copies that choose the class beforehand.
        alpha: Probability of a wrong certificate, for each sample.
        batch_size: Number of copies in a batch; memory does not depend on
            `votes`.
        seed: Seed of the noise.
        tell: Function that is called with a line of progress.

    Returns:
        Classes and certified radii.

    Raises:
        ValueError: If a number is out of range, or the model does not fit.

    Example:
    >>> from keras import ops
    >>> def model(x):
    ...     return ops.concatenate([x, -x], axis=1)
    >>> found = certify(model, np.array([[3.0]], "float32"), 1.0, votes=1000)
    >>> int(found.classes[0]), bool(0 < found.radii[0] < 3)
    (0, True)
    """
    count = Votes(model, x, deviation, batch_size)
    _check(alpha, votes, first_votes)
    classes = np.full(len(x), ABSTAIN)
    tables = np.zeros((len(x), count.classes), "int64")
    radii, lower = np.zeros(len(x)), np.zeros(len(x))
    for rows in count.blocks():
        # Different draws: the class must not be chosen by the votes that count.
        guesses = count(rows, first_votes, [seed, rows[0], 0]).argmax(axis=1)
        tables[rows] = count(rows, votes, [seed, rows[0], 1])
        for row, guess in zip(rows, guesses):
            lower[row] = lower_bound(tables[row, guess], votes, alpha)
            radii[row] = certified_radius(lower[row], deviation)
            if radii[row] > 0:
                classes[row] = guess
            if tell is not None:
                tell(f"{row + 1} of {len(x)}: radius {radii[row]:.3f}")
    return Certificate(classes, radii, tables, lower, deviation, alpha)


def predict(
    model: Callable,
    x: np.ndarray,
    deviation: float,
    votes: int = 1000,
    alpha: float = 0.001,
    batch_size: int = 512,
    seed: int = 0,
) -> np.ndarray:
    """Returns the smoothed model's classes `(n,)`, -1 where it abstains.

    It abstains where the two classes with most votes cannot be told apart:
    the returned class is not that of the smoothed model with probability
    `alpha` at most.

    Args:
        model: Function from inputs `(n, ...)` to scores `(n, classes)`.
        x: Inputs `(n, ...)`.
        deviation: Standard deviation of the noise, in the unit of the inputs.
        votes: Number of noisy copies of each input.
        alpha: Probability of an error.
        batch_size: Number of copies in a batch.
        seed: Seed of the noise.
    """
    from scipy import stats

    count = Votes(model, x, deviation, batch_size)
    _check(alpha, votes, votes)
    classes = np.full(len(x), ABSTAIN)
    for rows in count.blocks():
        for row, found in zip(rows, count(rows, votes, [seed, rows[0], 2])):
            second, first = np.sort(found)[-2:]
            test = stats.binomtest(int(first), int(first + second), 0.5)
            if test.pvalue <= alpha:
                classes[row] = found.argmax()
    return classes


def lower_bound(count: int, votes: int, alpha: float) -> float:
    """Returns the Clopper-Pearson lower bound of a probability, in float64.

    Args:
        count: Number of votes for the class.
        votes: Number of all votes.
        alpha: Probability that the bound is wrong.

    Example:
    >>> bool(np.isclose(lower_bound(100, 100, 0.05), 0.05 ** 0.01))
    True
    """
    from scipy import stats

    if not count:
        return 0.0
    return float(stats.beta.ppf(alpha, float(count), float(votes - count + 1)))


def certified_radius(lower: float, deviation: float) -> float:
    """Returns the certified radius in L2; 0 if no class has the majority.

    Args:
        lower: Lower bound of the probability of the class.
        deviation: Standard deviation of the noise, in the unit of the inputs.

    Example:
    >>> highest = lower_bound(100_000, 100_000, 0.001)
    >>> round(certified_radius(highest, 1.0), 2)
    3.81
    """
    from scipy import stats

    if lower <= 0.5:
        return 0.0
    return float(deviation * stats.norm.ppf(lower))


def _check(alpha: float, votes: int, first: int) -> None:
    if not 0 < alpha < 1 or votes < 1 or first < 1:
        raise ValueError(
            "Expected 0 < alpha < 1 and at least one vote. Received:"
            f" alpha={alpha}, votes={votes}, first_votes={first}."
        )
