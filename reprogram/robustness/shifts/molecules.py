"""Predictions for other forms of the same molecules.

A model whose prediction changes has not learned chemistry there.
"""

import dataclasses
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from reprogram.metrics import mean_interval
from reprogram.metrics import share_interval
from reprogram.robustness.shifts.rewriting import UNCHANGED


@dataclasses.dataclass(frozen=True)
class Stability:
    """Predictions for other forms of the same molecules.

    Intervals are pairs, at 95 %. For a regression no class flips: read
    `change`.

    Args:
        edit: Name of an edit in `UNCHANGED`.
        molecules: Number of molecules that have another form.
        forms: Number of their other forms.
        flip_rate: Share of forms with another class; `None` for a regression.
        worst_flip_rate: Share of molecules of which any form has another class.
        worst_interval: Interval of `worst_flip_rate`.
        change: Mean change of the prediction: of the value, or of the largest
            moved score of a classifier.
        worst_change: Mean over molecules of the largest change.
        change_interval: Interval of `worst_change`.
        score: Accuracy, or mean absolute error, on the molecules as they are.
        score_interval: Interval of `score`.
        worst_score: Score where each molecule takes its worst form.
        worst_score_interval: Interval of `worst_score`.
        skipped: Number of molecules without another form.
    """

    edit: str
    molecules: int
    forms: int
    flip_rate: float | None
    worst_flip_rate: float | None
    worst_interval: tuple[float, float] | None
    change: float
    worst_change: float
    change_interval: tuple[float, float]
    score: float | None
    score_interval: tuple[float, float] | None
    worst_score: float | None
    worst_score_interval: tuple[float, float] | None
    skipped: int


def stability(
    predict: Callable[[list[str]], np.ndarray],
    smiles: Sequence[str],
    labels: np.ndarray | None = None,
    edits: Sequence[str] = tuple(UNCHANGED),
    count: int = 8,
    seed: int = 0,
) -> dict[str, Stability]:
    """Predicts other forms of the same molecules.

    Args:
        predict: Function from SMILES strings to scores `(n, classes)`, or to
            values `(n,)` or `(n, 1)` of a regression.
        smiles: SMILES of the molecules.
        labels: Class ids or values, `(n,)`, to score the worst forms.
        edits: Names in `UNCHANGED`.
        count: Largest number of forms of each molecule.
        seed: Seed of the random forms.

    Returns:
        The result of each edit.

    Raises:
        ValueError: If a string is no molecule, or an edit is unknown.

    Example:
    >>> def predict(smiles):
    ...     return np.array([[s.count("="), 0.5] for s in smiles])
    >>> found = stability(predict, ["c1ccccc1", "CO"], edits=["kekule"])
    >>> found["kekule"].worst_flip_rate, found["kekule"].skipped
    (1.0, 1)

    References: Bjerrum, SMILES enumeration as data augmentation, 2017.
    """
    unknown = set(edits) - set(UNCHANGED)
    if unknown or not len(smiles) or count < 1:
        raise ValueError(
            "Expected molecules, a count of at least 1 and edits from"
            f" {', '.join(UNCHANGED)}. Received {len(smiles)} molecules,"
            f" count={count}, edits {list(edits)}."
        )
    if labels is not None and np.shape(labels) != (len(smiles),):
        raise ValueError(
            f"`labels` holds one a molecule, ({len(smiles)},). Received shape"
            f" {np.shape(labels)}."
        )
    smiles = list(smiles)
    base = scores_of(predict, smiles)
    found = {}
    for edit in edits:
        forms = [UNCHANGED[edit](text, count, seed) for text in smiles]
        owners = np.repeat(np.arange(len(smiles)), [len(f) for f in forms])
        other = scores_of(
            predict, [form for row in forms for form in row], base
        )
        found[edit] = _compared(edit, base, other, owners, labels)
    return found


def scores_of(
    predict: Callable, smiles: list[str], like: np.ndarray | None = None
) -> np.ndarray:
    """Predicts and checks the scores, `(n, scores)`."""
    if not smiles and like is not None:
        return like[:0]
    values = np.asarray(predict(smiles), "float64")
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or len(values) != len(smiles):
        raise ValueError(
            "`predict` returns (n, classes) scores or (n,) values for n"
            f" SMILES. Received {values.shape} for {len(smiles)}."
        )
    if np.isnan(values).any():
        first = smiles[int(np.isnan(values).any(axis=1).argmax())]
        raise ValueError(f"`predict` returns NaN, such as for {first!r}.")
    return values


def _compared(
    edit: str,
    base: np.ndarray,
    other: np.ndarray,
    owners: np.ndarray,
    labels: np.ndarray | None,
) -> Stability:
    moved = np.abs(other - base[owners]).max(axis=1)
    having = np.unique(owners)
    worst = np.array([moved[owners == i].max() for i in having])
    classes = base.shape[1] > 1
    flip_rate = worst_rate = interval = None
    if classes and len(having):
        flips = other.argmax(axis=1) != base[owners].argmax(axis=1)
        fallen = np.array([flips[owners == i].any() for i in having])
        flip_rate, worst_rate = float(flips.mean()), float(fallen.mean())
        interval = share_interval(int(fallen.sum()), len(fallen))
    scores = (None,) * 4
    if labels is not None:
        scores = _scores(base, other, owners, np.asarray(labels))
    return Stability(
        edit,
        len(having),
        len(owners),
        flip_rate,
        worst_rate,
        interval,
        float(moved.mean()) if len(moved) else 0.0,
        float(worst.mean()) if len(worst) else 0.0,
        mean_interval(worst),
        *scores,
        len(base) - len(having),
    )


def _scores(
    base: np.ndarray, other: np.ndarray, owners: np.ndarray, labels: np.ndarray
) -> tuple:
    """Returns the score, its interval, the worst score and its interval."""
    if base.shape[1] > 1:
        own = base.argmax(axis=1) == labels
        worst = own.copy()
        hits = other.argmax(axis=1) == labels[owners]
        np.logical_and.at(worst, owners, hits)
        ends = [share_interval(int(v.sum()), len(v)) for v in (own, worst)]
    else:
        own = np.abs(base[:, 0] - labels)
        worst = own.copy()
        np.maximum.at(worst, owners, np.abs(other[:, 0] - labels[owners]))
        ends = [mean_interval(v) for v in (own, worst)]
    return float(own.mean()), ends[0], float(worst.mean()), ends[1]
