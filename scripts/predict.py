r"""Predicts with a run for every row of a file.

    reprogram predict --run=runs/my-... --input=new.csv --output=predictions.csv
    reprogram predict --run=runs/my-... --input=new.sdf \
        --output=predictions.csv --alerts=PAINS,Brenk --html=grid.html
    reprogram predict --run=runs/digits-... --input=images/ \
        --output=predictions.csv

Reads runs of any predictor and every format that training reads. The output
has the rows of the input in the same order, with their cells, the prediction,
its interval or set, for molecules whether it is in the domain and the nearest
training molecule with its measured value, and the reason where no prediction
is possible. The same command resumes after an interruption.
"""

import csv
import json
import pathlib
from collections.abc import Iterator

from absl import flags

from reprogram.scripts import errors

FLAGS = flags.FLAGS
flags.DEFINE_string("run", None, "Folder of a run that `train` wrote.")
flags.DEFINE_string(
    "input", None, "Table, list of SMILES, SDF, folder of images, or series."
)
flags.DEFINE_string("output", None, "Table to write.")
flags.DEFINE_bool("overwrite", False, "Replace outputs that exist.")
flags.DEFINE_string("smiles_column", None, "Name of the column of SMILES.")
flags.DEFINE_string(
    "source", None, "Frozen source of the run, if it has been moved."
)
flags.DEFINE_float(
    "confidence", 0.9, "Share of intervals and sets that shall hold the truth."
)
flags.DEFINE_list(
    "alerts", [], "Catalogs of structural alerts to report: PAINS, Brenk."
)
flags.DEFINE_string("sdf", None, "SDF file to write as well.")
flags.DEFINE_string(
    "html", None, "Page to write with pictures of the first molecules."
)
flags.DEFINE_integer("html_rows", 200, "Number of molecules on the page.", 1)
flags.DEFINE_integer("jobs", -1, "Number of processes; -1 for all cores.")


def check_flags() -> None:
    """Refuses what cannot work before anything is loaded."""
    from reprogram.predictors import conformal

    for name in ("run", "input", "output"):
        if not FLAGS[name].value:
            raise ValueError(f"--{name} is missing: {FLAGS[name].help}")
    conformal.check(FLAGS.confidence)
    source = pathlib.Path(FLAGS.input).resolve()
    for name in filter(None, (FLAGS.output, FLAGS.sdf, FLAGS.html)):
        target = pathlib.Path(name)
        if target.is_dir() or (target.exists() and not FLAGS.overwrite):
            raise ValueError(
                f"The output {name} exists. Choose another name, or give"
                " --overwrite to replace a file."
            )
        if target.suffix == ".gz":
            raise ValueError(
                f"The output {name} is written as plain text. Choose a name"
                " without .gz."
            )
        if source in (target.resolve(), *target.resolve().parents):
            raise ValueError(
                f"The output {name} would change the input {FLAGS.input}."
                " Choose a name outside it."
            )
    if FLAGS.alerts:
        from reprogram.molecules.alerts import alerts

        for name in FLAGS.alerts:
            alerts([], name)


def count_reasons(column: str, delimiter: str) -> int:
    """Counts the rows without a prediction."""
    with open(FLAGS.output, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter=delimiter)
        return sum(bool(row[column]) for row in rows)


def main(_: list[str]) -> None:
    """Predicts part by part; the output appears when it is complete."""
    from reprogram import files
    from reprogram.experiments import prediction
    from reprogram.tasks import readers

    check_flags()
    folder = pathlib.Path(FLAGS.run)
    record = prediction.read_record(folder)
    molecules = record["task"]["modality"] == "molecule"
    if not molecules and (FLAGS.alerts or FLAGS.sdf or FLAGS.html):
        raise ValueError(
            "--alerts, --sdf and --html are for runs on molecules. Received: a"
            f" run on the modality {record['task']['modality']!r}."
        )
    rows = readers.load(FLAGS.input, record, FLAGS.smiles_column)
    settings = {"alerts": tuple(FLAGS.alerts), "confidence": FLAGS.confidence}
    run = prediction.load(folder, FLAGS.source, FLAGS.jobs, **settings)
    columns = run.columns(rows.columns)
    if columns != run.columns():
        print(f"The input has such columns, so these are {', '.join(columns)}.")

    def parts(start: int) -> Iterator[list[list[str]]]:
        for cells, values, reasons in rows.parts(start):
            own = run(values, reasons)
            yield [[*row, *more] for row, more in zip(cells, own)]

    identity = {
        "model": files.stamp(folder),
        "input": files.stamp(FLAGS.input),
        "smiles_column": FLAGS.smiles_column,
        "settings": json.loads(json.dumps(settings)),
    }
    header = [*rows.columns, *columns]
    count = files.write_table(
        FLAGS.output, header, parts, identity, rows.delimiter
    )
    if FLAGS.sdf or FLAGS.html:
        from reprogram.report.pages import molecule_grid as grid

        where = readers.smiles_column(rows.columns, FLAGS.smiles_column or "")
        shape = (FLAGS.output, rows.delimiter, where, columns)
        if FLAGS.sdf:
            grid.write_sdf(FLAGS.sdf, *shape)
        if FLAGS.html:
            grid.write_page(FLAGS.html, *shape, FLAGS.html_rows)
    without = count_reasons(columns[-1], rows.delimiter)
    print(
        f"{FLAGS.output}: {count:,} rows, {without:,} of them without a"
        f" prediction, see the column {columns[-1]}."
    )


if __name__ == "__main__":
    errors.run(main)
