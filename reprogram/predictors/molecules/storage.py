"""Predictors in a folder, as text: training labels and what was chosen.

Nothing is pickled. Loading fits the parts again, with the shares and the
hyperparameters that were chosen, and compares a few predictions.
"""

import json
import os
import pathlib
import warnings

import numpy as np

from reprogram import files
from reprogram.predictors.molecules.labels import Labels
from reprogram.predictors.molecules.predictor import MoleculePredictor

NAME = "predictor.json"
CHECKED = 16


def save(predictor: MoleculePredictor, folder: str | os.PathLike) -> None:
    """Writes a fitted predictor.

    Args:
        predictor: A fitted predictor.
        folder: Folder that `predictor.json` is written to; made if missing.

    Raises:
        ValueError: If the predictor was not fitted.
    """
    if not hasattr(predictor, "stacks"):
        raise ValueError("The predictor is not fitted. Call fit first.")
    some = predictor.smiles[:CHECKED]
    labels = predictor.labels
    content = {
        "problem": predictor.problem,
        "source": predictor.source,
        "seed": predictor.seed,
        "smiles": predictor.smiles,
        "labels": files.plain(labels.values.tolist()),
        "classes": files.plain(list(labels.classes)),
        "flat": labels.flat,
        "stacks": [stack.state() for stack in predictor.stacks],
        "predictions": np.asarray(predictor.predict(some)).tolist(),
        "versions": files.versions(),
    }
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    files.write_text(path / NAME, json.dumps(content, allow_nan=False))


def load(
    folder: str | os.PathLike,
    cache: str | os.PathLike | None = None,
    jobs: int = 1,
) -> MoleculePredictor:
    """Reads what `save` wrote and fits it again.

    Args:
        folder: Folder that holds `predictor.json`.
        cache: Folder that keeps the features from run to run.
        jobs: Number of processes and threads, see `MoleculePredictor`.

    Returns:
        The predictor, ready to predict. It warns if other versions of the
        libraries make it predict something else than when it was saved.

    Raises:
        ValueError: If there is no predictor in the folder, or it is damaged.

    Example:
    >>> folder = getfixture("tmp_path")
    >>> smiles = ["C" * n + "O" for n in range(1, 13)]
    >>> model = MoleculePredictor(source="")
    >>> save(model.fit(smiles, [float(n) for n in range(1, 13)]), folder)
    >>> load(folder).predict(["CCCCCO"]) == model.predict(["CCCCCO"])
    array([ True])
    """
    path = pathlib.Path(folder) / NAME
    if not path.is_file():
        raise ValueError(
            f"There is no {path}. Give the folder of a saved predictor of"
            " molecules."
        )
    try:
        content = json.loads(path.read_text("utf-8"))
        labels = Labels(
            content["problem"],
            np.array(content["labels"], float),
            tuple(content["classes"]),
            content["flat"],
        )
        model = MoleculePredictor(
            content["problem"], content["source"], content["seed"], cache, jobs
        )
        model.refit(content["smiles"], labels, content["stacks"])
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path} is damaged: {error!r}. Train again."
        ) from error
    _compare(model, content)
    return model


def _compare(model: MoleculePredictor, content: dict) -> None:
    then = np.array(content["predictions"])
    now = np.asarray(model.predict(model.smiles[:CHECKED]))
    change = np.abs(now - then).max() / max(np.abs(then).max(), 1e-9)
    if change > 1e-3:
        versions = files.versions()
        differ = [
            f"{name} {old} then and {versions.get(name)} now"
            for name, old in content["versions"].items()
            if versions.get(name) != old
        ]
        warnings.warn(
            f"The predictor now answers up to {change:.1%} differently than"
            f" when it was saved ({'; '.join(differ) or 'same versions'})."
            " Train it again.",
            stacklevel=3,
        )
