"""One task, its predictors and draws: from data to a record."""

import dataclasses
import json
import pathlib
import time
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from reprogram import files
from reprogram import predictors
from reprogram.experiments.progress import Progress
from reprogram.predictors import conformal
from reprogram.predictors.assessment import Assessment
from reprogram.predictors.data import Data
from reprogram.predictors.data import check_modality
from reprogram.predictors.recipe import Recipe

CONFIDENCE = 0.9
KEPT = "kept.txt"
SAVED = ("model.keras", "predictor.json", "baseline.json")


@dataclasses.dataclass
class Experiment:
    """A task on which predictors are compared, one of them to be kept.

    Results of a draw and a predictor stay in `folder/cells` and are not
    computed again: the same call goes on after an interruption.

    Args:
        data: Rows, targets, draws, test set and source.
        predictor: Name of the predictor to keep, a key of
            `predictors.PREDICTORS`.
        rivals: Names of predictors to compare it with.
        recipe: Choices of transform, mapping and training.
        folder: Folder of the run.
        tell: Function that receives lines of progress.
    """

    data: Data
    predictor: str
    rivals: Sequence[str]
    recipe: Recipe
    folder: pathlib.Path
    tell: Callable[[str], None] = print

    def __post_init__(self) -> None:
        if self.data.source is not None:
            check_modality(self.data.source, self.data.modality)
        for name in (self.predictor, *self.rivals):
            predictor = predictors.get(name, 0, self.recipe)
            modality = self.data.modality
            if name in predictors.MOLECULES and modality != "molecule":
                raise ValueError(
                    f"The predictor {name!r} reads molecules. Received: data of"
                    f" the modality {modality!r}. Choose another predictor."
                )
            check = getattr(predictor, "check", None)
            if name == "reprogrammed" and check is not None:
                check(self.data)
        rivals = [name for name in self.rivals if name != self.predictor]
        self.names = [*rivals, self.predictor]
        self._first: predictors.Predictor | None = None

    def run(self) -> dict[str, Any]:
        """Fits and tests every predictor on every draw.

        Returns:
            The parts of a record that the experiment decides, see
            `report.schema`.

        Raises:
            ValueError: If a predictor does not suit the data.
        """
        source, seeds = self.data.source, list(self.data.draws)
        before = _fingerprint(source)
        cells: dict[str, list[dict[str, Any]]] = {n: [] for n in self.names}
        with Progress(len(seeds) * len(self.names)) as progress:
            for number, seed in enumerate(seeds):
                for place, name in enumerate(self.names):
                    done = number * len(self.names) + place
                    stage = f"seed {number + 1} of {len(seeds)}, {name}"
                    progress.show(stage, done)
                    cells[name].append(self._cell(seed, name, progress, stage))
                progress.clear()
                self.tell(_line(number, seeds, cells[self.predictor][-1]))
        found: dict[str, Any] = {
            "seeds": seeds,
            "predictor": cells[self.predictor][0]["name"],
            "recipe": dataclasses.asdict(self.recipe),
            "models": [_merge(cells[name]) for name in self.names],
            "test": cells[self.predictor][0]["test"],
        }
        if source is not None:
            found["source"] = {
                "name": source.name,
                "parameters": source.model.count_params(),
                "fingerprint_before": before,
                "fingerprint_after": _fingerprint(source),
                "licence": source.licence,
                "citation": source.citation,
            }
        shown = cells.get("reprogrammed") or cells[self.predictor]
        found["trainable_parameters"] = shown[0]["parameters"] or 0
        histories = [cell["history"] for cell in shown if cell.get("history")]
        if histories:
            found["history"] = histories
        for name in self.names:
            for part in ("mapping", "pictures", "carried"):
                if cells[name][0].get(part):
                    found[part] = cells[name][0][part]
        return found

    def _cell(
        self, seed: int, name: str, progress: Progress, stage: str
    ) -> dict[str, Any]:
        path = self.folder / "cells" / f"{seed}-{name}.json"
        if path.exists():
            return json.loads(path.read_text("utf-8"))
        start = time.perf_counter()
        predictor = self._fit(seed, name, progress, stage)
        inputs = self.data.inputs[self.data.test]
        entry = self._tested(predictor, inputs)
        entry["seconds"] = time.perf_counter() - start
        history = getattr(predictor, "history", None)
        if history:
            entry["history"] = {"seed": seed, **history}
        if seed == next(iter(self.data.draws)):
            entry |= _about(predictor, self.data)
            if name == self.predictor:
                self._first = predictor
        files.write_text(path, json.dumps(files.plain(entry)))
        return json.loads(path.read_text("utf-8"))

    def _fit(
        self,
        seed: int,
        name: str,
        progress: Progress | None = None,
        stage: str = "",
    ) -> predictors.Predictor:
        predictor = predictors.get(name, seed, self.recipe)
        if progress is not None and hasattr(predictor, "watch"):

            def watch(epoch: int, limit: int) -> None:
                progress.show(f"{stage}, epoch {epoch} of at most {limit}")

            predictor.watch = watch
        return predictor.fit(self.data, *self.data.draws[seed])

    def _tested(
        self, predictor: predictors.Predictor, inputs: np.ndarray
    ) -> dict[str, Any]:
        data, targets = self.data, self.data.targets[self.data.test]
        trust: dict[str, float] = {}
        if hasattr(predictor, "assess"):
            assessment = predictor.assess(inputs, CONFIDENCE)
            values = assessment.prediction
            trust = _trust(assessment, targets)
        else:
            values = predictor.predict(inputs)
        text = data.modality == "molecule"
        return {
            "name": predictor.name,
            "parameters": predictor.parameters,
            "metrics": data.scores(values) | trust,
            "test": {
                "inputs": [str(s) for s in inputs] if text else data.test,
                "targets": targets,
                "predictions": values,
            },
        }

    def keep(
        self, everything: tuple[np.ndarray, np.ndarray] | None = None
    ) -> str:
        """Saves the predictor of the run, once its score is known.

        Args:
            everything: All labelled rows, to fit on and to validate on; it is
                fitted to them again. `None` keeps the fit of the first draw.

        Returns:
            Description of the saved predictor, for the record.
        """
        first = next(iter(self.data.draws))
        count = sum(map(len, everything or self.data.draws[first]))
        text = f"as fitted to the {count:,} labels of the first draw"
        if everything is not None:
            text = (
                f"fitted again to all {count:,} labels, those of the test set"
                " included, after its score was known"
            )
        note = self.folder / KEPT
        saved = any((self.folder / name).exists() for name in SAVED)
        if saved and note.exists() and note.read_text("utf-8") == text:
            return text
        predictor = self._first
        if everything is not None or predictor is None:
            draws = {first: everything or self.data.draws[first]}
            again = dataclasses.replace(
                self, data=dataclasses.replace(self.data, draws=draws)
            )
            stage = f"fit to {count:,} labels"
            with Progress(1) as progress:
                progress.show(stage)
                predictor = again._fit(first, self.predictor, progress, stage)
        predictor.save(self.folder)
        files.write_text(note, text)
        return text


