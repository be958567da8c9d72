"""Reprograms a model that only answers queries, within a budget.

    python -m scripts.train_blackbox --task=digits --service=shapes \
        --budget=20000 --cost=0.001
    python -m scripts.train_blackbox --task=photos/ --budget=20000 \
        --service=https://host/v2/models/NAME --key_variable=SERVICE_KEY
    python -m scripts.train_blackbox --task=digits --service=shapes \
        --budget=2000 --method=prime --source=shapes

Takes the flags of scripts.train about the task. Every query is counted and
kept in <output_dir>/ledger.db: the same command resumes, and pays nothing
twice. Writes record.json, report.html and program.weights.h5.
"""

import dataclasses
import pathlib
import shlex
import sys
import time

from absl import flags

from reprogram.scripts import errors
from reprogram.scripts import train

FLAGS = flags.FLAGS
flags.DEFINE_string("service", None, "URL, or a source to be metered.")
flags.DEFINE_integer("budget", None, "Queries in all, tests included.", 1)
flags.DEFINE_float("cost", 0.0, "Price of a query.", 0.0)
flags.DEFINE_float("rate", None, "Queries a second, at most.")
flags.DEFINE_string("key_variable", None, "Environment variable of the key.")
flags.DEFINE_integer("classes", None, "Of a service that answers labels.")
flags.DEFINE_list("value_range", ["0", "1"], "Of a remote model's inputs.")
flags.DEFINE_enum(
    "answers", "", ["", "top_k", "rounded", "label"], "Of a metered source."
)
flags.DEFINE_integer("answers_number", 1, "Classes of top_k, or decimals.")
flags.DEFINE_enum("method", "estimate", ["estimate", "cma", "prime"], "How.")
flags.DEFINE_string("estimator", "orthogonal", "See blackbox.estimators.")
flags.DEFINE_integer("test_size", 200, "Test samples asked; 0 for all.", 0)
flags.adopt_module_key_flags(train)


def chosen_service():
    from reprogram.blackbox.scores import metered
    from reprogram.service.client import remote

    if "://" not in FLAGS.service:
        return metered(FLAGS.service, FLAGS.answers, FLAGS.answers_number)
    low, high = map(float, FLAGS.value_range)
    return remote(FLAGS.service, (low, high), FLAGS.classes, FLAGS.key_variable)


def main(_):
    if not FLAGS.service or not FLAGS.budget:
        raise ValueError("Give --service (a URL or a source) and --budget.")
    FLAGS.seeds = 1
    FLAGS.source = FLAGS.source or (
        "" if "://" in FLAGS.service else FLAGS.service
    )
    from reprogram import files
    from reprogram.blackbox import experiment
    from reprogram.blackbox.ledger import Ledger
    from reprogram.blackbox.meter import Meter
    from reprogram.report import record
    from reprogram.report.pages import run as page

    data, encoder, task, size, unread = train.prepare()
    if FLAGS.test_size:
        data = dataclasses.replace(data, test=data.test[: FLAGS.test_size])
    service = chosen_service()
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = pathlib.Path(FLAGS.output_dir or f"runs/{task['name']}-{stamp}")
    relevant = FLAGS.get_key_flags_for_module(sys.modules[__name__])
    given = {flag.name: flag.value for flag in relevant}
    claimed = given | {"data": files.digest(data.inputs, data.targets)}
    files.claim(folder, claimed, ("output_dir", "budget", "rate", "cost"))
    meter = Meter(
        service.ask,
        Ledger(folder / "ledger.db"),
        FLAGS.budget,
        FLAGS.cost,
        rate=FLAGS.rate,
        name=service.name,
    )
    names = [field.name for field in dataclasses.fields(experiment.Options)]
    chosen = {k: FLAGS[k].value for k in names if k in FLAGS}
    options = experiment.Options(
        **{k: v for k, v in chosen.items() if v is not None}
    )
    model = experiment.build(meter, service, options, len(data.names), 0)
    job = experiment.Job(data, service, model, options, encoder, print)
    found = experiment.run(job)
    model.save_program(str(folder / "program.weights.h5"))
    record.save(
        folder / "record.json",
        experiment.record(job, found)
        | {
            "command": shlex.join(
                [
                    "python",
                    "-m",
                    "reprogram.scripts.train_blackbox",
                    *sys.argv[1:],
                ]
            ),
            "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "flags": given,
            "versions": files.versions(),
            "task": task,
            "train_size": size,
            "warnings": [f"Not read by the source: {row}" for row in unread],
        },
    )
    page.write(folder / "report.html", record.load(folder))
    print(record.table(record.load(folder)))
    bill = meter.bill()
    print(f"\nPaid: {bill.queries} queries {bill.purposes}, {bill.price:.2f}")


if __name__ == "__main__":
    errors.run(main)
