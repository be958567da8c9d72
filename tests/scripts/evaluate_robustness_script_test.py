"""The scripts that write and render report cards."""

import json
import pathlib
import shutil

import commands
import keras
import numpy as np
import pytest

from reprogram.report.pages import card as cards

FEW = "--samples=8"


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Cards of runs of every kind, and of a Keras file."""
    folder = tmp_path_factory.mktemp("cards")
    runs = commands.runs()
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    model.save(folder / "plain.keras")
    shutil.copytree(runs.molecules, folder / "molecules")  # Others read it.

    def judged(name, *words):
        output = f"--output_dir={folder / name}"
        return (f"--run={getattr(runs, name)}", output, FEW, *words)

    plain = (
        f"--model={folder / 'plain.keras'}",
        "--task=digits",
        f"--output_dir={folder / 'plain'}",
        FEW,
        "--only=clean,gradients",
    )
    found = commands.run(
        "reprogram.scripts.evaluate_robustness",
        (f"--run={folder / 'molecules'}", FEW),
        judged("images", "--only=clean,spatial"),
        judged("ensemble"),
        judged("forest", "--only=clean"),
        plain,
        plain,
        (*plain, "--seed=3"),
        (*plain, "--suite=huge"),
        (*plain, "--bounds=0,0.1", f"--output_dir={folder / 'y'}"),
        (*plain, "--bounds=1,0"),
        (*plain, "--only=magic"),
        (*plain, "--output_dir=/dev/null/x"),
        (),
        (f"--model={folder / 'plain.keras'}",),
        (f"--run={folder}",),
        (f"--run={folder / 'none'}",),
    )
    return folder, found


def card_of(path: pathlib.Path) -> tuple[dict, dict]:
    card = cards.load(path)
    return card, {section["name"]: section for section in card["sections"]}


def test_card_of_a_regression_on_molecules(ended):
    run = ended[0] / "molecules"
    assert ended[1][0].code == 0, ended[1][0].err
    card, sections = card_of(run / "robustness")
    assert card["data"]["modality"] == "molecule" and not card["threats"]
    assert card["model"]["frozen"] == "yes, proven"
    names = [r["name"] for r in sections["unchanged"]["results"]]
    assert "randomized: largest change, mean over molecules" in names
    assert sections["clean"]["results"][0]["name"] == "RMSE"
    for name in ("gradients", "smoothing", "clever", "shifts"):
        assert sections[name]["state"] == "does not apply"
        assert "SMILES" in sections[name]["reason"]
    assert sections["changed"]["state"] in ("done", "does not apply")
    assert sections["trojan"]["state"] == "not built"
    for name in ("card.md", "card.html"):
        assert "randomized" in (run / "robustness" / name).read_text()


def test_card_of_a_reprogrammed_image_model(ended):
    assert ended[1][1].code == 0, ended[1][1].err
    card, sections = card_of(ended[0] / "images")
    assert card["data"]["rows"] == 8 and card["model"]["source"] == "shapes"
    assert sections["spatial"]["results"][0]["threat"] == "Spatial"
    assert sections["gradients"]["state"] == "not run"
    assert "--only=clean,spatial" in card["command"]


def test_card_of_an_ensemble_has_intervals_and_edits(ended):
    assert ended[1][2].code == 0, ended[1][2].err
    card, sections = card_of(ended[0] / "ensemble")
    assert card["model"]["kind"] == "few-label ensemble"
    names = [result["name"] for result in sections["promises"]["results"]]
    assert names[0] == "values inside their 90 % intervals"
    assert sections["unchanged"]["state"] == "done"
    assert "no single class" in sections["votes"]["reason"] or (
        "regression" in sections["votes"]["reason"]
    )
    for name in ("gradients", "black_box", "smoothing"):
        assert "SMILES" in sections[name]["reason"]
    assert card["verdict"] in ended[1][2].out


def test_a_model_that_saw_the_test_rows_is_judged_by_what_it_said_before(ended):
    assert ended[1][3].code == 0, ended[1][3].err
    card, sections = card_of(ended[0] / "forest")
    assert any("fitted again to all labels" in w for w in card["warnings"])
    record = json.loads((commands.runs().forest / "record.json").read_text())
    assert "included" in record["refit"]
    test = record["test"]
    gaps = np.subtract(test["predictions"], test["targets"])
    own = sections["clean"]["results"][0]
    assert own["samples"] == 8 <= len(gaps)
    if len(gaps) == 8:
        assert own["value"] == pytest.approx(np.sqrt(np.mean(gaps**2)))


def test_card_of_a_keras_file_resumes(ended):
    first, again, other = ended[1][4:7]
    assert first.code == 0, first.err
    assert "Gradient attacks ..." in first.out
    assert again.code == 0 and "Gradient attacks ..." not in again.out
    assert other.code == 2 and "seed was 0 and is 3" in other.err
    card, _ = card_of(ended[0] / "plain")
    assert card["data"]["task"] == "digits"
    assert card["model"]["answers"] == "10 logits"


def test_mistakes_of_the_user_are_told(ended):
    said = {
        "Suites are quick, standard": 7,
        "two rising numbers": 9,
        "no section magic": 10,
        "Nothing can be written": 11,
        "either --run": 12,
        "--task": 13,
        "No record": 14,
        "There is no": 15,
    }
    for words, place in said.items():
        assert ended[1][place].code == 2 and words in ended[1][place].err
    assert ended[1][8].code == 0, ended[1][8].err


def test_cards_are_rendered_again_and_merged(ended):
    folder, _ = ended
    plain, images = folder / "plain", folder / "images"
    (plain / "card.html").unlink()
    broken = folder / "broken.json"
    broken.write_text(json.dumps({"schema": "reprogram.card/0"}))
    found = commands.run(
        "reprogram.scripts.report",
        (f"--card={plain}",),
        (f"--card={plain},{images}", f"--output={folder / 'both.html'}"),
        (f"--card={plain},{images}",),
        (f"--card={broken}",),
        (),
    )
    again, both, several, wrong, nothing = found
    assert again.code == 0 and (plain / "card.html").exists(), again.err
    assert both.code == 0, both.err
    page = (folder / "both.html").read_text()
    assert "Side by side" in page and "plain on digits" in page
    assert several.code == 2 and "--output=PAGE.html" in several.err
    assert wrong.code == 2 and "reprogram.card/0" in wrong.err
    assert nothing.code == 2 and "--card is missing" in nothing.err