def _trust(assessment: Assessment, targets: np.ndarray) -> dict[str, float]:
    """How often intervals or sets held the truth, in all and in the domain."""
    held = conformal.covered(assessment, targets)
    inside = held[np.asarray(assessment.in_domain, bool)]
    return {
        "coverage": float(np.nanmean(held)),
        "coverage in domain": (
            float(np.nanmean(inside)) if inside.size else float("nan")
        ),
        "in domain": float(np.mean(assessment.in_domain)),
    }


def _fingerprint(source: Any) -> str | None:
    if source is None:
        return None
    from reprogram.program import fingerprint

    return fingerprint(source.model)


def _about(predictor: predictors.Predictor, data: Data) -> dict[str, Any]:
    """Parts of the report page about a predictor, with its program."""
    about = predictor.about(data) if hasattr(predictor, "about") else {}
    program = about.pop("program", None)
    if program:
        from reprogram.report.pages import program as pictures

        about["pictures"] = pictures.of_program(*program)
    return about


def _merge(cells: Sequence[dict[str, Any]]) -> dict[str, Any]:
    first = cells[0]
    return {
        "name": first["name"],
        "parameters": first["parameters"],
        "seconds": [cell["seconds"] for cell in cells],
        "metrics": {
            key: [cell["metrics"].get(key) for cell in cells]
            for key in first["metrics"]
        },
    }


def _line(number: int, seeds: Sequence[int], cell: dict[str, Any]) -> str:
    name, value = next(iter(cell["metrics"].items()))
    value = "n/a" if value is None else f"{value:.3f}"
    return (
        f"seed {seeds[number]} ({number + 1} of {len(seeds)}): {cell['name']}"
        f" {name} {value}"
    )
