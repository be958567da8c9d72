r"""Molecules by queries: QED, penalized logP, DRD2 and the PMO tasks.

    python -m benchmarks.optimization --suite=qed
    python -m benchmarks.optimization --suite=qed --search=qmo --starts=40
    python -m benchmarks.optimization --suite=plogp
    python -m benchmarks.optimization --suite=pmo --tasks=qed,median1

Resumable; --shard and --num_shards split the starts, or the tasks. Start
molecules are read from --data_dir. The searches see no other molecule of it.
By default no search asks for strained or reactive groups, in PMO too;
--noplausible lets it.
"""

import json
import pathlib
import time

import numpy as np
from absl import app
from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_enum("suite", "qed", ["qed", "plogp", "drd2", "pmo"], "What.")
flags.DEFINE_bool("quick", False, "Few starts and calls.")
flags.DEFINE_string("search", "evolution", "See optimization.SEARCHES.")
flags.DEFINE_string("source", "", "Molecular source, for latents.")
flags.DEFINE_string("start", "", "File of start molecules, instead.")
flags.DEFINE_integer("starts", 0, "So many, evenly chosen; 0 for all.", 0)
flags.DEFINE_integer("budget", 0, "Calls a start; 0 for the suite's.", 0)
flags.DEFINE_list("tasks", [], "Of PMO, instead of all twenty.")
flags.DEFINE_integer("seeds", 1, "Seeds.", 1)
flags.DEFINE_string("options", "{}", "Arguments of the search, as JSON.")
flags.DEFINE_bool("plausible", True, "Rule out strained, reactive groups.")
flags.DEFINE_string("drd2", "", "Oracle of DRD2, see optimization.oracles.get.")
flags.DEFINE_integer("jobs", 1, "Processes; -1 for all cores.")
flags.DEFINE_integer("shard", 0, "Which part.", 0)
flags.DEFINE_integer("num_shards", 1, "In how many parts.", 1)
flags.DEFINE_string(
    "data_dir", "../shared/data/molecules/optimization", "Start molecules."
)
flags.DEFINE_string("output_dir", "runs/benchmark-optimization", "Results.")
LIMITS = (50, 100, 200, 500, 1000, 10_000)
PUBLISHED = {"qed": "QMO 92.8 %", "pmo": "Genetic GFN 13.594"}


