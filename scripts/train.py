"""Fits a predictor to labelled data and compares it with others.

    reprogram train --task=nav17
    reprogram train --task=my.csv --target_column=pIC50
    reprogram train --task=photos/ --source=MobileNetV2
    reprogram train --task=my.csv --predictor=reprogrammed --compare=probe

Molecules get the few-label ensemble and everything else the reprogrammed
source, in one table with the baselines that matter. Writes record.json,
report.html, training.csv and the predictor into --output_dir, for `predict`,
`optimize` and `evaluate-robustness`. The same command resumes.
"""

import pathlib
import shlex
import sys
import time
from typing import TYPE_CHECKING
from typing import Any

from absl import flags

from reprogram.scripts import errors
from reprogram.scripts import recipe_flags

if TYPE_CHECKING:
    from reprogram.experiments.labelled import Labelled

FLAGS = flags.FLAGS
flags.DEFINE_string(
    "task", None, "Name of a task, or path of a file or folder of data."
)
flags.DEFINE_string("csv", None, "Path of a table; the same as --task.")
flags.DEFINE_string("data_dir", None, "Folder with the files of named tasks.")
flags.DEFINE_string("smiles_column", None, "Name of the column of SMILES.")
flags.DEFINE_string(
    "target_column", None, "Name of the target column, or several with commas."
)
flags.DEFINE_string(
    "split_column", None, "Name of the column that says train or test."
)
flags.DEFINE_string(
    "problem",
    None,
    "Problem: classification, multilabel or regression; guessed by default.",
)
flags.DEFINE_string("metric", None, "Name of the metric of the headline.")
flags.DEFINE_string("split", "", "Split: scaffold, random or given.")
flags.DEFINE_float("test_fraction", 0.2, "Share of rows in the test set.")
flags.DEFINE_integer(
    "train_size",
    None,
    "Number of labels to learn from; all of them by default, 128 for nav17.",
    0,
)
flags.DEFINE_integer("seeds", 3, "Number of draws of the labels.", 1)
flags.DEFINE_string("source", None, "Frozen source, see sources.load.")
flags.DEFINE_string(
    "predictor", None, "Predictor to keep, a key of predictors.PREDICTORS."
)
flags.DEFINE_list(
    "compare", None, "Predictors to compare with; 'none' for no other."
)
flags.DEFINE_bool(
    "refit", True, "Fit the kept predictor to all labels in the end."
)
flags.DEFINE_string(
    "output_dir", None, "Folder of the run; runs/TASK-TIME by default."
)
flags.DEFINE_bool("tensorboard", False, "Write for TensorBoard as well.")
flags.adopt_module_key_flags(recipe_flags)

READING = ("smiles_column", "target_column", "split_column", "problem")


def prepare() -> "Labelled":
    """Reads task and source, splits the rows and draws labels."""
    name = FLAGS.csv or FLAGS.task
    if not name:
        raise ValueError(
            "--task is missing: give the name of a task, such as nav17, or a"
            " file of your own."
        )
    from reprogram.experiments import labelled

    options = {key: FLAGS[key].value for key in (*READING, "data_dir")}
    return labelled.prepare(
        name,
        options | {"metric": FLAGS.metric},
        source=FLAGS.source,
        split=(FLAGS.split, FLAGS.test_fraction),
        train_size=FLAGS.train_size,
        seeds=FLAGS.seeds,
    )


def given() -> dict[str, Any]:
    """The flags of this program."""
    relevant = FLAGS.get_key_flags_for_module(sys.modules[__name__])
    return {flag.name: flag.value for flag in relevant}


def main(_: list[str]) -> None:
    """Runs the experiment and writes the folder of the run."""
    from reprogram import files

    stamp = time.strftime("%Y%m%d-%H%M%S")
    if FLAGS.output_dir:
        files.check_writable(FLAGS.output_dir)
    from reprogram.experiments.progress import Progress

    with Progress(1) as progress:
        progress.show("reads the data and the source")
        rows = prepare()
    from reprogram.experiments import labelled
    from reprogram.experiments.run import Experiment
    from reprogram.report import record
    from reprogram.report.pages import run as page
    from reprogram.report.pages import tensorboard
    from reprogram.report.verdict import verdict

    task, data = rows.task, rows.data
    recipe = recipe_flags.chosen()
    predictor, rivals = rows.predictors(FLAGS.predictor, FLAGS.compare)
    flags_given = given()
    wants_board = flags_given.pop("tensorboard")
    claimed = flags_given | vars(recipe) | rows.identity()
    free = ("output_dir", "seeds", "compare", "refit")
    folder = pathlib.Path(FLAGS.output_dir or f"runs/{task['name']}-{stamp}")
    if not FLAGS.output_dir:
        pattern = f"{task['name']}-*"
        folder = labelled.unfinished("runs", pattern, claimed, free) or folder
    files.claim(folder, claimed, free)
    board = folder / "tensorboard" if wants_board else None
    if (folder / "record.json").exists():
        print(f"{folder} holds a finished run; what is there is not repeated.")
    experiment = Experiment(data, predictor, rivals, recipe, folder)
    for line in rows.notes:
        print(line)
    with tensorboard.written(board):
        result = experiment.run() | {
            "command": shlex.join(["reprogram", "train", *sys.argv[1:]]),
            "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "flags": flags_given,
            "versions": files.versions(),
            "task": task,
            "train_size": rows.train_size,
            "warnings": rows.warnings,
        }
        result["seconds"] = sum(sum(m["seconds"]) for m in result["models"])
        result["verdict"] = verdict(files.plain(result))
        print(record.table(files.plain(result)), flush=True)
        everything = rows.everything() if FLAGS.refit else None
        result["refit"] = experiment.keep(everything)
        rows.save_training(folder, everything)
        record.save(folder / "record.json", result)
        page.write(folder / "report.html", record.load(folder))
    if board:
        tensorboard.write(board, record.load(folder))
    print(f"\nSaved: {predictor}, {result['refit']}.")
    print(f"Report: {folder / 'report.html'}")


if __name__ == "__main__":
    errors.run(main)
