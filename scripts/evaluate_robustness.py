r"""Measures how far a model can be trusted and writes a report card.

    python -m scripts.evaluate_robustness --run=runs/digits-... --suite=quick
    python -m scripts.evaluate_robustness --model=my.keras --task=digits \
        --bounds=0,1

Attacks, shifts, CLEVER and randomized smoothing for images, series and
tables; edits of molecules for molecules. Writes card.json, card.md and
card.html into --output_dir. The same command resumes after an interruption.
"""

import pathlib
import shlex
import sys

from absl import flags

from reprogram.scripts import errors

FLAGS = flags.FLAGS
flags.DEFINE_string("run", None, "Folder that scripts.train wrote.")
flags.DEFINE_string("model", None, "A .keras file, instead of a run.")
flags.DEFINE_string("task", None, "Of --model, or of a run that was moved.")
flags.DEFINE_string("source", None, "Frozen source, if it was moved.")
flags.DEFINE_string("suite", "quick", "quick, standard or full.")
flags.DEFINE_integer("samples", 0, "Rows to attack; 0 for the suite's.", 0)
flags.DEFINE_integer("seed", 0, "Of all draws.", 0)
flags.DEFINE_list("only", [], "Names of sections; all others are left out.")
flags.DEFINE_list("bounds", ["0", "1"], "Of the inputs of --model.")
flags.DEFINE_string("split", "", "Of --task: scaffold, random or given.")
flags.DEFINE_string("output_dir", None, "Default: <run>/robustness.")
READING = ("smiles_column", "target_column", "split_column", "problem")


def check_flags():
    """Refuses what cannot work before anything is loaded."""
    if bool(FLAGS.run) == bool(FLAGS.model):
        raise ValueError("Give either --run=FOLDER or --model=FILE.")
    if FLAGS.model and not (FLAGS.task and FLAGS.output_dir):
        raise ValueError("--model needs --task=... and --output_dir=...")


def of_run():
    """The model of a run, with the test rows that it was tested on."""
    import numpy as np

    from reprogram import tasks
    from reprogram.experiments import prediction
    from reprogram.robustness.suite import subjects

    predictor = prediction.load(FLAGS.run, FLAGS.source)
    test, about = predictor.record["test"], predictor.record["flags"]
    inputs, targets = test["inputs"], np.asarray(test["targets"])
    if predictor.record["task"]["modality"] == "molecule":
        return subjects.of_run(predictor, np.asarray(inputs, object), targets)
    options = {name: about.get(name) for name in READING}
    name = FLAGS.task or about.get("csv") or about["task"]
    task = tasks.load(name, metric=about.get("metric"), **options)
    found = task.targets[inputs] if max(inputs) < len(task.inputs) else None
    if not np.array_equal(found, targets):
        raise ValueError(
            f"The task {name} has other targets than the run was tested on."
            " Name the task of the run by --task."
        )
    return subjects.of_run(predictor, task.inputs[inputs], targets)


def of_model():
    """A Keras model, with the test rows of a task made to fit it."""
    import keras
    import numpy as np

    from reprogram import tasks
    from reprogram.robustness.suite import subjects
    from reprogram.sources.images import fit_images
    from reprogram.tasks import splits

    model = keras.saving.load_model(FLAGS.model, compile=False)
    low, high = map(float, FLAGS.bounds)
    task = tasks.load(FLAGS.task)
    test = splits.split(task, FLAGS.split, 0.2)[1]
    inputs = task.inputs[test]
    if task.modality == "molecule":
        raise ValueError(
            "A .keras file reads no molecules. Evaluate a run: --run=FOLDER."
        )
    if task.modality == "image":
        fitted = fit_images(inputs, *model.input_shape[1:])
        inputs = np.clip(fitted / 255 * (high - low) + low, low, high)
    more = {"problem": task.problem, "data": {"task": task.name}}
    more["data"]["classes"] = list(task.target_names)
    name = f"{pathlib.Path(FLAGS.model).stem} on {task.name}"
    return subjects.of_model(
        model, inputs, task.targets[test], (low, high), name, **more
    )


def main(_):
    check_flags()
    from reprogram.report.pages import card as cards
    from reprogram.robustness import suite as card

    subject = of_run() if FLAGS.run else of_model()
    folder = FLAGS.output_dir or pathlib.Path(FLAGS.run) / "robustness"
    options = {"samples": FLAGS.samples, "seed": FLAGS.seed}
    options["only"] = tuple(FLAGS.only)
    found = card.evaluate(subject, folder, FLAGS.suite, **options)
    words = [
        "python",
        "-m",
        "reprogram.scripts.evaluate_robustness",
        *sys.argv[1:],
    ]
    cards.save(folder, found | {"command": shlex.join(words)})
    for section in found["sections"]:
        for result in section["results"]:
            name = f"{section['name']}: {cards.named(result)}"
            print(f"{name:64} {cards.shown(result)}")
    for warning in found["warnings"]:
        print(f"Warning: {warning}")
    print(f"\nReport card: {pathlib.Path(folder) / 'card.html'}")


if __name__ == "__main__":
    errors.run(main)
