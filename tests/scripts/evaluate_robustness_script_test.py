"""The scripts that write and render report cards."""

import json
import pathlib
import shutil

import commands
import keras
import pytest

from reprogram.report.pages import card as cards

FEW = "--samples=8"


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Cards of a run of molecules, one of images, and a Keras file."""
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
    molecules = (f"--run={folder / 'molecules'}", FEW)
    plain = (
        f"--model={folder / 'plain.keras'}",
        "--task=digits",
        f"--output_dir={folder / 'plain'}",
        FEW,
    )
    only = "--only=clean,gradients"
    images = (f"--run={runs.images}", f"--output_dir={folder / 'images'}")
    found = commands.run(
        "reprogram.scripts.evaluate_robustness",
        molecules,
        (*images, FEW, "--only=clean,spatial"),
        (*plain, only),
        (*plain, only),
        (*plain, only, "--seed=3"),
        (*plain, only, "--suite=huge", f"--output_dir={folder / 'x'}"),
        (*plain, only, "--bounds=0,0.1", f"--output_dir={folder / 'y'}"),
        (),
        (f"--model={folder / 'plain.keras'}",),
        (f"--run={folder}",),
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


def test_card_of_a_keras_file_resumes(ended):
    first, again, other = ended[1][2:5]
    assert first.code == 0, first.err
    assert "Gradient attacks ..." in first.out
    assert again.code == 0 and "Gradient attacks ..." not in again.out
    assert other.code == 2 and "seed was 0 and is 3" in other.err
    card, _ = card_of(ended[0] / "plain")
    assert card["data"]["task"] == "digits"
    assert card["model"]["answers"] == "10 logits"


def test_mistakes_of_the_user_are_told(ended):
    suite, narrow, nothing, half, no_run = ended[1][5:]
    assert suite.code == 2 and "Suites are quick, standard" in suite.err
    assert narrow.code == 0, narrow.err
    assert nothing.code == 2 and "either --run" in nothing.err
    assert half.code == 2 and "--task" in half.err
    assert no_run.code == 2 and "No record" in no_run.err


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
