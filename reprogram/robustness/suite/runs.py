"""Runs of any predictor as subjects of a report card."""

import os
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from reprogram import files
from reprogram.robustness.suite.subjects import Subject
from reprogram.robustness.suite.subjects import described

if TYPE_CHECKING:
    from reprogram.experiments.prediction import Run

# What the run was told of how to read its task.
READING = ("smiles_column", "target_column", "split_column", "problem")
SAVED = ("predictor.json", "baseline.json", "training.npz")
BATCH = 256


def of_run(
    folder: str | os.PathLike, task: str = "", source: str | None = None
) -> Subject:
    """Makes a subject of a run and of the rows that it was tested on.

    Attacks on a reprogrammed source work on its preprocessed inputs, and on
    single predictions, not on averages over views. Other predictors are only
    used for predictions.

    Args:
        folder: Path of the folder of a run of any predictor.
        task: Name or file of its task, if it has moved.
        source: Name or file of its frozen source, if it has moved.

    Raises:
        FileNotFoundError: If the folder is not that of a finished run.
        ValueError: If the run keeps no test rows, if the task has others, or
            if every prediction would be asked of a service.
    """
    from reprogram.experiments import prediction

    run = prediction.load(folder, source)
    if run.model is None and run.record.get("flags", {}).get("service"):
        raise ValueError(
            "Every prediction of this run is asked of a service, and a card"
            " takes many thousands. Name a copy of the source by --source."
        )
    inputs, about = _test(run, task)
    name = (
        f"{(run.record.get('source') or {}).get('name') or run.predictor.name}"
    )
    if run.model is None:
        name = run.predictor.name
    common = {"problem": run.task["problem"], "about": _about(run), **about}
    name = run.predictor.name
    if run.model is not None:
        name = run.record["source"]["name"]
    common = {"problem": run.task["problem"], "about": _about(run), **about}
    name = f"{name} on {run.task['name']}"
    if run.task["modality"] == "molecule":
        return _molecular(name, run, inputs, common)
    if run.model is None or run.source is None:
        x = np.asarray(list(inputs), "float32")
        known = (0.0, 255.0) if x.ndim == 4 else None

        def model(batch: Any) -> np.ndarray:
            return run.predictor.predict(np.asarray(batch))
    else:
        model, frozen = run.model, run.source
        known, starts = frozen.input_range, range(0, len(inputs), BATCH)
        parts = [frozen.preprocess(inputs[i : i + BATCH]) for i in starts]
        x = np.concatenate([np.asarray(part, "float32") for part in parts])
    common |= {"modality": "series" if x.ndim == 3 else "image"}
    return Subject(name, model, x, bounds=_bounds(x, known), **common)


def _molecular(
    name: str, run: "Run", smiles: np.ndarray, common: dict[str, Any]
) -> Subject:
    def predict(batch: list[str]) -> np.ndarray:
        values = run.predictor.predict(np.asarray(batch, object))
        column = values.shape[1] == 1 and common["problem"] == "regression"
        return values[:, 0] if column else values

    if common["problem"] != "classification" and common["y"].shape[1] == 1:
        known = np.isfinite(common["y"][:, 0])
        smiles, common["y"] = smiles[known], common["y"][known]
        if common["held_out"] is not None:
            common["held_out"] = common["held_out"][known]
    more = {"predict": predict, "modality": "molecule", **common}
    more["explain"] = getattr(run.source, "explain", None)
    return Subject(name, run.model or predict, smiles, **more)


def _test(run: "Run", name: str) -> tuple[np.ndarray, dict[str, Any]]:
    """Returns the test inputs; their targets, and what was predicted."""
    test, task = run.record.get("test") or {}, run.task
    if not test.get("targets"):
        raise ValueError(
            f"The run {run.folder} keeps no test rows to judge it by. Train it"
            " again with this version of reprogram."
        )
    classes = task["problem"] == "classification"
    targets = np.array(test["targets"], int if classes else float)
    targets = targets if classes else targets.reshape(len(targets), -1)
    seen = "included" in (run.record.get("refit") or "")
    tested = np.array(test["predictions"], float).reshape(len(targets), -1)
    about = {"y": targets, "held_out": tested if seen else None}
    if task["modality"] == "molecule":
        return np.asarray(test["inputs"], object), about
    from reprogram import tasks

    given = run.record["flags"]
    options = {key: given.get(key) for key in (*READING, "metric")}
    name = name or given.get("csv") or given["task"]
    loaded = tasks.load(name, **options)
    rows = test["inputs"]
    same = max(rows) < len(loaded.inputs) and np.array_equal(
        np.asarray(loaded.targets[rows], float).reshape(len(rows), -1),
        np.asarray(targets, float).reshape(len(rows), -1),
        equal_nan=True,
    )
    if not same:
        raise ValueError(
            f"The task {name} has other targets than the run was tested on."
            " Name the task of the run by --task."
        )
    return loaded.inputs[rows], about


def _about(run: "Run") -> dict[str, Any]:
    """Returns the facts about model and data for a card."""
    task, record = run.task, run.record
    source = record.get("source") or {}
    model: dict[str, Any] = {"kind": run.predictor.name}
    model["parameters"] = getattr(run.predictor, "parameters", None)
    if run.model is not None:
        model = described(run.model)
    else:
        paths = [run.folder / name for name in SAVED]
        arrays = [np.fromfile(p, "uint8") for p in paths if p.exists()]
        model["fingerprint"] = files.digest(*arrays)
    if source:
        before, after = (
            source.get(f"fingerprint_{when}") for when in ("before", "after")
        )
        same = before is not None and before == after
        model |= {
            "source": source["name"],
            "source_fingerprint": before,
            "frozen": "yes, proven" if same else "no",
            "licence": source.get("licence"),
            "citation": source.get("citation"),
        }
    kept = ("unit", "test_rows", "licence", "citation")
    data: dict[str, Any] = {key: task.get(key) for key in kept}
    data |= {"task": task["name"], "classes": task.get("target_names")}
    about: dict[str, Any] = {
        "model": model,
        "data": data,
        "promises": _promises(record),
    }
    if "included" in (record.get("refit") or ""):
        about["warnings"] = [
            "The saved model was fitted again to all labels, those of these"
            " rows included. Quality and intervals are those of the model"
            " before, which had not seen them; attacks, shifts and edits meet"
            " the saved model and may look too good. Train with --norefit for"
            " a card of unseen rows only."
        ]
    return about


def _promises(record: dict[str, Any]) -> dict[str, Any]:
    """Returns how often intervals or sets held the truth in the first test."""
    models = {model["name"]: model for model in record.get("models") or []}
    metrics = models.get(record.get("predictor"), {}).get("metrics", {})
    names = ("coverage", "coverage in domain", "in domain")
    known = {name: metrics[name][0] for name in names if metrics.get(name)}
    if not known:
        return {}
    rows = len(record["test"]["targets"])
    confidence = record.get("confidence") or 0.9
    return {**known, "confidence": confidence, "rows": rows}


def _bounds(x: np.ndarray, known: tuple | None) -> tuple[float, float]:
    low, high = float(x.min()), float(x.max())
    # A source may be fed a little outside the range that it was trained in.
    if known is not None and low >= known[0] and high <= known[1]:
        return float(known[0]), float(known[1])
    return low, max(high, low + 1e-6)
