"""The reprogrammed source as a predictor."""

import pathlib
from typing import Any

import keras
import numpy as np

from reprogram import mappings
from reprogram.predictors import mapping_of
from reprogram.predictors import series_as_images
from reprogram.predictors import training
from reprogram.predictors import transform_of
from reprogram.predictors.data import Data
from reprogram.predictors.features import Features
from reprogram.predictors.recipe import Recipe
from reprogram.predictors.recipe import fields
from reprogram.program import fingerprint
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources.source import Source


class Reprogrammed:
    """A frozen source with a trained program around it.

    `watch`, if set, receives the number of each epoch and how many there are
    at most.

    Args:
        seed: Seed of the program's initial values and of the batches.
        recipe: Transform, mapping and training.
    """

    name = "reprogrammed source"

    def __init__(self, seed: int = 0, recipe: Recipe | None = None):
        self.seed, self.recipe = seed, recipe or Recipe()
        self.history: dict[str, list[float]] = {}
        self.features: Features | None = None
        self.watch: training.Tell | None = None

    def fit(
        self,
        data: Data,
        rows: np.ndarray,
        validation: np.ndarray,
    ) -> "Reprogrammed":
        """Trains the program.

        Args:
            data: Inputs, targets and the source.
            rows: Rows to fit on.
            validation: Rows that choose the epoch.

        Returns:
            The predictor itself.

        Raises:
            ValueError: If source, data and recipe do not go together.
        """
        self.problem, self.features = data.problem, data.features
        self.source = self._source(data)
        example = self.source.preprocess(data.inputs[rows[:1]])
        self.model = self._build(data, example)
        self._start = self.model.transform.get_weights()
        self.history = training.train(
            self.model,
            self.source,
            self.recipe,
            (data.inputs[rows], data.targets[rows]),
            (data.inputs[validation], data.targets[validation]),
            self.watch,
            self.features,
        )
        return self

    def check(self, data: Data) -> None:
        """Checks the recipe before anything is fitted.

        Args:
            data: The data that will be fitted to.

        Raises:
            ValueError: If source, data and recipe do not go together.
        """
        source = self._source(data)
        names = list(data.names)
        mapping_of.choose(self.recipe, source, data.problem, names, self.seed)
        transform_of.choose(self.recipe, source, self.seed)
        transform_of.input_layer(self.recipe, source)

    def _source(self, data: Data) -> Source:
        return data.frozen_source()

    def _build(self, data: Data, example: np.ndarray) -> Reprogrammer:
        shape: tuple[int | None, ...] = (None, *example.shape[1:])
        if data.modality == "molecule":
            shape = (None,) * len(shape)
        return training.build(
            self.source, data.problem, data.names, self.recipe, shape, self.seed
        )

    @property
    def parameters(self) -> int:
        """Number of trained values."""
        weights = self.model.trainable_weights
        return sum(int(np.prod(weight.shape)) for weight in weights)

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts values or probabilities, averaged over views.

        Args:
            inputs: Raw inputs `(samples, ...)`.

        Returns:
            Class probabilities `(samples, classes)`, or probabilities or
            values `(samples, columns)`.
        """
        return training.predict(
            self.model,
            self.source,
            self.problem,
            inputs,
            self.recipe.views,
            self.features,
        )

    def about(self, data: Data) -> dict[str, Any]:
        """Returns the parts of the report page about the program.

        Args:
            data: The data it was fitted to; three test rows are shown.

        Returns:
            `mapping`, `history`, and `program` with the weights of the
            transform before training and an example of inputs.
        """
        example = self.source.preprocess(data.inputs[data.test[:3]])
        return {
            "mapping": mappings.describe(
                self.model.mapping, self.source.class_names, data.names
            ),
            "program": (self.model, self._start, example),
        }

    def save(self, folder: pathlib.Path) -> None:
        """Writes `model.keras` and `program.weights.h5`.

        Args:
            folder: Folder of the run.
        """
        self.model.save(folder / "model.keras")
        self.model.save_program(str(folder / "program.weights.h5"))

    @classmethod
    def load(
        cls,
        folder: pathlib.Path,
        source: Source,
        record: dict[str, Any],
    ) -> "Reprogrammed":
        """Reads what `save` wrote.

        Args:
            folder: Folder of the run.
            source: The source of the run, for its preprocessing.
            record: Record of the run.

        Returns:
            The predictor.

        Raises:
            FileNotFoundError: If there is no model in the folder.
            ValueError: If it cannot be loaded, or if it or the source has
                other weights than the record says.
        """
        known = {"views": 0, **fields(record.get("recipe") or {})}
        predictor = cls.__new__(cls)
        Reprogrammed.__init__(predictor, 0, Recipe(**known))
        predictor.name = record.get("predictor", cls.name)
        predictor.problem = record["task"]["problem"]
        predictor.source = series_as_images.reader(
            source, record["task"]["modality"]
        )
        path = folder / "model.keras"
        predictor.model = load_model(path)
        trained = predictor.model.source_fingerprint()
        if predictor.name not in ("LoRA", "fine-tuning"):
            _check(str(path), trained, record)
            _check(
                f"The source {source.name!r}",
                fingerprint(source.model),
                record,
            )
        return predictor


def load_model(path: pathlib.Path) -> Reprogrammer:
    """Loads a saved Reprogrammer.

    Args:
        path: The `.keras` file.

    Returns:
        The model, not compiled.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, or holds another kind of model.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"No model at {path}. Train again, or copy the whole folder."
        )
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:
        first = f"{error}".strip().partition("\n")[0]
        raise ValueError(
            f"{path} cannot be loaded. Keras {keras.__version__} says: {first}"
            " Train again, or copy the file again."
        ) from error
    if not isinstance(model, Reprogrammer):
        raise ValueError(
            f"{path} must hold a Reprogrammer that scripts.train wrote."
            f" Received: {type(model).__name__}."
        )
    return model


def _check(what: str, received: str, record: dict[str, Any]) -> None:
    expected = record["source"]["fingerprint_before"]
    if received != expected:
        raise ValueError(
            f"{what} has other source weights than the run was trained on:"
            f" fingerprint {received[:12]}, expected {str(expected)[:12]} of"
            f" {record['source']['name']!r}. Give the source that belongs to"
            " the run, or train again."
        )
