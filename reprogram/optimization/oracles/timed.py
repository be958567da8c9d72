"""Oracles in a process of their own, which is killed if it hangs."""

import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from reprogram.blackbox.ledger import Oracle
from reprogram.optimization import oracles

STARTING = 120  # seconds for imports, which are not the oracle's time


def timed(name: str, seconds: float) -> Oracle:
    """Runs an oracle in a process of its own that is killed if it hangs.

    The function that is returned raises `TimeoutError` if one list of
    molecules takes more than the seconds, and `RuntimeError` with the message
    of the oracle's error.
    """
    context = multiprocessing.get_context("spawn")
    state: dict[str, Any] = {}

    def start() -> None:
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(name, there))
        process.daemon = True
        process.start()
        state.update(process=process, pipe=here)
        if not here.poll(STARTING):
            raise TimeoutError(
                f"The oracle {name} did not start in {STARTING} s."
            )
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


def _serve(name: str, pipe: Connection) -> None:
    oracle, problem = None, ""
    try:
        oracle = oracles.get(name)
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
    pipe.send("ready")
    while True:
        smiles = pipe.recv()
        if oracle is None:
            pipe.send((problem, None))
            continue
        try:
            pipe.send(("", [float(value) for value in oracle(smiles)]))
        except Exception as error:
            pipe.send((f"{type(error).__name__}: {error}", None))
