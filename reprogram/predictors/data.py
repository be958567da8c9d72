"""Labelled rows that predictors learn from."""

import dataclasses
import functools

import numpy as np

from reprogram import metrics
from reprogram.predictors.features import Features
from reprogram.sources.source import Source


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
    """Rows to learn from and to be tested on.

    Args:
        inputs: Raw inputs of all rows `(rows, ...)`.
        targets: Class ids `(rows,)` or values `(rows, columns)`, NaN where a
            value is missing.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        modality: `"molecule"`, `"image"` or `"series"`.
        names: Names of the classes or columns.
        draws: For each seed the rows to fit on and those to validate on.
        test: Rows of the test set, the same for all seeds.
        source: The frozen source, for predictors that read one.
    """

    inputs: np.ndarray
    targets: np.ndarray
    problem: str
    modality: str
    names: tuple[str, ...]
    draws: dict[int, tuple[np.ndarray, np.ndarray]] = dataclasses.field(
        default_factory=dict
    )
    test: np.ndarray = dataclasses.field(
        default_factory=lambda: np.zeros(0, int)
    )
    source: Source | None = None

    @functools.cached_property
    def features(self) -> Features:
        """Features of the rows that the draws and the test set use."""
        rows = np.arange(len(self.inputs))
        if self.draws:
            drawn = [np.concatenate(pair) for pair in self.draws.values()]
            rows = np.unique(np.concatenate([*drawn, self.test]))
        source = self.source and self.frozen_source()
        return Features(source, self.inputs[rows])

    def scores(self, predictions: np.ndarray) -> dict[str, float]:
        """Computes the metrics of predictions for the test set.

        Args:
            predictions: Class probabilities `(samples, classes)`, or
                probabilities or values `(samples, columns)`.
        """
        targets = self.targets[self.test]
        return dict(metrics.evaluate(self.problem, targets, predictions))

    def frozen_source(self) -> Source:
        """Returns the source; one of images draws series as pictures.

        Raises:
            ValueError: If there is none.
        """
        if self.source is None:
            raise ValueError(
                "This predictor reads a frozen source. Received: data without"
                " one. Name a source, such as 'zinc-autoencoder'."
            )
        from reprogram.predictors import series_as_images

        return series_as_images.reader(self.source, self.modality)


def check_modality(source: Source, modality: str) -> None:
    """Checks that a source reads what the data are.

    Args:
        source: Source to check.
        modality: Modality of the data.

    Raises:
        ValueError: If it does not.
    """
    pair = (source.modality, modality)
    strings, pictures = {"molecule", "token"}, ("image", "series")
    if len(set(pair)) == 1 or set(pair) == strings or pair == pictures:
        return
    raise ValueError(
        f"The source {source.name!r} reads the modality {source.modality!r}"
        f" and the task is of {modality!r}. Choose another source."
    )
