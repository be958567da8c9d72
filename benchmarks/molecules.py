"""Molecular properties: the default predictor against every floor.

    python -m benchmarks.molecules --suite=lowdata [--quick]
    python -m benchmarks.molecules --suite=tdc --shard=0 --num_shards=4

Suites: `lowdata` (scaffold split, test fixed, 5 draws at n = 32, 64, 128 and
all), `moleculenet` (all labels), `tdc` (official splits, 5 seeds) and
`moleculeace` (official splits, with the error on activity cliffs). A cell
stays in --output_dir as a file; the same command goes on where it ended, and
--num_shards=0 only reports. Prints one JSON line a figure: mean and 95 %
interval of each model, mean ranks, and published scores of --reference.
"""

import json
import pathlib
import sys

import numpy as np
from absl import app
from absl import flags

from benchmarks import molecule_cells as cells
from benchmarks import molecule_tables as tables

FLAGS = flags.FLAGS
SUITES = ("lowdata", "moleculenet", "tdc", "moleculeace")
flags.DEFINE_enum("suite", "lowdata", SUITES, "What to run.")
flags.DEFINE_bool("quick", False, "FreeSolv, n = 32, one draw.")
flags.DEFINE_string("data_dir", "../shared/data/molecules", "The tables.")
flags.DEFINE_string("output_dir", "runs/benchmark-molecules", "Of the cells.")
flags.DEFINE_list("tasks", [], "Instead of all of the suite.")
flags.DEFINE_list("sizes", [], "Labels; 0 for all. Of lowdata.")
flags.DEFINE_list("models", [], "Words of their names; all without.")
flags.DEFINE_integer("seeds", 5, "Draws.", 1)
flags.DEFINE_bool("controls", False, "Without source, with random weights.")
flags.DEFINE_integer("shard", 0, "Which part of the cells to run.", 0)
flags.DEFINE_integer("num_shards", 1, "In how many parts; 0 only reports.", 0)


def names() -> list[str]:
    """The tasks of the suite that are at hand."""
    if FLAGS.tasks or FLAGS.quick:
        return FLAGS.tasks or ["freesolv"]
    root = pathlib.Path(FLAGS.data_dir)
    if FLAGS.suite == "tdc":
        from reprogram.tasks.official import tdc

        folders = [root / "tdc_admet", root / "admet_group", root]
        return [
            n for n in tdc.METRICS if any((f / n).is_dir() for f in folders)
        ]
    if FLAGS.suite == "moleculeace":
        from reprogram.tasks.official import moleculeace

        folders = [root / "moleculeace", root]
        return [
            name
            for name in moleculeace.SETS
            if any((f / f"{name}.csv").is_file() for f in folders)
        ]
    more = ("tox21",) if FLAGS.suite == "moleculenet" else ()
    return [*cells.LOWDATA, *more]


def models() -> list[str]:
    """Floors first: a table without them says nothing."""
    from reprogram.predictors.molecules import parts

    found = [part.name for part in parts.FLOORS] + [cells.DEFAULT]
    if FLAGS.controls:
        found += [*cells.CONTROLS, *cells.RIDGES]
    wanted = FLAGS.models
    return [m for m in found if not wanted or any(w in m for w in wanted)]


def wanted() -> list[cells.Cell]:
    """All cells, small ones first."""
    sizes = [int(size) for size in FLAGS.sizes] or [32, 64, 128, 0]
    if FLAGS.suite != "lowdata":
        sizes = [0]
    seeds = FLAGS.seeds
    if FLAGS.quick:
        sizes, seeds = [32], 1
    return [
        cells.Cell(FLAGS.suite, name, size, seed, model)
        for size in sizes
        for name in names()
        for seed in range(seeds)
        for model in models()
    ]


def main(_: list[str]) -> None:
    from reprogram import files

    todo = wanted()
    for cell in todo[FLAGS.shard :: FLAGS.num_shards or len(todo)]:
        path = cell.path(FLAGS.output_dir)
        if not FLAGS.num_shards or path.exists():
            continue
        found = cells.run(cell, FLAGS.data_dir, FLAGS.output_dir)
        files.write_text(path, json.dumps(files.plain(found)))
        value = found[found["metric"]]
        seconds = found["seconds"]
        words = f"{cell.task} {cell.size or 'all'} {cell.seed} {cell.model}"
        print(f"# {words}: {value:.4f} ({seconds:.1f} s)", file=sys.stderr)
    done = [
        json.loads(cell.path(FLAGS.output_dir).read_text())
        for cell in todo
        if cell.path(FLAGS.output_dir).exists()
    ]
    reference = pathlib.Path(FLAGS.data_dir) / "reference"
    for figure in tables.figures(FLAGS.suite, done, reference):
        print(json.dumps(files.plain(figure)), flush=True)
    spent = np.sum([cell["seconds"] for cell in done]) / 60
    print(f"# {len(todo) - len(done)} cells missing, {spent:.0f} minutes")


if __name__ == "__main__":
    app.run(main)