def starts(name: str) -> list[str]:
    """Reads the start molecules of a suite."""
    path = pathlib.Path(FLAGS.data_dir) / f"{name}_valid.txt"
    path = pathlib.Path(FLAGS.start or path)
    rows = [line.split()[0] for line in path.read_text().splitlines() if line]
    count = 4 if FLAGS.quick else FLAGS.starts
    rows = rows[:: max(len(rows) // count, 1)][:count] if count else rows
    return rows[FLAGS.shard :: FLAGS.num_shards]


def solve(objective, rows: list, name: str, budget: int, seed: int):
    """Runs one search, or takes up its results."""
    from reprogram.optimization import run as optimization

    budget = FLAGS.budget or (100 if FLAGS.quick else budget)
    part = f"{FLAGS.shard}of{FLAGS.num_shards}"
    folder = f"{name}-{FLAGS.search}-{budget}-{len(rows)}-{seed}-{part}"
    options = json.loads(FLAGS.options)
    source = FLAGS.source
    if FLAGS.search == "qmo":
        source = source or "zinc-autoencoder"
    plan = optimization.Plan(
        budget=budget,
        search=FLAGS.search,
        source=source,
        options=options,
        seed=seed,
        floors=False,
    )
    begin = time.perf_counter()
    found = optimization.optimize(
        objective,
        rows,
        pathlib.Path(FLAGS.output_dir) / folder,
        *(plan, FLAGS.jobs),
        tell=lambda text: print(f"# {text}", flush=True),
    )
    print(f"# {name}: {time.perf_counter() - begin:.0f} s this time")
    return found


def say(name: str, value, unit: str, bar=None, higher: bool = True, **more):
    holds = None
    if bar is not None:
        holds = bool(value >= bar if higher else value <= bar)
    figure = {"name": name, "value": value, "unit": unit, "bar": bar}
    print(json.dumps(figure | {"holds": holds} | more), flush=True)


def thresholds(name: str, found: list, limits=LIMITS, bars=()) -> None:
    """Shares solved within each number of calls, with Wilson intervals."""
    from scipy import stats

    calls = np.array([r["calls"] if r["solved"] else np.inf for r in found])
    bars = dict(bars)
    for limit in limits:
        solved = int((calls <= limit).sum())
        interval = stats.binomtest(solved, len(calls)).proportion_ci(
            method="wilson"
        )
        say(
            *(f"{name}, solved within {limit} calls", solved / len(calls)),
            *("share", bars.get(limit)),
            interval=[interval.low, interval.high],
            starts=len(calls),
        )
    say(f"{name}, median calls", float(np.median(calls)), "calls", 60, False)


def qed() -> None:
    from reprogram.optimization.objective import Objective

    wanted = Objective(
        ["qed"],
        at_least={"qed": 0.9},
        similarity=0.4,
        plausible=FLAGS.plausible,
    )
    bars = {500: 0.93, 1000: 0.97, 10_000: 0.99}
    for seed in range(FLAGS.seeds):
        found = solve(wanted, starts("qed"), "qed", 10_000, seed)
        thresholds(f"qed, {FLAGS.search}, seed {seed}", found, bars=bars)


def drd2() -> None:
    from reprogram.optimization.objective import Objective

    if not FLAGS.drd2:
        raise app.UsageError(
            "DRD2 needs an oracle: its published one is a pickle of an old"
            " scikit-learn. Give yours with --drd2=module:function."
        )
    name = FLAGS.drd2
    wanted = Objective(
        [name], at_least={name: 0.5}, similarity=0.4, plausible=FLAGS.plausible
    )
    found = solve(wanted, starts("drd2"), "drd2", 10_000, 0)
    thresholds(f"drd2, {FLAGS.search}", found)


def plogp() -> None:
    """Improvement over the start, beside the floor of one alkyl chain."""
    from reprogram.optimization import floors
    from reprogram.optimization.constraints import Frame
    from reprogram.optimization.constraints import plain
    from reprogram.optimization.objective import Objective
    from reprogram.optimization.search import evaluator
    from reprogram.report import record

    for similarity in (0.4, 0.6):
        wanted = Objective(
            ["penalized_logp"], similarity=similarity, plausible=FLAGS.plausible
        )
        rows = starts("logp04")
        found = solve(wanted, rows, f"plogp{similarity}", 1000, 0)
        evaluate, gains, floor = evaluator(wanted), [], []
        for result in found:
            begin = result["start_values"]["penalized_logp"]
            gains.append(result["values"]["penalized_logp"] - begin)
            start = plain(result["start"])
            chains = floors.chains(start, Frame(wanted, start))
            best = floors.reached(wanted, start, chains, evaluate)
            floor.append(best["values"]["penalized_logp"] - begin)
        name = f"penalized logP, similarity {similarity}"
        for label, values in (("gain", gains), ("floor", floor)):
            mean, half = record.interval(values)
            say(
                *(f"{name}, {label}", mean, "logP - SA"),
                half_width=half,
                deviation=float(np.std(values, ddof=1)),
                starts=len(values),
            )
        mean, half = record.interval(np.subtract(gains, floor))
        say(f"{name}, gain over the floor", mean - half, "lower end", 0.0)


def top_area(found: dict, calls: int = 10_000, top: int = 10) -> float:
    """The area under the mean of the ten best so far, as PMO counts it."""
    values = np.array(found["asked"])[:calls]
    points = [0.0]
    grid = list(range(100, len(values), 100)) + [len(values)]
    points += [np.sort(values[:n])[-top:].mean() for n in grid]
    area = np.trapezoid(points, [0, *grid])
    return float((area + points[-1] * (calls - len(values))) / calls)


def pmo() -> None:
    from reprogram.optimization.objective import Objective
    from reprogram.optimization.oracles.pmo import PMO

    budget = FLAGS.budget or (200 if FLAGS.quick else 10_000)
    tasks = FLAGS.tasks or list(PMO)[: 2 if FLAGS.quick else None]
    scores = {}
    for task in tasks[FLAGS.shard :: FLAGS.num_shards]:
        wanted = Objective([task], max_heavy_atoms=0, plausible=FLAGS.plausible)
        for seed in range(FLAGS.seeds):
            found = solve(wanted, [None], task, budget, seed)
            area = top_area(found[0], budget)
            scores.setdefault(task, []).append(area)
            say(f"{task}, seed {seed}", area, "AUC top-10")
    missing = len(PMO) - len(scores)
    total = sum(map(np.mean, scores.values()))
    bar = None if missing or budget != 10_000 else 13.6
    say(
        *("PMO sum over the tasks that were run", total, "AUC top-10", bar),
        tasks_missing=missing,
        seeds=FLAGS.seeds,
    )


def main(_: list[str]) -> None:
    globals()[FLAGS.suite]()


if __name__ == "__main__":
    app.run(main)
