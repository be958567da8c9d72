r"""Trains the default predictor of molecular properties and tests it.

    python -m scripts.train_molecules --task=my.csv --target_column=pIC50
    python -m scripts.train_molecules --task=my.smi --train_size=64
    python -m scripts.train_molecules --task=bbbp --data_dir=molecules/

Prints the test scores with their 95 % intervals, how often the intervals or
sets of the predictor held the truth, and which parts carried it. Writes
predictor.json and result.json into --output_dir, for
scripts.predict_molecules.
"""

import json
import pathlib
import shlex
import sys
import time

from absl import flags

from reprogram.scripts import errors

FLAGS = flags.FLAGS
flags.DEFINE_string("task", None, "Name, or path of data; see tasks.load.")
flags.DEFINE_string("data_dir", None, "Folder of the files of named tasks.")
flags.DEFINE_string("smiles_column", None, "Column of the SMILES.")
flags.DEFINE_string("target_column", None, "Column or columns of targets.")
flags.DEFINE_string("split_column", None, "Column that says train or test.")
flags.DEFINE_string("problem", None, "Instead of the guessed one.")
flags.DEFINE_string("split", "", "scaffold, random or given.")
flags.DEFINE_float("test_fraction", 0.2, "Share of the test set.")
flags.DEFINE_integer("train_size", 0, "Labels to learn from; 0 for all.", 0)
flags.DEFINE_string("source", "zinc-autoencoder", "Source; empty for none.")
flags.DEFINE_float("confidence", 0.9, "Of intervals and sets.")
flags.DEFINE_integer("seed", 0, "Of the draw, the folds and the forests.")
flags.DEFINE_string("cache_dir", None, "Keeps features from run to run.")
flags.DEFINE_string("output_dir", None, "Default: runs/<task>-<time>.")

READING = ("smiles_column", "target_column", "split_column", "problem")


def load():
    from reprogram import tasks

    if not FLAGS.task:
        raise ValueError("--task is missing: give a name or a file.")
    names = (*READING, "data_dir")
    options = {name: FLAGS[name].value for name in names}
    task = tasks.load(FLAGS.task, **options)
    if task.modality != "molecule":
        raise ValueError(
            f"--task={FLAGS.task} has {task.modality} inputs. Train on them"
            " with scripts.train."
        )
    return task


def show(result):
    print(
        f"{result['task']}: {result['labels']} labels,"
        f" {result['test_molecules']} test molecules,"
        f" {len(result['dropped'])} rows left out"
    )
    for name, (value, low, high) in result["scores"].items():
        print(f"  {name} {value:.3f} (95 % interval {low:.3f} to {high:.3f})")
    single = len(result["carried"]) == 1
    for name, column in zip(result["target_names"], result["carried"]):
        print("Carried by" + ("" if single else f", {name}"))
        for part, found in column.items():
            if found["share"] >= 0.01:
                words = f"{found['share']:4.0%} {part}, error"
                print(f"  {words} {found['error']:.3f} inside the labels")


def main(_):
    from reprogram import files
    from reprogram import tasks
    from reprogram.experiments import evaluation
    from reprogram.predictors import molecules as fewshot
    from reprogram.tasks import splits

    task = load()
    train, test = splits.split(task, FLAGS.split, FLAGS.test_fraction)
    if FLAGS.train_size:
        pair = splits.draw(task, train, FLAGS.train_size, FLAGS.seed)
        train = sorted([*pair[0], *pair[1]])
    arguments = (task.problem, FLAGS.source, FLAGS.seed, FLAGS.cache_dir, -1)
    model = fewshot.MoleculePredictor(*arguments)
    model.fit(task.inputs[train], task.targets[train])
    confidence = FLAGS.confidence
    scores = evaluation.test(
        model, task.inputs[test], task.targets[test], confidence
    )
    words = ["python", "-m", "reprogram.scripts.train_molecules", *sys.argv[1:]]
    result = {
        "command": shlex.join(words),
        "task": task.name,
        "unit": task.unit,
        "target_names": list(task.target_names),
        "standard": FLAGS.task not in tasks.AS_PUBLISHED,
        "confidence": confidence,
        "labels": len(train),
        "test_molecules": len(test),
        "scores": scores,
        "carried": model.carried(),
        "dropped": [list(row) for row in task.dropped],
        "versions": files.versions(),
    }
    show(result)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = pathlib.Path(FLAGS.output_dir or f"runs/{task.name}-{stamp}")
    fewshot.save(model, folder)
    text = json.dumps(files.plain(result), indent=1)
    files.write_text(folder / "result.json", f"{text}\n")
    print(f"\nRun: {folder}")


if __name__ == "__main__":
    errors.run(main)
