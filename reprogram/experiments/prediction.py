"""Predictions of a trained run."""

import dataclasses
import os
import pathlib
from collections.abc import Collection
from collections.abc import Sequence

import keras
import numpy as np

from reprogram import sources
from reprogram.predictors import recipe
from reprogram.predictors import series_as_images
from reprogram.program import fingerprint
from reprogram.report import record as records
from reprogram.reprogrammer import Reprogrammer

BATCH = 512


@dataclasses.dataclass(frozen=True)
class Predictor:
    """The model of a run with what is needed to read its answers.

    Args:
        record: The record of the run.
        model: The trained model.
        source: The source it was made of, for its preprocessing.
    """

    record: dict
    model: Reprogrammer
    source: sources.Source

    def columns(self, taken: Collection[str] = ()) -> list[str]:
        """Names the columns of predictions.

        Args:
            taken: Names that are in use. If a name would be among them, all
                names end in `_2`, or the next number that is free.

        Returns:
            `prediction` for one value, or the name of the class;
            `prediction_<name>` for several; `probability_<name>` of classes
            and labels; and `reason`.
        """
        task = self.record["task"]
        names = [f"_{name}" for name in task["target_names"]]
        single = task["problem"] == "classification" or len(names) == 1
        found = [f"prediction{name}" for name in ([""] if single else names)]
        if task["problem"] != "regression":
            found += [f"probability{name}" for name in names]
        found.append("reason")
        number, free = 1, found
        while not set(free).isdisjoint(taken):
            number += 1
            free = [f"{name}_{number}" for name in found]
        return free

    def __call__(
        self, inputs: Sequence, reasons: Sequence[str]
    ) -> list[list[str]]:
        """Predicts for some rows.

        Args:
            inputs: Inputs as in `tasks.Task`; not looked at where the row has
                a reason.
            reasons: Why a row cannot be used, empty if it can.

        Returns:
            For each row the cells of `columns`, empty except for the reason
            where no prediction is possible.
        """
        explain = self.source.explain or (lambda row: "")
        reasons = [r or explain(row) for row, r in zip(inputs, reasons)]
        width = len(self.columns()) - 1
        cells = [[""] * width + [reason] for reason in reasons]
        keep = [row for row, reason in enumerate(reasons) if not reason]
        # Inputs of like length together need little padding.
        keep.sort(key=lambda row: len(inputs[row]))
        for start in range(0, len(keep), BATCH):
            rows = keep[start : start + BATCH]
            for row, scores in zip(rows, self._scores(inputs, rows)):
                if np.isfinite(scores).all():
                    cells[row] = [*self._cells(scores), ""]
                else:
                    cells[row][-1] = "the model gives no finite number"
        return cells

    def _scores(self, inputs: Sequence, rows: Sequence[int]) -> np.ndarray:
        text = self.source.modality in ("molecule", "token")
        batch = np.asarray([inputs[r] for r in rows], object if text else None)
        problem = self.record["task"]["problem"]
        views = (self.record.get("recipe") or {}).get("views", 0)
        return recipe.predict(self.model, self.source, problem, batch, views)

    def _cells(self, scores: np.ndarray) -> list[str]:
        # NumPy's text is the shortest that gives the same float32 again.
        values, task = list(map(str, scores)), self.record["task"]
        if task["problem"] == "classification":
            return [task["target_names"][scores.argmax()], *values]
        if task["problem"] == "multilabel":
            return [*("1" if score > 0.5 else "0" for score in scores), *values]
        return values


def load(folder: str | os.PathLike, source: str | None = None) -> Predictor:
    """Loads the model of a run.

    Args:
        folder: The folder that `scripts.train` wrote.
        source: What `sources.load` takes, if the source of the run has
            another name or path here.

    Returns:
        The model, ready to predict.

    Raises:
        FileNotFoundError: If the folder is not that of a finished run.
        ValueError: If the model cannot be loaded, or if it or the source has
            other weights than the record says.
    """
    found = records.load(folder)
    asked = source or found["flags"].get("source") or found["source"]["name"]
    frozen = series_as_images.reader(
        sources.load(asked), found["task"]["modality"]
    )
    path = pathlib.Path(folder) / "model.keras"
    model = _load_model(path)
    _check(path, model.source_fingerprint(), found)
    _check(f"The source {asked!r}", fingerprint(frozen.model), found)
    return Predictor(found, model, frozen)


def _load_model(path: pathlib.Path) -> Reprogrammer:
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


def _check(what: object, received: str, record: dict) -> None:
    expected = record["source"]["fingerprint_before"]
    if received != expected:
        raise ValueError(
            f"{what} has other source weights than the run was trained on:"
            f" fingerprint {received[:12]}, expected {str(expected)[:12]} of"
            f" {record['source']['name']!r}. Give the source that belongs to"
            " the run, or train again."
        )
