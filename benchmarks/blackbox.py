"""Accuracy against queries: every estimator, priming, and the upper line.

    python -m benchmarks.blackbox [--quick] [--suite=10k|100k|1m|speed]

Metered services are the MNIST CNN and MobileNet 0.25 of ../shared/sources;
targets are scikit-learn's digits, USPS and PneumoniaMNIST with 20 labels a
class, of which 5 choose the epoch. Test accuracy is measured outside the
budget, on 500 samples, with the program that validation chose among those
that the queries so far could pay. Finished cells stay in --output_dir and are
not repeated; --shard and --num_shards divide them. Prints one JSON line a
figure and writes curves.png and table.md.
"""

import itertools
import json
import pathlib
import time

import numpy as np
from absl import app
from absl import flags

from benchmarks import blackbox_cells as cells

FLAGS = flags.FLAGS
flags.DEFINE_bool("quick", False, "One cell of each kind, digits only.")
flags.DEFINE_enum("suite", "10k", ["10k", "100k", "1m", "speed"], "What.")
flags.DEFINE_list("services", ["mnist-cnn", "mobilenet"], "Which.")
flags.DEFINE_list("targets", ["digits", "usps", "pneumonia"], "Which.")
flags.DEFINE_list("methods", [], "Instead of the suite's.")
flags.DEFINE_float("learning_rate", None, "Instead of the method's.")
flags.DEFINE_integer("seeds", 3, "Draws of the labels.", 1)
flags.DEFINE_integer("first_seed", 0, "Number of the first draw.")
flags.DEFINE_integer("shard", 0, "Which part of the cells.", 0)
flags.DEFINE_integer("num_shards", 1, "In how many parts.", 1)
flags.DEFINE_string("output_dir", "runs/benchmark-blackbox", "Of the cells.")
SIZES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
BEST = ["bar", "clipped/cosine", "orthogonal/cosine", "spsa/cosine", "prime"]


def chosen() -> list[dict]:
    """All cells of the suite, in the order in which they matter."""
    budget = 2_000 if FLAGS.quick else SIZES[FLAGS.suite]
    methods = list(cells.METHODS)
    services, targets, seeds = FLAGS.services, FLAGS.targets, FLAGS.seeds
    if FLAGS.quick:
        methods = ["white_box", "prime", "bar", "orthogonal/cosine"]
        services, targets, seeds = ["mnist-cnn"], ["digits"], 1
    elif FLAGS.suite == "100k":
        methods = BEST
    elif FLAGS.suite == "1m":
        methods, services = ["bar", BEST[1]], ["mnist-cnn"]
    methods = FLAGS.methods or methods
    return [
        {
            "service": service,
            "target": target,
            "method": method,
            "seed": FLAGS.first_seed + seed,
            "budget": budget,
            "learning_rate": FLAGS.learning_rate,
        }
        for service, seed, target, method in itertools.product(
            services, range(seeds), targets, methods
        )
    ]


def path(cell: dict) -> pathlib.Path:
    words = [str(value) for value in cell.values() if value is not None]
    name = "-".join(words).replace("/", "_")
    return pathlib.Path(FLAGS.output_dir) / f"{name}.json"


def finish(cell: dict) -> dict:
    """Runs a cell, unless it was run before."""
    from reprogram import files

    where = path(cell)
    if not where.exists():
        start = time.perf_counter()
        found = cells.run(**cell)
        found["seconds"] = time.perf_counter() - start
        where.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(where, json.dumps(cell | found))
    return json.loads(where.read_text())


def table(found: list[dict]) -> dict[tuple, list[float]]:
    """Test accuracies by service, target, method and queries."""
    rows = {}
    for cell in found:
        for queries, accuracy in cell["curve"]:
            key = (cell["service"], cell["target"], cell["method"], queries)
            rows.setdefault(key, []).append(accuracy)
    return rows


def figures(found: list[dict]) -> None:
    from reprogram import files
    from reprogram.report import record

    folder = pathlib.Path(FLAGS.output_dir)
    lines = ["| service | target | method | queries | accuracy | seeds |"]
    lines.append("|---|---|---|---|---|---|")
    for key, values in sorted(table(found).items()):
        mean, half_width = record.interval(values)
        figure = {"name": "/".join(map(str, key)), "value": mean}
        figure |= {"half_width": half_width, "seeds": len(values)}
        figure |= {"unit": "accuracy", "bar": None}
        print(json.dumps(files.plain(figure)))
        shown = f"{mean:.3f}"
        if len(values) > 1:
            shown += f" ± {half_width:.3f}"
        cut = [*key[:3], f"{key[3]:,}", shown, len(values)]
        lines.append("| " + " | ".join(map(str, cut)) + " |")
    files.write_text(folder / "table.md", "\n".join(lines) + "\n")
    plot(table(found), folder / "curves.png")


def plot(rows: dict[tuple, list[float]], where: pathlib.Path) -> None:
    from matplotlib import figure as figures_

    panels = sorted({key[:2] for key in rows})
    drawing = figures_.Figure((5 * len(panels), 4), layout="constrained")
    axes = np.atleast_1d(drawing.subplots(1, len(panels), sharey=True))
    for axis, panel in zip(axes, panels):
        for method in sorted({k[2] for k in rows if k[:2] == panel}):
            points = sorted(
                (key[3], np.mean(values))
                for key, values in rows.items()
                if key[:3] == (*panel, method)
            )
            axis.plot(*zip(*points), marker="o", label=method)
        axis.set(xscale="log", xlabel="queries", title=" to ".join(panel))
    axes[0].set_ylabel("test accuracy")
    axes[-1].legend(fontsize=6)
    drawing.savefig(where, dpi=120)


def main(_: list[str]) -> None:
    if FLAGS.suite == "speed":
        for line in cells.speed():
            print(json.dumps(line), flush=True)
        return
    mine = chosen()[FLAGS.shard :: FLAGS.num_shards]
    for number, cell in enumerate(mine, 1):
        found = finish(cell)
        print(
            f"# {number} of {len(mine)}: {path(cell).stem},"
            f" {found['curve'][-1]}, {found['seconds']:.0f} s",
            flush=True,
        )
    paths = [path(cell) for cell in chosen()]
    done = [json.loads(p.read_text()) for p in paths if p.exists()]
    missing = len(paths) - len(done)
    figures(done)
    spent = sum(cell["seconds"] for cell in done)
    print(f"# {missing} cells missing; {spent / 60:.0f} minutes in all")


if __name__ == "__main__":
    app.run(main)
