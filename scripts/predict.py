r"""Predicts with a trained run for every row of a file.

    python -m scripts.predict --run=runs/nav17-... --input=my.csv \
        --output=predictions.csv
    python -m scripts.predict --run=runs/digits-... --input=images/ \
        --output=predictions.csv

The output has the rows of the input in the same order: the cells of a table,
the names of image files or the numbers of series; then the prediction, for
classes the probability of each, and the reason where none is possible. The
same command resumes after an interruption.
"""

import csv
import pathlib

from absl import flags

from reprogram.scripts import errors

FLAGS = flags.FLAGS
flags.DEFINE_string("run", None, "Folder that scripts.train wrote.")
flags.DEFINE_string("input", None, "Table, folder of images, or series.")
flags.DEFINE_string("output", None, "Table to write.")
flags.DEFINE_bool("overwrite", False, "Replace the output if it exists.")
flags.DEFINE_string("smiles_column", None, "Column of the SMILES.")
flags.DEFINE_string("source", None, "Frozen source, if it was moved.")


def check_flags():
    """Refuses what cannot work before anything is loaded."""
    for name in ("run", "input", "output"):
        if not FLAGS[name].value:
            raise ValueError(f"--{name} is missing: {FLAGS[name].help}")
    source, target = (
        pathlib.Path(FLAGS[name].value).resolve()
        for name in ("input", "output")
    )
    if target.is_dir() or target.exists() and not FLAGS.overwrite:
        raise ValueError(
            f"The output {FLAGS.output} exists. Choose another name, or give"
            " --overwrite to replace a file."
        )
    if target.suffix == ".gz":
        raise ValueError(
            f"The output {FLAGS.output} is written as plain text. Choose a"
            " name without .gz."
        )
    if source in (target, *target.parents):
        raise ValueError(
            f"The output {FLAGS.output} would change the input {FLAGS.input}."
            " Choose a name outside it."
        )


def count_reasons(path, column, delimiter):
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter=delimiter)
        return sum(bool(row[column]) for row in rows)


def main(_):
    from reprogram import files as resume
    from reprogram.report import record
    from reprogram.tasks import readers

    check_flags()
    run = record.load(FLAGS.run)
    found = readers.load(FLAGS.input, run, FLAGS.smiles_column)

    from reprogram.experiments import prediction

    predictor = prediction.load(FLAGS.run, FLAGS.source)
    columns = predictor.columns(found.columns)
    if columns != predictor.columns():
        print(f"The input has such columns, so these are {', '.join(columns)}.")

    def parts(start):
        for cells, values, reasons in found.parts(start):
            answers = predictor(values, reasons)
            yield [[*row, *answer] for row, answer in zip(cells, answers)]

    identity = {
        "model": resume.stamp(pathlib.Path(FLAGS.run) / "model.keras"),
        "input": resume.stamp(FLAGS.input),
        "smiles_column": FLAGS.smiles_column,
    }
    header = [*found.columns, *columns]
    rows = resume.write_table(
        FLAGS.output, header, parts, identity, found.delimiter
    )
    without = count_reasons(FLAGS.output, columns[-1], found.delimiter)
    print(
        f"{FLAGS.output}: {rows:,} rows, {without:,} of them without a"
        f" prediction, see the column {columns[-1]}."
    )


if __name__ == "__main__":
    errors.run(main)
