"""The script that predicts, on tiny runs of every modality."""

import csv
import json
import os
import pathlib
import shutil

import commands
import keras
import numpy as np
import pytest
from PIL import Image

from reprogram import files
from reprogram import sources
from reprogram import tasks
from reprogram.molecules import smiles
from reprogram.reprogrammer import Reprogrammer

# A row of molecules: what the file says, and how its reason starts.
ROWS = [
    ("OCC", ""),
    ("C1CC", "Not a valid SMILES: 'C1CC'"),
    ("[Na+].CC(=O)[O-]", ""),
    ("", "Empty SMILES"),
    ("C[Te]C", "'C[Te]C' has tokens outside the vocabulary"),
    ("C" * 300, "'CCCCC"),
    ("N[C@@H](C)C(=O)O", ""),
    ("c1ccccc1", "more cells than the 4 columns"),
    ("c1ccccc1Cl", ""),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> pathlib.Path:
    return tmp_path_factory.mktemp("predict")


@pytest.fixture(scope="module")
def ended(folder) -> dict[str, commands.Ended]:
    """All commands of the script that need a model, in one process."""
    runs = commands.runs()
    rows = [f'"{i}\n",{s},0.5,x' for i, (s, _) in enumerate(ROWS)]
    rows[7] += ",y"
    path = folder / "mol.csv"
    path.write_text("\n".join(["id,smiles,prediction,note", *rows]))
    write_images(folder / "images")
    lines = runs.waves.read_text().splitlines()[:5]
    lines.insert(2, "?\t1\t2")
    (folder / "waves.tsv").write_text("\n".join(lines))
    torn(folder / "torn.csv", runs.series, folder / "waves.tsv")
    damage(runs.series, folder / "damaged")
    calls = {
        "molecules": (runs.molecules, path),
        "images": (runs.images, folder / "images"),
        "series": (runs.series, folder / "waves.tsv"),
        "torn": (runs.series, folder / "waves.tsv"),
        "again": (runs.series, folder / "waves.tsv", "--overwrite"),
        "damaged": (folder / "damaged", folder / "waves.tsv"),
    }
    found = commands.run(
        "reprogram.scripts.predict",
        *(
            (f"--run={run}", f"--input={data}", f"--output={output}", *more)
            for (run, data, *more), output in zip(
                calls.values(),
                [
                    folder / f"{'torn' if k == 'again' else k}.csv"
                    for k in calls
                ],
            )
        ),
    )
    return dict(zip(calls, found))


def write_images(path: pathlib.Path) -> None:
    digits = tasks.load("digits").inputs[..., 0]
    for i, name in enumerate(["b.png", "a/c.png", "a/d.png"]):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.round(digits[i]).astype("uint8")
        Image.fromarray(pixels).save(path / name)
    (path / "a" / "cut.png").write_bytes(b"no image")


def torn(output: pathlib.Path, run: pathlib.Path, data: pathlib.Path) -> None:
    """Leaves what a kill leaves: two rows, then half of the third."""
    header = "row,prediction,probability_fast,probability_slow,set,reason\n"
    part = output.with_name("torn.csv.part")
    part.write_text(f"{header}1,kept,,,,\n2,too,,,,\n")
    notes = {
        "identity": {
            "model": files.stamp(run),
            "input": files.stamp(data),
            "smiles_column": None,
            "settings": {"alerts": [], "confidence": 0.9},
        },
        "rows": 2,
        "bytes": part.stat().st_size,
    }
    output.with_name("torn.csv.part.json").write_text(json.dumps(notes))
    with open(part, "a") as file:
        file.write("3,slow,0.12")


def damage(run: pathlib.Path, copy: pathlib.Path) -> None:
    shutil.copytree(run, copy)
    record = json.loads((copy / "record.json").read_text())
    record["source"]["fingerprint_before"] = "0" * 64
    (copy / "record.json").write_text(json.dumps(record))


def read(path: pathlib.Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def load(run: pathlib.Path) -> Reprogrammer:
    return keras.saving.load_model(run / "model.keras")


def test_molecules_keep_their_rows(ended, folder):
    assert ended["molecules"].code == 0, ended["molecules"].err
    rows = read(folder / "molecules.csv")
    assert list(rows[0]) == [
        *("id", "smiles", "prediction", "note"),
        *("prediction_2", "lower_2", "upper_2", "in_domain_2", "nearest_2"),
        *("nearest_id_2", "nearest_value_2", "similarity_2", "reason_2"),
    ]
    assert [row["id"] for row in rows] == [f"{i}\n" for i in range(len(ROWS))]
    for row, (text, reason) in zip(rows, ROWS):
        assert (row["smiles"], row["prediction"]) == (text, "0.5")
        assert row["reason_2"].startswith(reason)
        assert (row["reason_2"] == "") == (reason == "")
        assert (row["prediction_2"] == "") == (reason != "")
    assert "has 300 tokens; the source reads 1 to" in rows[5]["reason_2"]
    out = ended["molecules"].out
    assert "The input has such columns, so these are prediction_2, lo" in out
    assert "9 rows, 5 of them without a prediction, see the column re" in out


def test_molecules_are_predicted_as_in_training(ended, folder):
    run = commands.runs().molecules
    views = json.loads((run / "record.json").read_text())["recipe"]["views"]
    model = load(run)
    source = sources.load("zinc-autoencoder")
    good = [text for text, reason in ROWS if not reason]
    standard = np.array(smiles.read(good)[0], object)
    written = [standard, *(source.augment(standard, i) for i in range(views))]
    scores = [model.predict(source.preprocess(x), verbose=0) for x in written]
    expected = np.mean(scores, axis=0)[:, 0]
    rows = read(folder / "molecules.csv")
    found = [float(r["prediction_2"]) for r in rows if not r["reason_2"]]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert np.ptp(found) > 0


def test_images_of_a_folder(ended, folder):
    assert ended["images"].code == 0, ended["images"].err
    rows = read(folder / "images.csv")
    names = [f"probability_{i}" for i in range(10)]
    assert list(rows[0]) == ["file", "prediction", *names, "set", "reason"]
    assert [r["file"] for r in rows] == [
        *("a/c.png", "a/cut.png", "a/d.png", "b.png")
    ]
    bad = rows.pop(1)
    assert bad["reason"].startswith("not an image to read (cannot identify")
    assert {bad[name] for name in ["prediction", *names]} == {""}
    model = load(commands.runs().images)
    pixels = np.round(tasks.load("digits").inputs[[1, 2, 0]])
    source = sources.load("shapes")
    run = json.loads((commands.runs().images / "record.json").read_text())
    seen = [pixels]
    seen += [source.augment(pixels, i) for i in range(run["recipe"]["views"])]
    scores = [model.predict(source.preprocess(x), verbose=0) for x in seen]
    found = np.array([[row[name] for name in names] for row in rows], float)
    softmax = keras.ops.softmax(np.stack(scores))
    expected = keras.ops.convert_to_numpy(softmax).mean(axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    classes = [str(i) for i in expected.argmax(axis=1)]
    assert [row["prediction"] for row in rows] == classes


def test_series_of_a_file(ended, folder):
    assert ended["series"].code == 0, ended["series"].err
    rows = read(folder / "series.csv")
    assert [row["row"] for row in rows] == list("123456")
    assert rows[2]["reason"].startswith("2 x 1 values where the run was")
    assert rows[2]["prediction"] == ""
    del rows[2]
    for row, name in zip(rows, ["slow", "fast", "slow", "fast", "slow"]):
        assert (row["prediction"], row["reason"]) == (name, "")
        found = [float(row[f"probability_{k}"]) for k in ("fast", "slow")]
        assert sum(found) == pytest.approx(1, abs=1e-6)
        assert found[name == "slow"] > 0.5


def test_goes_on_after_a_kill(ended, folder):
    assert ended["torn"].code == 0, ended["torn"].err
    assert "goes on after the 2 rows of" in ended["torn"].out
    assert "torn.csv: 6 rows, 1 of them without" in ended["torn"].out


def test_overwrite_starts_over(ended, folder):
    assert ended["again"].code == 0, ended["again"].err
    again, whole = read(folder / "torn.csv"), read(folder / "series.csv")
    for row, expected in zip(again, whole, strict=True):
        assert row["prediction"] == expected["prediction"]
    assert not list(folder.glob("torn.csv.*"))


def test_other_source_weights_are_refused(ended):
    code, _, err = ended["damaged"]
    assert code == 2
    assert err.startswith("Error: ") and len(err.splitlines()) == 1
    assert "model.keras has other source weights than the run was" in err
    assert "expected 000000000000 of 'waves'. Give the source that" in err


def test_bad_usage_ends_with_code_2(tmp_path):
    runs = commands.runs()
    there = tmp_path / "there.csv"
    there.write_text("smiles\nCCO\n")
    lame = tmp_path / "lame.csv"
    lame.write_text("a,b\nCCO,1\n")
    run, data = f"--run={runs.molecules}", f"--input={there}"
    output = f"--output={tmp_path / 'new.csv'}"
    cases = [
        ((run, data), "--output is missing: Table to write."),
        ((run, data, output, "--nope"), "There is no flag --nope"),
        ((f"--run={tmp_path}/no", data, output), "No record at"),
        ((run, data, f"--output={there}"), "exists. Choose another name"),
        ((run, data, f"--output={tmp_path}", "--overwrite"), "exists. Choose"),
        (
            (run, data, f"--output={there}", "--overwrite"),
            "would change the input",
        ),
        ((run, data, f"{output}.gz"), "is written as plain text"),
        ((run, f"--input={lame}", output), "which column is the `smiles_col"),
        ((run, data, output, "--smiles_column=x"), "no `smiles_column` named"),
        ((run, f"--input={runs.images}", output), "trained on molecule inputs"),
        ((run, f"--input={runs.waves}", output), "no name is a usual one"),
        ((run, f"--input={tmp_path}/no.csv", output), "no file or folder"),
    ]
    ended = commands.run(
        "reprogram.scripts.predict", *(case for case, _ in cases)
    )
    for (_, message), (code, _, err) in zip(cases, ended, strict=True):
        assert (code, message in err) == (2, True), err
        assert err.startswith("Error: ") and len(err.splitlines()) == 1
    assert sorted(os.listdir(tmp_path)) == ["lame.csv", "there.csv"]


def test_real_command_has_an_exit_code(tmp_path):
    found = commands.python(
        "-m", "reprogram.scripts.predict", f"--run={tmp_path}"
    )
    assert found.returncode == 2
    assert found.stderr.strip() == (
        "Error: --input is missing: Table, list of SMILES, SDF, folder of"
        " images, or series."
    )


def test_molecules_with_alerts_pictures_and_structures(tmp_path):
    runs = commands.runs()
    data = tmp_path / "new.csv"
    data.write_text(
        "\n".join(
            [
                "id,smiles,prediction",
                "1,CCO,x",
                "2,C1CC,",
                "3,c1ccccc1NC(=O)CC,",
            ]
        )
    )
    page, sdf, output = (
        tmp_path / name for name in ("a.html", "a.sdf", "a.csv")
    )
    words = (f"--run={runs.ensemble}", f"--input={data}")
    more = ("--alerts=PAINS,Brenk", f"--html={page}", f"--sdf={sdf}")
    ended = commands.run(
        "reprogram.scripts.predict",
        (*words, f"--output={output}", *more),
        (*words, f"--output={tmp_path / 'b.csv'}", "--alerts=None"),
        (*words, f"--output={tmp_path / 'b.csv'}", "--confidence=2"),
        (
            f"--run={runs.series}",
            f"--input={runs.waves}",
            f"--output={tmp_path / 'b.csv'}",
            "--alerts=PAINS",
        ),
    )
    assert [end.code for end in ended] == [0, 2, 2, 2], ended
    assert "PAINS, Brenk" in ended[1].err
    assert "between 0 and 1" in ended[2].err
    assert "are for runs on molecules" in ended[3].err
    rows = read(output)
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["prediction"] == "x"
    low, middle, high = (
        float(rows[0][f"{name}_2"]) for name in ("lower", "prediction", "upper")
    )
    assert low < middle < high
    assert rows[1]["prediction_2"] == ""
    assert "'C1CC'" in rows[1]["reason_2"]
    assert rows[2]["nearest_value_2"] and rows[2]["in_domain_2"] == "true"
    assert page.read_text().count("<figure") == 3
    assert sdf.read_text().count("$$$$") == 3
