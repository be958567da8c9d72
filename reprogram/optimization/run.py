"""Optimizes molecules by queries, with everything kept on disk."""

import dataclasses
import json
import os
import pathlib
import time
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from reprogram import files
from reprogram.blackbox.errors import OracleFailed
from reprogram.blackbox.ledger import Ledger
from reprogram.optimization import floors
from reprogram.optimization import oracles
from reprogram.optimization import results
from reprogram.optimization import search as searches
from reprogram.optimization import starting
from reprogram.optimization.objective import Objective
from reprogram.optimization.search.archive import Archive
from reprogram.optimization.starting import Plan

TOGETHER = 16  # starts whose latents are decoded in one batch


def optimize(
    objective: Objective,
    starts: Sequence[str | None],
    folder: str | os.PathLike,
    plan: Plan = Plan(),  # noqa: B008 (it is frozen)
    jobs: int = 1,
    tell: Callable[[str], None] = print,
    show: Callable[[str, float], None] | None = None,
) -> list[dict]:
    """Searches from each start and saves the results.

    The folder holds `ledger.db`, every call of an oracle; and `starts/`, the
    result of each start. The same call goes on where an interruption, even a
    kill, has left it; what was answered is not asked again. What can be
    checked is checked before the folder is made.

    Args:
        objective: Properties to raise, to lower and to bound.
        starts: SMILES strings; `None` for a search without a start.
        folder: Path of the folder of the results, created if missing.
        plan: Budget, search and seed.
        jobs: Number of processes that share the starts; -1 for all cores.
        tell: Function that is called with lines of progress.
        show: Function that is called with the stage and the number of calls so
            far, of the budgets of all starts together.

    Returns:
        For each start a dict, as `results.result` makes it; with `reason`
        alone where a start cannot be used.

    Raises:
        ValueError: If the folder holds another search, an oracle or the
            search is unknown, or no start can be used.
        OSError: If nothing can be written into the folder.
        OracleFailed: If an oracle fails three times in a row.

    Example:
    >>> wanted = Objective(maximise=["qed"], at_least={"qed": 0.6})
    >>> folder = getfixture("tmp_path")
    >>> plan = Plan(budget=50, floors=False)
    >>> rows = optimize(wanted, ["CCOc1ccccc1"], folder, plan, tell=id)
    >>> rows[0]["values"]["qed"] >= 0.6
    True
    """
    import joblib

    starting.check(objective, starts, folder, plan)
    folder = pathlib.Path(folder)
    configuration = {
        **dataclasses.asdict(objective),
        **dataclasses.asdict(plan),
        "starts": files.digest(np.array(list(starts), object)),
    }
    files.claim(folder, configuration, ("budget", "timeout"))
    together = TOGETHER if plan.search in searches.NEED_SOURCE else 1
    rows = [i for i in range(len(starts)) if not _done(folder, i, plan)]
    groups = [rows[i : i + together] for i in range(0, len(rows), together)]
    done = len(starts) - len(rows)
    if done:
        tell(f"{done} of {len(starts)} starts are done.")

    def watch(archives: Sequence[Archive]) -> None:
        calls = sum(map(len, archives))
        if show:
            stage = f"start {done + 1} of {len(starts)}, {calls:,} calls"
            show(stage, done * plan.budget + calls)
        if len(archives) == 1:
            _tell(tell, archives[0], plan)

    work = (
        joblib.delayed(_solve)(
            *(objective, [(i, starts[i]) for i in group], folder, plan),
            watch if jobs == 1 else None,
        )
        for group in groups
    )
    run = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    for solved in run(work):
        for result in solved:
            done += 1
            tell(f"{done} of {len(starts)}: {results.line(result)}")
        if show:
            show(f"{done} of {len(starts)} starts", done * plan.budget)
    paths = [_place(folder, i) for i in range(len(starts))]
    return [json.loads(path.read_text("utf-8")) for path in paths]


def _place(folder: pathlib.Path, row: int) -> pathlib.Path:
    return folder / "starts" / f"{row:06}.json"


def _done(folder: pathlib.Path, row: int, plan: Plan) -> bool:
    path = _place(folder, row)
    if not path.exists():
        return False
    result = json.loads(path.read_text("utf-8"))
    return result["budget"] >= plan.budget or result.get("solved", False)


def _solve(
    objective: Objective,
    starts: Sequence[tuple[int, str | None]],
    folder: pathlib.Path,
    plan: Plan,
    watch: Callable[[Sequence[Archive]], None] | None,
) -> list[dict]:
    """Searches from some starts in step; writes and returns the results."""
    ledger = Ledger(folder / "ledger.db")
    evaluate = searches.evaluator(objective, ledger, plan.timeout)
    search, source = starting.search(plan), starting.source(plan)
    archives, solved = {}, []
    for row, start in starts:
        try:
            text = starting.prepare(start, plan)
            archives[row] = Archive(objective, text, plan.seed + row)
        except ValueError as error:
            solved.append(results.refused(row, start, plan.budget, str(error)))
    begin = time.perf_counter()
    asked = [starting.first(a, source, plan.budget) for a in archives.values()]
    seconds: dict[int, float] = {}

    def progress(_: Sequence[Archive]) -> None:
        for row, archive in archives.items():
            if archive.solved() and row not in seconds:
                seconds[row] = time.perf_counter() - begin
        if watch:
            watch(list(archives.values()))

    failed = None
    try:
        searches.drive(
            list(archives.values()),
            *(search, evaluate, plan.budget, asked, progress),
        )
    except OracleFailed as error:
        failed = error
    spent = time.perf_counter() - begin
    for row, archive in archives.items():
        time_taken = seconds.get(row, spent)
        result = results.result(row, archive, plan.budget, time_taken)
        if plan.floors and archive.start and not failed:
            result["floors"] = floors.tricks(archive, archive.start)
        if not failed:
            result["unsteady"] = _unsteady(archive, ledger, plan.timeout)
        solved.append(result)
    for result in solved:
        path = _place(folder, result["row"])
        if failed:
            path = path.with_suffix(".partial.json")
        files.write_text(path, json.dumps(files.plain(result)) + "\n")
    if failed:
        raise failed
    return solved


def _unsteady(
    archive: Archive, ledger: Ledger, timeout: float | None
) -> dict[str, float]:
    """Evaluates the best molecule again with external oracles, as a check.

    Returns:
        Answers that differ from the first, by oracle.
    """
    best, unsteady = archive.best(), {}
    for column, name in enumerate(archive.objective.properties):
        if best is None or name in oracles.ORACLES:
            continue
        oracle = searches.oracle(name, timeout)
        again = ledger.repeat(name, oracle, archive.smiles[best])
        if not np.isclose(again, archive.values[best, column], rtol=1e-6):
            unsteady[name] = again
    return unsteady


def _tell(tell: Callable[[str], None], archive: Archive, plan: Plan) -> None:
    utility = np.where(archive.allowed, archive.utility(), -np.inf)
    if not np.isfinite(utility).any():
        return
    best = archive.best()
    row = int(np.argmax(utility)) if best is None else best
    names = archive.objective.properties
    values = zip(names, archive.values[row])
    shown = ", ".join(f"{name} {value:.4g}" for name, value in values)
    text = f"{shown}, {archive.smiles[row]}"
    if archive.memory.get("told") != text:
        archive.memory["told"] = text
        note = " (outside the bounds)" if best is None else ""
        tell(f"{len(archive):,} of {plan.budget:,} calls: {text}{note}")
