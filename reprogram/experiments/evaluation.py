"""Scores of a predictor on molecules that it has not learned from."""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from reprogram import metrics
from reprogram.predictors.assessment import Assessment
from reprogram.predictors.molecules.predictor import MoleculePredictor

RESAMPLES = 500


def test(
    model: MoleculePredictor,
    smiles: Sequence[str],
    targets: np.ndarray,
    confidence: float = 0.9,
    seed: int = 0,
) -> dict[str, tuple[float, float, float]]:
    """Tests a predictor.

    Args:
        model: The predictor.
        smiles: Test molecules.
        targets: Their targets, as in `tasks.Task`.
        confidence: Of the intervals or sets.
        seed: Seed of the bootstrap.

    Returns:
        For each metric its value and the ends of its 95 % interval, from
        resampled test molecules. `coverage` is the share of intervals or sets
        that hold the truth, `coverage in domain` that of the molecules inside
        the domain, which `in domain` counts.
    """
    found = model.assess(smiles, confidence)
    predictions = _predictions(model, found)
    truth = targets[:, None] if targets.ndim == 1 else targets
    held = _held(model, found, truth)
    inside = found.in_domain

    def measure(rows: np.ndarray) -> dict[str, float]:
        scores = dict(
            metrics.evaluate(model.problem, targets[rows], predictions[rows])
        )
        near = held[rows][inside[rows]]
        scores["coverage"] = _mean(held[rows])
        scores["coverage in domain"] = _mean(near)
        scores["in domain"] = float(inside[rows].mean())
        return scores

    return _bootstrap(measure, len(truth), seed)


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


def _predictions(model: MoleculePredictor, found: Assessment) -> np.ndarray:
    values = found.prediction
    if model.problem == "classification" and values.shape[1] == 1:
        return np.concatenate([1 - values, values], axis=1)
    return values


def _held(
    model: MoleculePredictor, found: Assessment, truth: np.ndarray
) -> np.ndarray:
    """Whether the truth is inside `(molecules, columns)`, NaN if unknown."""
    if found.sets is None:
        held = (found.lower <= truth) & (truth <= found.upper)
    elif found.sets.ndim == 2:
        held = np.take_along_axis(found.sets, truth.astype(int), axis=1)
    else:
        label = np.nan_to_num(truth).astype(int)[..., None]
        held = np.take_along_axis(found.sets, label, axis=2)[..., 0]
    return np.where(np.isfinite(truth), held, np.nan)


def _bootstrap(
    measure: Callable[[np.ndarray], dict[str, float]], count: int, seed: int
) -> dict[str, tuple[float, float, float]]:
    rng = np.random.default_rng(seed)
    whole = measure(np.arange(count))
    drawn = [measure(rng.integers(0, count, count)) for _ in range(RESAMPLES)]
    result = {}
    for name, value in whole.items():
        values = [scores[name] for scores in drawn]
        values = [v for v in values if np.isfinite(v)]
        if np.isfinite(value) and values:
            low, high = np.quantile(values, (0.025, 0.975))
            result[name] = (float(value), float(low), float(high))
    return result
