"""Oracles of others: a Python function, a service, a trained run."""

import importlib
import multiprocessing
import os
import pathlib
import sys
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

Oracle = Callable[[Sequence[str]], Sequence[float]]


def function(name: str) -> Oracle:
    """Imports a function of the user's.

    Args:
        name: `module:function`; the module may lie in the working folder.

    Returns:
        The function, which takes a list of SMILES.

    Raises:
        ValueError: If there is no such module or function.
    """
    module, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"Oracle {name!r} cannot be imported ({error}). Expected"
            " module:function, with the module on the path or in the working"
            " folder."
        ) from error
    return found


def service(address: str, timeout: float = 60.0) -> Oracle:
    """Asks a service over HTTP.

    Args:
        address: Where `{"smiles": [...]}` is posted; the answer is
            `{"values": [...]}`, `null` where there is no value.
        timeout: Seconds to wait for an answer.

    Returns:
        A function from SMILES to values.
    """
    import requests

    def ask(smiles: Sequence[str]) -> list[float]:
        body = {"smiles": list(smiles)}
        answer = requests.post(address, json=body, timeout=timeout)
        answer.raise_for_status()
        values = answer.json()["values"]
        return [np.nan if value is None else value for value in values]

    return ask


def is_run(name: str) -> bool:
    """Says whether a name is the folder of a trained run."""
    return (pathlib.Path(name) / "record.json").exists()


def run(folder: str) -> Oracle:
    """Predicts with a model that `scripts.train` made.

    Args:
        folder: The folder of the run, of a molecular task with one column.

    Returns:
        A function from SMILES to the prediction; of two classes to the
        probability of the second.

    Raises:
        ValueError: If the run predicts several columns.
    """
    from reprogram.experiments import prediction
    from reprogram.molecules.smiles import read

    predictor = prediction.load(folder)
    columns = predictor.columns()[:-1]
    wanted = [c for c in columns if c.startswith("probability")] or columns
    if len(wanted) > 2 or len(wanted) == 2 and columns[0] != "prediction":
        raise ValueError(
            f"The run {folder} predicts {len(wanted)} columns. Expected one,"
            " or two classes."
        )

    def ask(smiles: Sequence[str]) -> list[float]:
        rows, reasons = read(smiles)
        cells = predictor(np.array(rows, object), reasons)
        place = columns.index(wanted[-1])
        return [float(row[place]) if row[place] else np.nan for row in cells]

    return ask


def timed(name: str, seconds: float) -> Oracle:
    """Runs an oracle in a process of its own that is killed if it hangs.

    Args:
        name: What `molecules.oracles.get` takes.
        seconds: Time for one list of molecules.

    Returns:
        A function from SMILES to values; it raises `TimeoutError` after the
        time, and `RuntimeError` with the message of the oracle's error.
    """
    context = multiprocessing.get_context("spawn")
    state = {}

    def start() -> None:
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(name, there))
        process.daemon = True
        process.start()
        state.update(process=process, pipe=here)
        # Importing TensorFlow or the user's module is not the oracle's time.
        if not here.poll(120):
            raise TimeoutError(f"The oracle {name} did not start in 120 s.")
        here.recv()

    def ask(smiles: Sequence[str]) -> list[float]:
        if not state or not state["process"].is_alive():
            start()
        state["pipe"].send(list(smiles))
        if not state["pipe"].poll(seconds):
            state["process"].kill()
            state["process"].join()
            raise TimeoutError(
                f"The oracle {name} gave no answer to {len(smiles)} molecules"
                f" within {seconds:g} s."
            )
        error, values = state["pipe"].recv()
        if error:
            raise RuntimeError(error)
        return values

    return ask


def _serve(name: str, pipe) -> None:
    from reprogram.optimization import oracles

    try:
        oracle, problem = oracles.get(name), ""
    except Exception as error:
        oracle, problem = None, f"{type(error).__name__}: {error}"
    pipe.send("ready")
    while True:
        smiles = pipe.recv()
        if problem:
            pipe.send((problem, None))
            continue
        try:
            pipe.send(("", [float(value) for value in oracle(smiles)]))
        except Exception as error:
            pipe.send((f"{type(error).__name__}: {error}", None))
