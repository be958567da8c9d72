"""Predictions of a run, whatever it trained, as cells of a table."""

import dataclasses
import functools
import json
import os
import pathlib
from collections.abc import Collection
from collections.abc import Sequence
from typing import Any

import numpy as np

from reprogram.experiments import cells
from reprogram.experiments import labelled
from reprogram.predictors import Fitted
from reprogram.predictors import conformal
from reprogram.predictors.assessment import Assessment
from reprogram.predictors.baselines import BASELINES
from reprogram.report import record as records
from reprogram.sources.source import Source

BATCH = 512


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run, ready to predict.

    Args:
        folder: Folder of the run.
        record: Record of the run.
        predictor: The predictor that was saved.
        source: The frozen source; `None` if the predictor reads none.
        alerts: Names of the catalogs of structural alerts to report, see
            `molecules.alerts`.
        confidence: Share of intervals or sets that shall hold the truth.
    """

    folder: pathlib.Path
    record: dict[str, Any]
    predictor: Fitted
    source: Source | None = None
    alerts: tuple[str, ...] = ()
    confidence: float = 0.9

    @property
    def task(self) -> dict[str, Any]:
        """The entry `task` of the record."""
        return self.record["task"]

    @property
    def model(self) -> Any:
        """The Reprogrammer, `None` for predictors that are none."""
        model = getattr(self.predictor, "model", None)
        return model if hasattr(model, "source_scores") else None

    @property
    def _classes(self) -> bool:
        return self.task["problem"] == "classification"

    @functools.cached_property
    def training(self) -> dict[str, tuple[str, str]]:
        """Identifier and measured values of the training molecules."""
        return labelled.read_training(self.folder)

    def assess(self, inputs: Sequence) -> Assessment:
        """Predicts, and says how far each prediction can be trusted.

        Predictors without intervals of their own get those of split conformal
        prediction from the test set of the run.

        Args:
            inputs: Inputs as in `tasks.Task`.

        Returns:
            Predictions with intervals or sets; for molecules with the domain
            and the nearest training molecules.
        """
        text = self.task["modality"] == "molecule"
        batch = np.asarray(list(inputs), object if text else None)
        if hasattr(self.predictor, "assess"):
            return self.predictor.assess(batch, self.confidence)
        values = self.predictor.predict(batch)
        lower, upper, sets = self._calibrated(values)
        none = np.zeros(len(batch), int)
        if self._domain is None:
            return Assessment(
                values, lower, upper, sets, [], none, none > 0, none
            )
        from reprogram.molecules.fingerprints import unfolded_counts

        counts = unfolded_counts(list(map(str, batch)))
        nearest, similarity, inside = self._domain(counts)
        known = list(self.training)
        names = [known[row] for row in nearest]
        return Assessment(
            values, lower, upper, sets, names, similarity, inside, nearest
        )

    @functools.cached_property
    def _domain(self) -> Any:
        if self.task["modality"] != "molecule" or not self.training:
            return None
        from reprogram.molecules.fingerprints import unfolded_counts
        from reprogram.predictors import domain

        return domain.learn(unfolded_counts(list(self.training)))

    def _calibrated(
        self, values: np.ndarray
    ) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
        test = self.record.get("test") or {}
        truth = np.array(test.get("targets") or [], float)
        known = np.array(test.get("predictions") or [], float)
        if not len(truth):
            known = np.zeros((0, values.shape[1]))
            truth = np.zeros((0,) if self._classes else known.shape)
        if self._classes:
            sets = conformal.label_sets(
                values, known, truth.astype(int), self.confidence
            )
            return None, None, sets
        ends: list[tuple[np.ndarray, np.ndarray]] = []
        members: list[np.ndarray] = []
        ones = np.ones(len(values))
        for k, column in enumerate(values.T):
            there = np.isfinite(truth[:, k]) & np.isfinite(known[:, k])
            y, p = truth[there, k], known[there, k]
            if self.task["problem"] == "regression":
                scores = np.abs(y - p)
                ends.append(
                    conformal.interval(column, ones, scores, self.confidence)
                )
                continue
            new, old = (np.stack([1 - q, q], axis=1) for q in (column, p))
            members.append(
                conformal.label_sets(new, old, y.astype(int), self.confidence)
            )
        if members:
            return None, None, np.stack(members, axis=1)
        lower, upper = (np.stack(part, axis=1) for part in zip(*ends))
        return lower, upper, None

    def columns(self, taken: Collection[str] = ()) -> list[str]:
        """Names the columns of predictions, see `cells.columns`.

        Args:
            taken: Names that are in use.
        """
        return cells.columns(self.task, self.alerts, taken)

    def __call__(
        self, inputs: Sequence, reasons: Sequence[str]
    ) -> list[list[str]]:
        """Predicts for some rows.

        Args:
            inputs: Inputs as in `tasks.Task`; ignored where the row has a
                reason.
            reasons: Reason why each row is left out, empty if it is usable.

        Returns:
            For each row the cells of `columns`, empty except for the reason
            where no prediction is possible.
        """
        explain = getattr(self.source, "explain", None) or (lambda row: "")
        reasons = [r or explain(row) for row, r in zip(inputs, reasons)]
        width = len(self.columns()) - 1
        rows = [[""] * width + [reason] for reason in reasons]
        keep = [row for row, reason in enumerate(reasons) if not reason]
        # Inputs of similar length together need little padding.
        keep.sort(key=lambda row: len(inputs[row]))
        for start in range(0, len(keep), BATCH):
            part = keep[start : start + BATCH]
            batch = [inputs[row] for row in part]
            assessment = self.assess(batch)
            warnings = self._alerts(batch)
            for place, row in enumerate(part):
                if np.isfinite(assessment.prediction[place]).all():
                    rows[row] = [
                        *cells.values(self.task, assessment, place),
                        *cells.neighbor(
                            self.task, self.training, assessment, place
                        ),
                        *(names[place] for names in warnings),
                        "",
                    ]
                else:
                    rows[row][-1] = "the model gives no finite number"
        return rows

    def _alerts(self, smiles: Sequence[str]) -> list[list[str]]:
        if not self.alerts:
            return []
        from reprogram.molecules.alerts import alerts

        return [alerts(smiles, name) for name in self.alerts]


def load(
    folder: str | os.PathLike,
    source: str | None = None,
    jobs: int = -1,
    **options: Any,
) -> Run:
    """Loads a run.

    Args:
        folder: Folder that `scripts.train` wrote, with any predictor.
        source: Name or path of the source, see `sources.load`, if it is
            not that of the record.
        jobs: Processes that compute features; -1 for all cores.
        **options: `alerts` and `confidence` of `Run`.

    Returns:
        The run, ready to predict.

    Raises:
        FileNotFoundError: If the folder is not that of a finished run.
        ValueError: If the model cannot be loaded, or if it or the source has
            other weights than the record says.
    """
    from reprogram import sources
    from reprogram.predictors.features import Features

    folder = pathlib.Path(folder)
    record = read_record(folder)
    task, name = record["task"], record.get("predictor", "reprogrammed source")
    count = len(task["target_names"])
    if name == "few-label ensemble":
        from reprogram.predictors.ensemble import Ensemble

        ensemble = Ensemble.load(folder, task["problem"], count, jobs)
        return Run(folder, record, ensemble, **options)
    named = (record.get("source") or {}).get("name", "")
    asked = source or record.get("flags", {}).get("source") or named
    flags = record.get("flags", {})
    local = (folder / "model.keras").exists() and "://" not in (source or "")
    if flags.get("service") and not local:
        from reprogram.service.runs import Queried

        queried = Queried.load(folder, record, source)
        return Run(folder, record, queried, **options)
    classical = (folder / "baseline.json").exists()
    if classical:
        from reprogram.predictors import series_as_images
        from reprogram.predictors.baselines import BaselinePredictor

        about = json.loads((folder / "baseline.json").read_text("utf-8"))
        reads = BASELINES[about["key"]].features == "source"
        frozen = sources.load(asked) if reads else None
        if frozen is not None:
            frozen = series_as_images.reader(frozen, task["modality"])
        features = Features(frozen, np.zeros(0, object))
        baseline = BaselinePredictor.load(folder, features)
        return Run(folder, record, baseline, frozen, **options)
    from reprogram.predictors.reprogrammed import Reprogrammed

    frozen = sources.load(asked)
    program = Reprogrammed.load(folder, frozen, record)
    return Run(folder, record, program, program.source, **options)


def read_record(folder: pathlib.Path) -> dict[str, Any]:
    """Reads the record of a run, also of one of `scripts.train_molecules`.

    That script was removed; its runs have a `result.json` instead.

    Args:
        folder: Folder of the run.

    Returns:
        The record; of an old run of molecules only what predictions need.

    Raises:
        FileNotFoundError: If there is no record.
        ValueError: If it is damaged.
    """
    path = folder / "result.json"
    if (folder / "record.json").exists() or not path.exists():
        return records.load(folder)
    old = json.loads(path.read_text("utf-8"))
    kept = json.loads((folder / "predictor.json").read_text("utf-8"))
    return {
        "predictor": "few-label ensemble",
        "flags": {"standard": old["standard"]},
        "task": {
            "name": old["task"],
            "modality": "molecule",
            "problem": kept["problem"],
            "metric": next(iter(old["scores"]), ""),
            "unit": old["unit"],
            "target_names": old["target_names"],
        },
    }
