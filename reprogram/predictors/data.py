"""The baselines of an experiment: the same rows, the same test set."""

import dataclasses
import importlib.util
import time
from typing import TYPE_CHECKING

import numpy as np

from reprogram import metrics
from reprogram.predictors import baselines
from reprogram.predictors import fine_tuning
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import Source

if TYPE_CHECKING:
    from reprogram.predictors.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class Data:
    """What an experiment learns from and is tested on.

    Args:
        inputs: Raw inputs of all rows.
        targets: Class ids `(rows,)` or values `(rows, columns)`.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        modality: `"molecule"`, `"image"` or `"series"`.
        names: Names of the classes or columns.
        draws: For each seed the rows to fit on and those to validate on.
        test: Rows of the test set, the same for all seeds.
    """

    inputs: np.ndarray
    targets: np.ndarray
    problem: str
    modality: str
    names: tuple[str, ...]
    draws: dict[int, tuple[np.ndarray, np.ndarray]]
    test: np.ndarray


class Features:
    """Features of all rows in use, each kind computed once and timed."""

    def __init__(self, data: Data, source: Source):
        self.data, self.source = data, source
        self.plain = plain(source)
        rows = [np.concatenate(pair) for pair in data.draws.values()]
        self.rows = np.unique(np.concatenate([*rows, data.test]))
        self.tables: dict[str, np.ndarray] = {}
        self.seconds: dict[str, float] = {}

    def __call__(self, key: str, rows: np.ndarray) -> np.ndarray:
        """Returns features `(len(rows), ...)`; `"model"` are model inputs."""
        if key not in self.tables:
            start = time.perf_counter()
            self.tables[key] = self._compute(key)
            self.seconds[key] = time.perf_counter() - start
        return self.tables[key][np.searchsorted(self.rows, rows)]

    def _compute(self, key: str) -> np.ndarray:
        if key == "model":
            return self.plain.preprocess(self.data.inputs[self.rows])
        if key == "source":
            reader = Reprogrammer(
                self.source.model, feature_layer=self.source.feature_layer
            )
            answers = reader.source_scores(self("model", self.rows))
            return answers.reshape(len(answers), -1)
        return baselines.features(key, self.data.inputs[self.rows])


def plain(source: Source) -> Source:
    """Returns a source that brings data to its own size without training.

    Baselines need it where the size is left to the input transform: series
    are repeated as often as they fit, or thinned out if they are longer, and
    averaged over channels.
    """
    if source.modality != "series":
        return source
    length, channels = source.model.inputs[0].shape[1:]

    def preprocess(raw: np.ndarray) -> np.ndarray:
        x = np.nan_to_num(source.preprocess(raw))
        if x.shape[1:] == (length, channels) or length is None:
            return x
        if x.shape[-1] != channels:
            x = np.repeat(x.mean(axis=-1, keepdims=True), channels, axis=-1)
        if x.shape[1] > length:
            steps = np.linspace(0, x.shape[1] - 1, length)
            return x[:, steps.round().astype(int)]
        x = np.tile(x, (1, length // x.shape[1], 1))
        return np.pad(x, ((0, 0), (0, length - x.shape[1]), (0, 0)))

    return dataclasses.replace(source, preprocess=preprocess)


def missing(modality: str) -> list[str]:
    """Says which baselines cannot run here, and what to install."""
    return [
        f"Not in the table: {baseline.name} (pip install"
        f" reprogram[{baselines.EXTRAS[baseline.requires]}])"
        for baseline in baselines.BASELINES[modality]
        if not _available(baseline)
    ]


def _available(baseline: object) -> bool:
    needed = getattr(baseline, "requires", "")
    return not needed or importlib.util.find_spec(needed) is not None


def baselines_of(
    seed: int, data: Data, features: Features, recipe: "Recipe"
) -> list[dict]:
    """Fits and tests every baseline of the modality.

    Args:
        seed: Which draw.
        data: The rows.
        features: Of these rows.
        recipe: How the source is trained, for baselines that train it.

    Returns:
        Entries of a record, the trivial baseline first.
    """
    regression = data.problem == "regression"
    entries = []
    trivial = baselines.MEAN if regression else baselines.MAJORITY
    for baseline in [trivial, *baselines.BASELINES[data.modality]]:
        if not _available(baseline):
            continue
        start = time.perf_counter()
        if isinstance(baseline, baselines.Tuned):
            found, count = fine_tuning.fit_predict(
                baseline, data, features.plain, recipe, seed
            )
            spent = time.perf_counter() - start
        else:
            found, count, spent = _fit(baseline, seed, data, features)
        entries.append(entry(baseline.name, data, found, count, spent))
    return entries


def _fit(
    baseline: baselines.Baseline, seed: int, data: Data, features: Features
) -> tuple[np.ndarray, int, float]:
    rows = np.concatenate(data.draws[seed])
    table = features(baseline.features, data.test)
    start = time.perf_counter()
    found, count = baselines.fit_predict(
        baseline,
        data.problem,
        (features(baseline.features, rows), data.targets[rows]),
        table,
        seed,
        len(data.names),
    )
    spent = time.perf_counter() - start
    spent += features.seconds[baseline.features] / len(data.draws)
    return found, count, spent


def entry(
    name: str, data: Data, found: np.ndarray, count: int, seconds: float
) -> dict:
    """Makes the entry of one model and one seed in a record."""
    scores = metrics.evaluate(data.problem, data.targets[data.test], found)
    return {
        "name": name,
        "parameters": count,
        "seconds": seconds,
        "metrics": dict(scores),
    }
