"""Reprograms a frozen source for a task and compares it with baselines.

    python -m scripts.train --task=nav17
    python -m scripts.train --task=my.csv --target_column=pIC50
    python -m scripts.train --task=digits --train_size=100

Writes record.json, report.html, model.keras and program.weights.h5 into
--output_dir. The same command resumes, or adds seeds if there are more.
"""

import pathlib
import shlex
import sys
import time

from absl import flags

from reprogram.scripts import errors
from reprogram.scripts import recipe_flags

FLAGS = flags.FLAGS
flags.DEFINE_string("task", "nav17", "Name, or path of data; see tasks.load.")
flags.DEFINE_string("csv", None, "The same as --task with a CSV file.")
flags.DEFINE_string("smiles_column", None, "Column of the SMILES.")
flags.DEFINE_string("target_column", None, "Column or columns of targets.")
flags.DEFINE_string("split_column", None, "Column that says train or test.")
flags.DEFINE_string("problem", None, "Instead of the guessed one.")
flags.DEFINE_string("metric", None, "Headline metric.")
flags.DEFINE_string("split", "", "scaffold, random or given.")
flags.DEFINE_float("test_fraction", 0.2, "Share of the test set.")
flags.DEFINE_integer("train_size", 128, "Labels in all; 0 for all.", 0)
flags.DEFINE_integer("seeds", 5, "Draws and initializations.", 1)
flags.DEFINE_string("source", None, "Frozen source; see sources.load.")
flags.DEFINE_string("output_dir", None, "Default: runs/<task>-<time>.")
flags.DEFINE_bool("tensorboard", False, "Write for TensorBoard as well.")
flags.adopt_module_key_flags(recipe_flags)

SOURCES = {"molecule": "zinc-autoencoder", "image": "shapes", "series": "waves"}
READING = ("smiles_column", "target_column", "split_column", "problem")


def prepare():
    """Task, source, split and the draws of every seed."""
    from reprogram import series as lengths
    from reprogram import sources
    from reprogram import tasks
    from reprogram.experiments.run import Data
    from reprogram.tasks import splits
    from reprogram.tasks.describe import describe
    from reprogram.tasks.describe import readable

    options = {name: FLAGS[name].value for name in READING}
    task = tasks.load(FLAGS.csv or FLAGS.task, metric=FLAGS.metric, **options)
    source = sources.load(FLAGS.source or SOURCES[task.modality])
    task, unread = readable(task, source.explain)
    train, test = splits.split(task, FLAGS.split, FLAGS.test_fraction)
    draws = {
        seed: splits.draw(task, train, FLAGS.train_size, seed)
        for seed in range(FLAGS.seeds)
    }
    data = Data(
        inputs=task.inputs,
        targets=task.targets,
        problem=task.problem,
        modality=task.modality,
        names=task.target_names,
        draws=draws,
        test=test,
    )
    about = describe(task, train, test)
    about["input_shape"] = task.inputs.shape[1:]
    if task.modality == "series":
        about["shorter"] = not lengths.known(task.inputs).all()
    return data, source, about, FLAGS.train_size or len(train), unread


def main(_):
    from reprogram import files
    from reprogram.experiments import run as experiment
    from reprogram.program import fingerprint
    from reprogram.report import record
    from reprogram.report.pages import run as page
    from reprogram.report.pages import tensorboard

    data, source, task, size, unread = prepare()
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = pathlib.Path(FLAGS.output_dir or f"runs/{task['name']}-{stamp}")
    relevant = FLAGS.get_key_flags_for_module(sys.modules[__name__])
    given = {flag.name: flag.value for flag in relevant}
    del given["tensorboard"]
    board = folder / "tensorboard" if FLAGS.tensorboard else None
    recipe = recipe_flags.chosen()
    claimed = given | vars(recipe)
    claimed["data"] = files.digest(data.inputs, data.targets, data.test)
    claimed["weights of the source"] = fingerprint(source.model)
    files.claim(folder, claimed, ("output_dir", "seeds"))
    with tensorboard.written(board):
        found = experiment.run(data, source, recipe, folder)
    result = found | {
        "command": shlex.join(
            ["python", "-m", "reprogram.scripts.train", *sys.argv[1:]]
        ),
        "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "flags": given,
        "versions": files.versions(),
        "task": task,
        "train_size": size,
        "seconds": sum(sum(model["seconds"]) for model in found["models"]),
        "warnings": [f"Not read by the source: {row}" for row in unread],
    }
    record.save(folder / "record.json", result)
    with tensorboard.written(board):
        page.write(folder / "report.html", record.load(folder))
    if board:
        tensorboard.write(board, record.load(folder))
    print(record.table(result))
    print(f"\nReport: {folder / 'report.html'}")


if __name__ == "__main__":
    errors.run(main)
