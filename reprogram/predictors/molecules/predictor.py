"""The default predictor of molecular properties from few labels."""

import os
from collections.abc import Sequence
from typing import Self

import joblib
import numpy as np

from reprogram.molecules.smiles import parse
from reprogram.predictors import conformal
from reprogram.predictors import domain
from reprogram.predictors.assessment import Assessment
from reprogram.predictors.molecules import features
from reprogram.predictors.molecules import labels as label_columns
from reprogram.predictors.molecules import parts
from reprogram.predictors.molecules.stacking import Stack
from reprogram.predictors.molecules.tables import Features
from reprogram.predictors.molecules.tables import Rows
from reprogram.predictors.molecules.tables import remembered


class MoleculePredictor:
    """Predicts properties of molecules; made for few labels.

    Numbers with a long tail that span decades are learned as logarithms.
    Gaussian processes on fragments, descriptors and the features of a frozen
    source, ridge regressions and forests vote; their shares are chosen by
    cross-validation inside the training labels, see `stacking.Stack`.

    Args:
        problem: `"regression"`, `"classification"` or `"multilabel"`; empty
            to tell it from the labels.
        source: Name or path of the frozen source, see `features.compute`;
            empty for none.
        seed: Seed of folds and forests.
        cache: Folder that keeps the features from run to run.
        jobs: Number of processes that compute features, and of threads that
            fit; -1 for all cores.
        random: Number of random SMILES of each molecule that the source
            reads, see `features.compute`.

    Raises:
        ValueError: If the problem is unknown.

    Example:
    >>> model = MoleculePredictor(source="")
    >>> smiles = ["C" * n + "O" for n in range(1, 13)]
    >>> model = model.fit(smiles, [float(n) for n in range(1, 13)])
    >>> model.predict(["CCCCCO"]).round().tolist()
    [5.0]
    """

    def __init__(
        self,
        problem: str = "",
        source: str = "zinc-autoencoder",
        seed: int = 0,
        cache: str | os.PathLike | None = None,
        jobs: int = 1,
        random: int = 0,
    ):
        if problem and problem not in label_columns.PROBLEMS:
            raise ValueError(
                "`problem` must be one of"
                f" {', '.join(label_columns.PROBLEMS)}, or empty."
                f" Received: {problem!r}."
            )
        self.problem, self.source, self.seed = problem, source, seed
        self.cache, self.jobs, self.random = cache, jobs, random
        self.parts = parts.usable(parts.DEFAULT, source)

    def fit(
        self,
        smiles: Sequence[str],
        labels: Sequence,
        table: Features | None = None,
    ) -> Self:
        """Learns from molecules and labels.

        Args:
            smiles: Valid SMILES strings.
            labels: Numbers or classes `(molecules,)`, or several columns of
                numbers or of 0 and 1, `(molecules, columns)`; NaN or None is
                missing and is left out of its column.
            table: Features of the molecules, see `features_of`; computed if
                `None`.

        Returns:
            This predictor.

        Raises:
            ValueError: If a string is not a molecule, or the labels do not
                fit the molecules or the problem.
        """
        columns = label_columns.read(smiles, labels, self.problem)
        nothing: list[dict] = [{} for _ in columns.values.T]
        return self.refit(smiles, columns, nothing, table)

    def refit(
        self,
        smiles: Sequence[str],
        labels: label_columns.Labels,
        known: Sequence[dict],
        table: Features | None = None,
    ) -> Self:
        """Learns again with what `Stack.state` kept of each column."""
        self.smiles, self.labels = [str(row) for row in smiles], labels
        self.problem = labels.problem
        table = remembered(table or self.features_of(self.smiles))
        self.stacks: list[Stack] = []
        self.calibrations: list[tuple[float, float]] = []
        self.logs: list[bool] = []
        for column, state in zip(labels.values.T, known, strict=True):
            rows = np.isfinite(column)
            part, y = features.take(table, rows), column[rows]
            numbers = self.problem == "regression"
            log = numbers and label_columns.spans_decades(y)
            stack = Stack(
                self.parts, "regression" if numbers else "labels", self.seed
            )
            with joblib.parallel_config("threading", n_jobs=self.jobs):
                stack.fit(part, np.log(y) if log else y, state)
            self.stacks.append(stack)
            self.logs.append(log)
            if not numbers:
                own = label_columns.calibrate(stack.without, y)
                self.calibrations.append(own)
        self.domain = domain.learn(table["ecfp4"].selected())
        return self

    def features_of(self, smiles: Sequence[str]) -> dict[str, Rows]:
        """Computes what the parts read, see `features.compute`."""
        views = sorted({view for part in self.parts for view in part.views})
        return features.compute(
            smiles, views, self.source, self.cache, self.jobs, self.random
        )

    def predict(
        self, smiles: Sequence[str], table: Features | None = None
    ) -> np.ndarray:
        """Predicts for molecules.

        Args:
            smiles: Valid SMILES strings.
            table: Features of the molecules, see `features_of`; computed if
                `None`.

        Returns:
            Values, or the probability of the second of two classes,
            `(molecules,)`; for several columns or classes
            `(molecules, columns)`.
        """
        table = remembered(table or self._features(smiles))
        values = self._plain(self._columns(table))
        if self._has_classes():
            return values / np.maximum(values.sum(axis=1, keepdims=True), 1e-9)
        return values[:, 0] if self.labels.flat else values

    def assess(
        self,
        smiles: Sequence[str],
        confidence: float = 0.9,
        table: Features | None = None,
    ) -> Assessment:
        """Predicts, and says how far each prediction can be trusted.

        Args:
            smiles: Valid SMILES strings.
            confidence: Share of intervals, or of sets, that should hold the
                truth, in (0, 1).
            table: Features of the molecules, see `features_of`; computed if
                `None`.

        Returns:
            Predictions with intervals or sets, the domain and neighbors.

        Raises:
            ValueError: If a string is not a molecule, or the confidence is
                not between 0 and 1.
        """
        conformal.check(confidence)
        table = remembered(table or self._features(smiles))
        values = self._columns(table)
        nearest, similarity, inside = self.domain(table["ecfp4"].selected())
        smiles = [self.smiles[row] for row in nearest]
        lower = upper = sets = None
        if self.problem == "regression":
            ends = [
                conformal.interval(
                    value, stack.deviation(table), stack.scores, confidence
                )
                for value, stack in zip(values.T, self.stacks, strict=True)
            ]
            lower, upper = self._plain(np.stack(ends, axis=-1))
            values = self._plain(values)
        else:
            sets = self._sets(values, confidence)
        return Assessment(
            values, lower, upper, sets, smiles, similarity, inside, nearest
        )

    def carried(self) -> list[dict[str, dict[str, float]]]:
        """Says which parts carried each column, see `Stack.carried`."""
        return [stack.carried() for stack in self.stacks]

    def _has_classes(self) -> bool:
        """Whether each of several classes has a column."""
        classes = self.labels.classes
        return self.problem == "classification" and len(classes) > 2

    def _features(self, smiles: Sequence[str]) -> dict[str, Rows]:
        for row in smiles:
            parse(row)
        return self.features_of([str(row) for row in smiles])

    def _columns(self, table: Features) -> np.ndarray:
        with joblib.parallel_config("threading", n_jobs=self.jobs):
            values = [stack.predict(table) for stack in self.stacks]
        for k, curve in enumerate(self.calibrations):
            values[k] = label_columns.probability(values[k], curve)
        return np.stack(values, axis=1)

    def _plain(self, values: np.ndarray) -> np.ndarray:
        """Turns columns of logarithms back into values."""
        if not any(self.logs):
            return values
        with np.errstate(over="ignore"):
            return np.where(self.logs, np.exp(values), values)

    def _sets(self, values: np.ndarray, confidence: float) -> np.ndarray:
        columns = []
        for k, stack in enumerate(self.stacks):
            truth = self.labels.values[:, k]
            truth = truth[np.isfinite(truth)].astype(int)
            own = label_columns.probability(stack.without, self.calibrations[k])
            new, old = (
                np.stack([1 - p, p], axis=1) for p in (values[:, k], own)
            )
            columns.append(conformal.label_sets(new, old, truth, confidence))
        sets = np.stack(columns, axis=1)
        return sets[:, :, 1] if self._has_classes() else sets
