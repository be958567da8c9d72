"""Disturbances of series by sensors and clocks, in five severities.

Series are `(n, steps, channels)`. Amounts are in standard deviations of each
series' channel or shares of its length, so that any unit will do.
"""

import zlib
from collections.abc import Callable

import numpy as np

from reprogram.robustness.shifts.blurs import Rng
from reprogram.robustness.shifts.corruptions import check_severity

_NOISE = (0.05, 0.1, 0.2, 0.35, 0.5)
_DRIFT = (0.1, 0.25, 0.5, 0.75, 1.0)
_WARP = (0.05, 0.1, 0.2, 0.3, 0.4)
_LOST = (0.05, 0.1, 0.2, 0.3, 0.5)
_SHIFT = (0.01, 0.03, 0.05, 0.1, 0.15)
_KNOTS = 4


def disturb(
    x: np.ndarray, name: str, severity: int, seed: int = 0
) -> np.ndarray:
    """Disturbs series as sensors and clocks do.

    Args:
        x: Series `(n, steps, channels)`.
        name: Name of a disturbance in `DISTURBANCES`.
        severity: Integer from 1 to 5.
        seed: Seed of the random draws.

    Returns:
        The disturbed series, float32.

    Raises:
        ValueError: If there is no such disturbance or severity, or the series
            do not fit.

    Example:
    >>> x = np.sin(np.arange(50.0)).reshape(1, 50, 1)
    >>> moved = disturb(x, "noise", 1)
    >>> bool(0.02 < np.std(moved - x) < 0.05)
    True
    """
    x = np.asarray(x, "float64")
    if name not in DISTURBANCES:
        raise ValueError(
            f"There is no disturbance {name!r}. There are:"
            f" {', '.join(DISTURBANCES)}."
        )
    check_severity(severity)
    if x.ndim != 3 or not len(x) or x.shape[1] < 4 or np.isnan(x).any():
        raise ValueError(
            "Series are (n, steps, channels) of four steps or more, without"
            f" NaN. Received shape {x.shape}, {np.isnan(x).sum()} NaN."
        )
    rng = np.random.default_rng([seed, severity, zlib.crc32(name.encode())])
    return DISTURBANCES[name](x, severity - 1, rng).astype("float32")


def noise(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Adds white noise."""
    return x + _NOISE[level] * _deviation(x) * rng.normal(size=x.shape)


def drift(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Adds a baseline that wanders smoothly from 0."""
    wander = _smooth(x, rng, x.shape[2])
    wander = wander - wander[:, :1]
    largest = np.maximum(np.abs(wander).max(axis=1, keepdims=True), 1e-12)
    return x + _DRIFT[level] * _deviation(x) * wander / largest


def warping(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Lets time run faster here and slower there; both ends stay."""
    speed = np.exp(2 * _WARP[level] * _smooth(x, rng, 1)[..., 0])
    clock = np.cumsum(speed, axis=1) - speed[:, :1]
    return _read(x, clock / clock[:, -1:] * (x.shape[1] - 1))


def dropout(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Drops runs of steps; the last value before each is held."""
    steps = x.shape[1]
    run = max(1, steps // 20)
    # Runs overlap: so many leave the share that is meant.
    starts = -np.log1p(-_LOST[level]) * steps / run
    start = rng.uniform(size=(len(x), steps)) < starts / steps
    lost = start.copy()
    for later in range(1, run):
        lost[:, later:] |= start[:, :-later]
    lost[:, 0] = False
    held = np.where(lost, 0, np.arange(steps))
    held = np.maximum.accumulate(held, axis=1)
    return np.take_along_axis(x, held[..., None], axis=1)


def clock_shift(x: np.ndarray, level: int, rng: Rng) -> np.ndarray:
    """Starts early or late; the end value fills what is missing."""
    amount = _SHIFT[level] * x.shape[1] * rng.choice([-1, 1], len(x))
    return _read(x, np.arange(x.shape[1]) + amount[:, None])


DISTURBANCES: dict[str, Callable] = {
    "noise": noise,
    "drift": drift,
    "warping": warping,
    "dropout": dropout,
    "clock_shift": clock_shift,
}


def _deviation(x: np.ndarray) -> np.ndarray:
    return x.std(axis=1, keepdims=True)


def _smooth(x: np.ndarray, rng: Rng, channels: int) -> np.ndarray:
    """Draws smooth curves through random knots, `(n, steps, channels)`."""
    from scipy import interpolate

    knots = rng.normal(size=(len(x), _KNOTS + 2, channels))
    places = np.linspace(0, x.shape[1] - 1, _KNOTS + 2)
    curve = interpolate.CubicSpline(places, knots, axis=1)
    return curve(np.arange(x.shape[1]))


def _read(x: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Reads series between their steps, linearly; the ends are held."""
    places = np.clip(places, 0, x.shape[1] - 1)
    before = np.minimum(places.astype(int), x.shape[1] - 2)
    share = (places - before)[..., None]
    low = np.take_along_axis(x, before[..., None], axis=1)
    high = np.take_along_axis(x, before[..., None] + 1, axis=1)
    return low * (1 - share) + high * share
