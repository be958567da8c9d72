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
from reprogram.optimization import oracles
from reprogram.optimization import outcome
from reprogram.optimization import search as searches
from reprogram.optimization import starting
from reprogram.optimization.constraints import plain
from reprogram.optimization.ledger import Ledger
from reprogram.optimization.ledger import OracleFailed
from reprogram.optimization.objective import Objective
from reprogram.optimization.search.archive import Archive

TOGETHER = 16  # starts whose latents are decoded in one batch


@dataclasses.dataclass(frozen=True)
class Plan:
    """How to search.

    Args:
        budget: Molecules that may be asked for each start, the start
            included.
        search: A key of `search.SEARCHES`.
        source: Name or path of a molecular source, for searches in its
            latent; empty for none.
        options: Arguments of the search.
        seed: Seed of all draws.
        timeout: Seconds for one list of molecules, for oracles that are not
            of this library.
        floors: Whether to say what cheap tricks reach; only for oracles of
            this library, which cost nothing.
    """

    budget: int = 500
    search: str = "evolution"
    source: str = ""
    options: dict = dataclasses.field(default_factory=dict)
    seed: int = 0
    timeout: float | None = None
    floors: bool = True


def optimize(
    objective: Objective,
    starts: Sequence[str | None],
    folder: str | os.PathLike,
    plan: Plan = Plan(),
    jobs: int = 1,
    tell: Callable[[str], None] = print,
) -> list[dict]:
    """Searches from each start and keeps what is found.

    The folder holds `ledger.db`, every call of an oracle; and `starts/`, the
    result of each start. The same call goes on where an interruption, even a
    kill, has left it; what was answered is not asked again.

    Args:
        objective: What is wanted.
        starts: SMILES; `None` for a search without a start.
        folder: Where to keep everything.
        plan: How to search.
        jobs: Processes, -1 for all cores; each has some of the starts.
        tell: Called with lines of progress.

    Returns:
        For each start a dict, see `outcome.result`; with `reason` alone where a
        start cannot be used.

    Raises:
        ValueError: If the folder holds another search, an oracle is unknown,
            or the start has no value.
        OracleFailed: If an oracle fails three times in a row.

    Example:
    >>> wanted = Objective(maximise=["qed"], at_least={"qed": 0.6})
    >>> folder = getfixture("tmp_path")
    >>> plan = Plan(budget=50, floors=False)
    >>> found = optimize(wanted, ["CCOc1ccccc1"], folder, plan, tell=id)
    >>> found[0]["values"]["qed"] >= 0.6
    True
    """
    import joblib

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
    if len(rows) < len(starts):
        tell(f"{len(starts) - len(rows)} of {len(starts)} starts are done.")
    alone = tell if jobs == 1 else None
    work = (
        joblib.delayed(_solve)(
            objective, [(i, starts[i]) for i in group], folder, plan, alone
        )
        for group in groups
    )
    run = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    done, solved = len(starts) - len(rows), 0
    for found in run(work):
        done += len(found)
        solved += sum(result.get("solved", False) for result in found)
        for result in found:
            tell(f"{done} of {len(starts)}: {outcome.line(result)}")
    paths = [_place(folder, i) for i in range(len(starts))]
    return [json.loads(path.read_text("utf-8")) for path in paths]


def _place(folder: pathlib.Path, row: int) -> pathlib.Path:
    return folder / "starts" / f"{row:06}.json"


def _done(folder: pathlib.Path, row: int, plan: Plan) -> bool:
    path = _place(folder, row)
    if not path.exists():
        return False
    found = json.loads(path.read_text("utf-8"))
    return found["budget"] >= plan.budget or found.get("solved", False)


def _solve(
    objective: Objective,
    starts: Sequence[tuple[int, str | None]],
    folder: pathlib.Path,
    plan: Plan,
    tell: Callable[[str], None] | None,
) -> list[dict]:
    """Searches from some starts in step; writes and returns the results."""
    ledger = Ledger(folder / "ledger.db")
    evaluate = searches.evaluator(objective, ledger, plan.timeout)
    source = None
    if plan.source:
        from reprogram import sources

        source = sources.load(plan.source)
    search = searches.get(plan.search, source, **plan.options)
    archives, found = {}, []
    for row, start in starts:
        try:
            text = plain(start) if start is not None else None
            archives[row] = Archive(objective, text, plan.seed + row)
            if plan.search in searches.NEED_SOURCE and text:
                starting.check_readable(source, text)
        except ValueError as error:
            archives.pop(row, None)
            found.append(outcome.refused(row, start, plan.budget, str(error)))
    begin = time.perf_counter()
    asked = [starting.first(a, source, plan.budget) for a in archives.values()]
    seconds: dict[int, float] = {}

    def progress(_: Sequence[Archive]) -> None:
        for row, archive in archives.items():
            if archive.solved() and row not in seconds:
                seconds[row] = time.perf_counter() - begin
        if tell and len(archives) == 1:
            _tell(tell, next(iter(archives.values())), plan)

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
        result = outcome.result(
            row, archive, plan.budget, seconds.get(row, spent)
        )
        if plan.floors and archive.start and not failed:
            result["floors"] = outcome.tricks(archive)
        if not failed:
            result["unsteady"] = _unsteady(archive, ledger, plan.timeout)
        found.append(result)
    for result in found:
        path = _place(folder, result["row"])
        path.parent.mkdir(parents=True, exist_ok=True)
        if failed:
            path = path.with_suffix(".partial.json")
        files.write_text(path, json.dumps(files.plain(result)) + "\n")
    if failed:
        raise failed
    return found


def _unsteady(
    archive: Archive, ledger: Ledger, timeout: float | None
) -> dict[str, float]:
    """Asks others' oracles about the best molecule again, as a check.

    Returns:
        Answers that differ from the first, by oracle.
    """
    best, found = archive.best(), {}
    for column, name in enumerate(archive.objective.properties):
        if best is None or name in oracles.ORACLES:
            continue
        oracle = searches.oracle(name, timeout)
        again = ledger.repeat(name, oracle, archive.smiles[best])
        if not np.isclose(again, archive.values[best, column], rtol=1e-6):
            found[name] = again
    return found


def _tell(tell: Callable[[str], None], archive: Archive, plan: Plan) -> None:
    utility = np.where(archive.allowed, archive.utility(), -np.inf)
    if not np.isfinite(utility).any():
        return
    best = archive.best()
    row = int(np.argmax(utility)) if best is None else best
    shown = [
        f"{name} {value:.4g}"
        for name, value in zip(
            archive.objective.properties, archive.values[row]
        )
    ]
    text = f"{', '.join(shown)}, {archive.smiles[row]}"
    if archive.memory.get("told") != text:
        archive.memory["told"] = text
        note = " (outside the bounds)" if best is None else ""
        tell(f"{len(archive):,} of {plan.budget:,} calls: {text}{note}")
