r"""Predicts with a run of scripts.train_molecules for every row of a file.

    python -m scripts.predict_molecules --run=runs/bbbp-... --input=my.csv \
        --output=predictions.csv --alerts=PAINS,Brenk --html=grid.html

Reads tables, lists of SMILES (.smi) and SDF. The output has the rows of the
input in the same order, each with its prediction, its interval or set, whether
it is in the domain, its nearest training molecule, and the reason where no
prediction is possible. The same command resumes after an interruption.
"""

import csv
import json
import pathlib

from absl import flags

from reprogram.scripts import errors

FLAGS = flags.FLAGS
flags.DEFINE_string("run", None, "Folder that scripts.train_molecules wrote.")
flags.DEFINE_string("input", None, "Table, list of SMILES, or SDF.")
flags.DEFINE_string("output", None, "Table to write.")
flags.DEFINE_bool("overwrite", False, "Replace the output if it exists.")
flags.DEFINE_string("smiles_column", None, "Column of the SMILES.")
flags.DEFINE_float("confidence", 0.9, "Of intervals and sets.")
flags.DEFINE_list("alerts", [], "Structural alerts: PAINS, Brenk.")
flags.DEFINE_integer("views", 0, "Random SMILES that the source reads.", 0)
flags.DEFINE_string("sdf", None, "The same as SDF.")
flags.DEFINE_string("html", None, "The first molecules as a page of pictures.")
flags.DEFINE_integer("html_rows", 200, "How many.", 1)
flags.DEFINE_integer("jobs", -1, "Processes; -1 for all cores.")


def check_flags():
    """Refuses what cannot work before anything is loaded."""
    from reprogram.molecules import alerts

    for name in ("run", "input", "output"):
        if not FLAGS[name].value:
            raise ValueError(f"--{name} is missing: {FLAGS[name].help}")
    source = pathlib.Path(FLAGS.input).resolve()
    for name in filter(None, (FLAGS.output, FLAGS.sdf, FLAGS.html)):
        target = pathlib.Path(name)
        if target.is_dir() or target.exists() and not FLAGS.overwrite:
            raise ValueError(
                f"The output {name} exists. Choose another name, or give"
                " --overwrite to replace a file."
            )
        if target.resolve() == source:
            raise ValueError(
                f"The output {name} would change the input. Choose another"
                " name."
            )
    for name in FLAGS.alerts:
        alerts.alerts([], name)


def result_of(folder):
    path = pathlib.Path(folder) / "result.json"
    if not path.is_file():
        raise ValueError(
            f"There is no {path}. Give the folder that"
            " scripts.train_molecules wrote."
        )
    return json.loads(path.read_text("utf-8"))


def main(_):
    from reprogram import files
    from reprogram.experiments.answers import Answers
    from reprogram.predictors import molecules as fewshot
    from reprogram.report.pages import molecule_grid
    from reprogram.tasks.readers import molecules as chemistry

    check_flags()
    about = result_of(FLAGS.run)
    found = chemistry.load(
        FLAGS.input, FLAGS.smiles_column or "", about["standard"]
    )
    model = fewshot.load(FLAGS.run, jobs=FLAGS.jobs)
    model.random = FLAGS.views
    names = tuple(about["target_names"])
    confidence, alerts = FLAGS.confidence, tuple(FLAGS.alerts)
    answers = Answers(model, names, confidence, alerts)
    columns = answers.columns(found.columns)
    if columns != answers.columns():
        print(f"The input has such columns, so these are {', '.join(columns)}.")

    def parts(start):
        for cells, smiles, reasons in found.parts(start):
            own = answers(smiles, reasons)
            yield [[*row, *more] for row, more in zip(cells, own)]

    settings = (FLAGS.smiles_column, confidence, alerts, FLAGS.views)
    identity = {
        "model": files.stamp(pathlib.Path(FLAGS.run) / "predictor.json"),
        "input": files.stamp(FLAGS.input),
        "settings": json.loads(json.dumps(settings)),
    }
    header = [*found.columns, *columns]
    rows = files.write_table(
        FLAGS.output, header, parts, identity, found.delimiter
    )
    with open(FLAGS.output, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter=found.delimiter)
        without = sum(bool(row[columns[-1]]) for row in reader)
    where = chemistry.column_of(found.columns, FLAGS.smiles_column or "")
    shape = (FLAGS.output, found.delimiter, where, columns)
    if FLAGS.sdf:
        molecule_grid.write_sdf(FLAGS.sdf, *shape)
    if FLAGS.html:
        molecule_grid.write_page(FLAGS.html, *shape, FLAGS.html_rows)
    print(
        f"{FLAGS.output}: {rows:,} rows, {without:,} of them without a"
        f" prediction, see the column {columns[-1]}."
    )


if __name__ == "__main__":
    errors.run(main)
