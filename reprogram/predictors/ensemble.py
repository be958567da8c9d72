"""The few-label ensemble of molecular properties as a predictor."""

import pathlib
from typing import Any

import numpy as np

from reprogram.predictors.assessment import Assessment
from reprogram.predictors.data import Data
from reprogram.predictors.features import Features
from reprogram.predictors.molecules import MoleculePredictor
from reprogram.predictors.molecules import storage


class Ensemble:
    """Gaussian processes, ridge regressions and forests that vote.

    Args:
        seed: Seed of folds and forests.

    Raises:
        ValueError: If the data are not molecules.
    """

    name = "few-label ensemble"
    parameters = None  # not comparable for kernels and trees

    def __init__(self, seed: int = 0):
        self.seed = seed
        self.features: Features | None = None

    def fit(
        self, data: Data, rows: np.ndarray, validation: np.ndarray
    ) -> "Ensemble":
        """Fits to all given rows; cross-validation inside them chooses.

        Args:
            data: Molecules and targets; a source, if there is one, gives
                further features.
            rows: Rows to fit on.
            validation: Further rows to fit on.

        Returns:
            The predictor itself.
        """
        if data.modality != "molecule":
            raise ValueError(
                "The few-label ensemble reads molecules. Received: the"
                f" modality {data.modality!r}. Choose another predictor."
            )
        rows = np.concatenate([rows, validation])
        self.problem, self.classes = data.problem, len(data.names)
        self.features = data.features
        name = "" if data.source is None else data.source.name
        self.model = MoleculePredictor(data.problem, name, self.seed, jobs=-1)
        smiles = data.inputs[rows]
        self.model.fit(smiles, data.targets[rows], self._table(smiles))
        return self

    def _table(self, inputs: np.ndarray) -> dict[str, Any] | None:
        """Returns features for the parts, from those of the experiment."""
        if self.features is None or self.model.random:
            return None
        views = {view for part in self.model.parts for view in part.views}
        table = {}
        for view in sorted(views):
            if view == "descriptors":
                values = self.features("descriptors", inputs)
                table[view] = np.clip(values, -1e6, 1e6).astype("float32")
            elif view in ("source", "answers"):
                kind = "source" if view == "source" else "scores"
                table[view] = self.features(kind, inputs)
            else:
                table[view] = self.features(f"counts {view}", inputs)
        return table

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts values or probabilities.

        Args:
            inputs: Standardized SMILES `(samples,)`.

        Returns:
            Class probabilities `(samples, classes)`, or probabilities or
            values `(samples, columns)`.
        """
        inputs = np.asarray(inputs, object)
        values = self.model.predict(list(inputs), self._table(inputs))
        return self._shaped(np.asarray(values))

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        values = values.reshape(len(values), -1)
        if self.problem == "classification":
            if values.shape[1] == 1:
                values = np.concatenate([1 - values, values], axis=1)
            total = values.sum(axis=1, keepdims=True)
            values = values / np.maximum(total, 1e-9)
            if values.shape[1] < self.classes:
                # A class without a label in the draw gets no probability.
                known = np.asarray(self.model.labels.classes, int)
                whole = np.zeros((len(values), self.classes))
                whole[:, known] = values
                return whole
        return values

    def assess(self, inputs: np.ndarray, confidence: float = 0.9) -> Assessment:
        """Predicts, and says how far each prediction can be trusted.

        Args:
            inputs: Standardized SMILES `(samples,)`.
            confidence: Share of intervals or sets that shall hold the truth.

        Returns:
            The predictions with intervals or sets, the domain and the nearest
            training molecules.
        """
        inputs = np.asarray(inputs, object)
        found = self.model.assess(list(inputs), confidence, self._table(inputs))
        values = self._shaped(found.prediction)
        sets = found.sets
        classes = self.problem == "classification"
        if classes and sets is not None and sets.ndim == 3:
            sets = sets[:, 0]
        return found._replace(prediction=values, sets=sets)

    def carried(self) -> list[dict[str, dict[str, float]]]:
        """Returns the shares of the parts, a dict for each column."""
        return self.model.carried()

    def about(self, data: Data) -> dict[str, Any]:
        """Returns the shares of the parts, for the report page."""
        return {"carried": self.carried()}

    def save(self, folder: pathlib.Path) -> None:
        """Writes `predictor.json`.

        Args:
            folder: Folder of the run.
        """
        storage.save(self.model, folder)

    @classmethod
    def load(
        cls, folder: pathlib.Path, problem: str, classes: int, jobs: int = -1
    ) -> "Ensemble":
        """Reads what `save` wrote.

        Args:
            folder: Folder of the run.
            problem: Problem of the run.
            classes: Number of classes or columns of the run.
            jobs: Processes that compute features; -1 for all cores.

        Returns:
            The predictor.
        """
        predictor = cls()
        predictor.model = storage.load(folder, jobs=jobs)
        predictor.problem, predictor.classes = problem, classes
        return predictor
