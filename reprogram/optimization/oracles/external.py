"""Oracles of others: a Python function, a service, a trained run."""

import functools
import importlib
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from reprogram import files
from reprogram.blackbox.ledger import Oracle


def function(name: str) -> Oracle:
    """Imports a function of the user's, from `module:function`.

    The module may lie in the working folder.

    Raises:
        ValueError: If there is no such module or function.
    """
    module, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(module), attribute)
        if not callable(found):
            raise TypeError(f"{attribute} is no function")
    # The module is the user's, and may raise anything.
    except Exception as error:
        raise ValueError(
            f"Oracle {name!r} cannot be imported ({error}). Expected"
            " module:function, with the module on the path or in the working"
            " folder."
        ) from error
    return found


def service(address: str, timeout: float = 60.0) -> Oracle:
    """Asks a service over HTTP.

    It is posted `{"smiles": [...]}` and answers `{"values": [...]}`, `null`
    where there is no value, within the timeout in seconds.
    """
    import requests

    def ask(smiles: Sequence[str]) -> list[float]:
        body = {"smiles": list(smiles)}
        answer = requests.post(address, json=body, timeout=timeout)
        answer.raise_for_status()
        values = answer.json()["values"]
        return [np.nan if value is None else value for value in values]

    return ask


def run_of(name: str) -> tuple[str, str] | None:
    """Splits `folder` or `folder:target` into both, if a run is there."""
    for folder, target in ((name, ""), name.rpartition(":")[::2]):
        names = ("record.json", "result.json")
        if folder and any((pathlib.Path(folder) / n).exists() for n in names):
            return folder, target
    return None


def run(folder: str, target: str = "") -> Oracle:
    """Predicts with a run of `scripts.train`, whatever it trained.

    Args:
        folder: Path of a run that predicts properties of molecules.
        target: Name of the target or class to predict; optional for one target,
            and for two classes, where it is the second.

    Returns:
        A function from SMILES to the prediction, a value or a probability;
        NaN where the run cannot read the molecule.

    Raises:
        ValueError: If the run does not read molecules, or the target is not
            one of its targets.
    """
    from reprogram.molecules.smiles import read

    loaded = _loaded(folder, files.stamp(folder))
    column = _column(loaded.record["task"], folder, target)
    explain = getattr(loaded.source, "explain", None) or (lambda row: "")

    def ask(smiles: Sequence[str]) -> np.ndarray:
        rows, reasons = read(smiles)
        values = np.full(len(rows), np.nan)
        good = [
            place
            for place, (row, reason) in enumerate(zip(rows, reasons))
            if row and not reason and not explain(row)
        ]
        if good:
            batch = np.array([rows[place] for place in good], object)
            values[good] = loaded.predictor.predict(batch)[:, column]
        return values

    return ask


@functools.lru_cache(maxsize=4)
def _loaded(folder: str, stamp: str) -> Any:
    """Loads a run once; the stamp tells whether it has changed."""
    from reprogram.experiments import prediction

    return prediction.load(folder, jobs=1)


def _column(task: dict, folder: str, target: str) -> int:
    names = list(map(str, task["target_names"]))
    if task["modality"] != "molecule":
        raise ValueError(
            f"The run {folder} reads the modality {task['modality']!r}."
            " Expected a run of a task with molecules."
        )
    if target in names:
        return names.index(target)
    classes = task["problem"] == "classification"
    if target or len(names) > 1 + classes:
        received = f"{target!r}" if target else "none"
        raise ValueError(
            f"The run {folder} predicts {', '.join(names)}. Received the"
            f" target {received}. Name one of them: {folder}:{names[-1]}"
        )
    return len(names) - 1
