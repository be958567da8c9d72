r"""Reprograms a model that only answers queries, within a budget.

    python -m scripts.train_blackbox --task=digits --service=shapes \
        --budget=20000 --cost=0.001
    python -m scripts.train_blackbox --task=photos/ --budget=20000 \
        --service=https://host/v2/models/NAME --key_variable=SERVICE_KEY
    python -m scripts.train_blackbox --task=digits --service=shapes \
        --budget=2000 --method=prime --source=shapes

Without --train_size at most 128 labels are used, as each costs queries.
Every query is counted and kept in <output_dir>/ledger.db: the same command
with the same --output_dir resumes, and pays nothing twice. Writes
record.json, report.html and program.weights.h5; and model.keras where the
service is a local model, or a student needs it no more.
"""

import dataclasses
import pathlib
import shlex
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
from absl import flags

from reprogram.scripts import errors
from reprogram.scripts import train

if TYPE_CHECKING:
    from reprogram.blackbox.scores import Service

FLAGS = flags.FLAGS
flags.DEFINE_string(
    "service", None, "URL of a model, or a local source that is metered."
)
flags.DEFINE_integer(
    "budget", None, "Number of queries in all, those of the test included.", 1
)
flags.DEFINE_float("cost", 0.0, "Price of a query.", 0.0)
flags.DEFINE_float("rate", None, "Largest number of queries a second.", 1e-6)
flags.DEFINE_string(
    "key_variable", None, "Environment variable that holds the key of the URL."
)
flags.DEFINE_integer(
    "classes", None, "Number of classes, where the URL gives labels only.", 2
)
flags.DEFINE_list(
    "value_range", ["0", "1"], "Lowest and highest input of the URL's model."
)
flags.DEFINE_enum(
    "answers",
    "",
    ["", "top_k", "rounded", "label"],
    "Restriction of the scores of a local source.",
)
flags.DEFINE_integer(
    "answers_number", 1, "Number of classes of top_k, or of decimals.", 0
)
flags.DEFINE_enum(
    "method",
    "estimate",
    ["estimate", "cma", "prime"],
    "Way to train: estimated gradients, CMA-ES, or a local student.",
)
flags.DEFINE_string(
    "estimator", "orthogonal", "Gradient estimator, see blackbox.estimators."
)
flags.DEFINE_integer(
    "test_size", 200, "Number of test samples to query; 0 for all.", 0
)
ADOPTED = (
    *("task", "csv", "target_column", "split_column", "problem", "metric"),
    *("split", "test_fraction", "train_size", "source", "output_dir"),
    *("program", "mapping", "window", "learning_rate", "batch_size", "epochs"),
)
for _name in ADOPTED:
    flags.declare_key_flag(_name)
FLAGS.set_default("seeds", 1)
LABELS = 128  # largest number of labels without --train_size


def chosen_service() -> "Service":
    """Finds the service; nothing is asked."""
    from reprogram.service import runs

    return runs.connect(
        FLAGS.service,
        FLAGS.value_range,
        FLAGS.classes,
        FLAGS.key_variable,
        (FLAGS.answers, FLAGS.answers_number),
    )


def check() -> None:
    """Refuses what cannot work before data are read or a query is paid."""
    from reprogram import files

    if not FLAGS.service or not FLAGS.budget:
        raise ValueError("Give --service (a URL or a source) and --budget.")
    known = {flag.name for flag in FLAGS.get_key_flags_for_module(train)}
    for name in sorted(known - {*ADOPTED, *given()}):
        if FLAGS[name].present and FLAGS[name].value != FLAGS[name].default:
            raise ValueError(
                f"--{name} has no effect on training by queries. Leave it out."
            )
    local = "" if "://" in FLAGS.service else FLAGS.service
    if FLAGS.method == "prime":
        source = FLAGS.source or local
        if not source:
            raise ValueError("Priming needs a local encoder: give --source.")
    elif FLAGS.source and FLAGS.source != local:
        raise ValueError(
            "--source is the local encoder of --method=prime. Received:"
            f" --method={FLAGS.method} --source={FLAGS.source}."
        )
    FLAGS["source"].value = FLAGS.source or local
    if FLAGS.output_dir:
        files.check_writable(FLAGS.output_dir)


def given() -> dict:
    """Returns the flags of this program."""
    relevant = FLAGS.get_key_flags_for_module(sys.modules[__name__])
    return {flag.name: flag.value for flag in relevant}


def main(_: list[str]) -> None:
    check()
    from reprogram import files
    from reprogram.blackbox import experiment
    from reprogram.blackbox.ledger import Ledger
    from reprogram.blackbox.meter import Meter
    from reprogram.experiments.progress import Progress
    from reprogram.report import record
    from reprogram.report.pages import run as page
    from reprogram.tasks import splits

    names = [field.name for field in dataclasses.fields(experiment.Options)]
    chosen = {name: FLAGS[name].value for name in names}
    options = experiment.Options(
        **{name: v for name, v in chosen.items() if v is not None}
    )
    service = chosen_service()
    rows = train.prepare()
    data, task, size = rows.data, rows.task, rows.train_size
    experiment.check(data, service)
    if FLAGS.train_size is None and size > LABELS:
        size, everything = LABELS, np.concatenate(data.draws[0])
        drawn = splits.draw(rows.read, np.sort(everything), size, 0)
        data = dataclasses.replace(data, draws={0: drawn})
    if FLAGS.test_size:
        data = dataclasses.replace(data, test=data.test[: FLAGS.test_size])
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = pathlib.Path(FLAGS.output_dir or f"runs/{task['name']}-{stamp}")
    claimed = given() | {"data": files.digest(data.inputs, data.targets)}
    files.claim(folder, claimed, ("output_dir", "budget", "rate", "cost"))
    meter = Meter(
        service.ask,
        Ledger(folder / "ledger.db"),
        FLAGS.budget,
        FLAGS.cost,
        rate=FLAGS.rate,
        name=service.name,
    )
    model = experiment.build(meter, service, options, len(data.names), 0)
    with Progress(FLAGS.budget) as progress:
        meter.watch = lambda count: progress.show(f"{count:,} queries", count)
        job = experiment.Job(
            *(data, service, model, options, data.source, progress.tell)
        )
        result = experiment.run(job, folder)
    result |= {
        "command": shlex.join(["reprogram", "train-blackbox", *sys.argv[1:]]),
        "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "flags": given(),
        "versions": files.versions(),
        "task": task,
        "train_size": size,
        "warnings": rows.warnings,
    }
    record.save(folder / "record.json", result)
    page.write(folder / "report.html", record.load(folder))
    print(record.table(record.load(folder)))
    bill = meter.bill()
    print(f"\nPaid: {bill.queries} queries {bill.purposes}, {bill.price:.2f}")
    print(f"Report: {folder / 'report.html'}")


if __name__ == "__main__":
    errors.run(main)
