"""Training and predicting molecules from the command line."""

import csv
import json
import pathlib

import pytest

from tests import commands

TRAIN, PREDICT = (
    "reprogram.scripts.train_molecules",
    "reprogram.scripts.predict_molecules",
)
NEW = ["id,smiles,prediction", "1,CCO,x", "2,C1CC,", "3,c1ccccc1NC(=O)CC,"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> pathlib.Path:
    """A regression, a classification, and tables to predict for."""
    folder = tmp_path_factory.mktemp("fewshot")
    commands.write_molecules(folder / "a.csv")
    names = ["long" if y > 9 else "short" for _, y in commands.molecules(40)]
    rows = [
        f"{smiles},{name}"
        for (smiles, _), name in zip(commands.molecules(40), names)
    ]
    (folder / "b.csv").write_text("\n".join(["smiles,label", *rows]))
    (folder / "new.csv").write_text("\n".join(NEW) + "\n")
    (folder / "new.smi").write_text("OCC ethanol\nC1CC\n")
    usual = ("--source=", "--train_size=24")
    ended = commands.run(
        TRAIN,
        (f"--task={folder / 'a.csv'}", *usual, f"--output_dir={folder / 'a'}"),
        (f"--task={folder / 'b.csv'}", *usual, f"--output_dir={folder / 'b'}"),
        ("--task=digits",),
        (),
    )
    (folder / "said").write_text(ended[0].out)
    assert [end.code for end in ended] == [0, 0, 2, 2], ended
    assert "has image inputs" in ended[2].err
    assert "--task is missing" in ended[3].err
    return folder


def test_training_says_what_it_found(runs):
    said = (runs / "said").read_text()
    assert "a: 24 labels, 8 test molecules, 3 rows left out" in said
    assert "rmse" in said and "95 % interval" in said and "Carried by" in said
    result = json.loads((runs / "a" / "result.json").read_text())
    assert result["standard"] and len(result["dropped"]) == 3
    assert {"rmse", "coverage", "in domain"} <= set(result["scores"])
    assert (runs / "a" / "predictor.json").exists()


def read(path: pathlib.Path) -> list[dict]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_predicting_keeps_every_row(runs):
    def words(run: str, source: str, output: str, *more: str) -> tuple:
        return (
            f"--run={runs / run}",
            f"--input={runs / source}",
            f"--output={runs / output}",
            *more,
        )

    page, sdf = runs / "a.html", runs / "a.sdf"
    more = ("--alerts=PAINS,Brenk", f"--html={page}", f"--sdf={sdf}")
    ended = commands.run(
        PREDICT,
        words("a", "new.csv", "a_out.csv", *more),
        words("b", "new.smi", "b_out.csv", "--confidence=0.8"),
        words("a", "new.csv", "a_out.csv"),
        words("a", "new.csv", "c.csv", "--alerts=None"),
        words("nowhere", "new.csv", "c.csv"),
        words("a", "new.csv", "new.csv", "--overwrite"),
        (),
    )
    assert [end.code for end in ended] == [0, 0, 2, 2, 2, 2, 2], ended
    assert "1 of them without a prediction" in ended[0].out
    messages = ("exists", "PAINS, Brenk", "There is no", "change the input")
    for end, message in zip(ended[2:], (*messages, "--run is missing")):
        assert message in end.err
    check_regression(read(runs / "a_out.csv"), page, sdf)
    first, second = read(runs / "b_out.csv")
    assert first["name"] == "ethanol" and first["prediction"] in first["set"]
    total = float(first["probability_long"]) + float(first["probability_short"])
    assert abs(total - 1) < 1e-3
    assert not second["prediction"] and "'C1CC'" in second["reason"]


def check_regression(
    rows: list[dict], page: pathlib.Path, sdf: pathlib.Path
) -> None:
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    # The input has a column `prediction` of its own.
    assert rows[0]["prediction"] == "x"
    low, middle, high = (
        float(rows[0][f"{name}_2"]) for name in ("lower", "prediction", "upper")
    )
    assert low < middle < high
    assert rows[1]["prediction_2"] == "" and "'C1CC'" in rows[1]["reason_2"]
    assert rows[2]["nearest_2"] and rows[2]["in_domain_2"] == "true"
    assert page.read_text().count("<figure") == 3
    assert sdf.read_text().count("$$$$") == 3
