r"""Measures how far a model can be trusted and writes a report card.

    reprogram evaluate-robustness --run=runs/digits-...
    reprogram evaluate-robustness --run=runs/nav17-... --suite=standard
    reprogram evaluate-robustness --model=my.keras --task=digits --bounds=0,1 \
        --output_dir=card

Reads runs of any predictor, and Keras files. Attacks, shifts, CLEVER and
randomized smoothing for images, series and tables; intervals and edits of
molecules for molecules. What does not apply says why.

Writes card.json, card.md and card.html into --output_dir. The same command
resumes after an interruption.
"""

import pathlib
import shlex
import sys

from absl import flags

from reprogram.scripts import errors

FLAGS = flags.FLAGS
flags.DEFINE_string("run", None, "Folder of a run that `train` wrote.")
flags.DEFINE_string("model", None, "Keras file to judge instead of a run.")
flags.DEFINE_string(
    "task", None, "Task whose test rows --model meets, or of a run that moved."
)
flags.DEFINE_string(
    "source", None, "Frozen source of the run, if it has been moved."
)
flags.DEFINE_string(
    "suite", "quick", "Amount of work: quick takes minutes, standard, full."
)
flags.DEFINE_integer(
    "samples", 0, "Number of rows to attack; 0 for that of the suite.", 0
)
flags.DEFINE_integer("seed", 0, "Seed of all random draws.", 0)
flags.DEFINE_list("only", [], "Names of the only sections to measure.")
flags.DEFINE_list(
    "bounds", ["0", "1"], "Lowest and highest value of an input of --model."
)
flags.DEFINE_string(
    "split", "", "Split of --task into training and test rows, by its name."
)
flags.DEFINE_string(
    "output_dir", None, "Folder to write into; <run>/robustness by default."
)


def checked() -> tuple[pathlib.Path, tuple[float, float]]:
    """Refuses what cannot work before anything is loaded.

    Returns:
        The folder to write into, and the bounds of the inputs.
    """
    from reprogram import files

    if bool(FLAGS.run) == bool(FLAGS.model):
        raise ValueError("Give either --run=FOLDER or --model=FILE.")
    if FLAGS.model and not (FLAGS.task and FLAGS.output_dir):
        raise ValueError("--model needs --task=... and --output_dir=...")
    for path in filter(None, (FLAGS.run, FLAGS.model)):
        if not pathlib.Path(path).exists():
            raise FileNotFoundError(f"There is no {path}. Check the path.")
    try:
        low, high = map(float, FLAGS.bounds)
    except ValueError:
        low = high = 0.0
    if not low < high:
        raise ValueError(
            "--bounds must be two rising numbers, such as 0,1. Received:"
            f" {','.join(FLAGS.bounds)}."
        )
    folder = FLAGS.output_dir or pathlib.Path(FLAGS.run) / "robustness"
    files.check_writable(folder)
    from reprogram.robustness.suite import evaluation
    from reprogram.robustness.suite import suites

    evaluation.check_names(tuple(FLAGS.only))
    suites.check(FLAGS.suite, FLAGS.samples)
    return pathlib.Path(folder), (low, high)


def main(_: list[str]) -> None:
    folder, bounds = checked()
    from reprogram.report.pages import card as cards
    from reprogram.robustness import suite

    if FLAGS.run:
        subject = suite.of_run(FLAGS.run, FLAGS.task or "", FLAGS.source)
    else:
        subject = suite.of_file(FLAGS.model, FLAGS.task, bounds, FLAGS.split)
    options = {"samples": FLAGS.samples, "seed": FLAGS.seed}
    only = tuple(FLAGS.only)
    card = suite.evaluate(subject, folder, FLAGS.suite, only=only, **options)
    words = ["reprogram", "evaluate-robustness", *sys.argv[1:]]
    card = cards.save(folder, card | {"command": shlex.join(words)})
    for section in card["sections"]:
        for result in section["results"]:
            name = f"{section['name']}: {cards.named(result)}"
            print(f"{name:64} {cards.shown(result)}")
    for warning in card["warnings"]:
        print(f"Warning: {warning}")
    print(f"\n{card['verdict']}\nReport card: {folder / 'card.html'}")


if __name__ == "__main__":
    errors.run(main)
