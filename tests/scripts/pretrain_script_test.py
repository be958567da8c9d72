"""The script that pretrains the molecular source, from files to a card."""

import functools
import json
import pathlib
import tempfile

import commands
import numpy as np
import pytest

from reprogram import molecules
from reprogram.molecules import DESCRIPTOR_NAMES
from reprogram.sources.molecular import files
from reprogram.sources.pretraining import card

SMALL = (
    "--rdkit_sets=false",
    "--width=8",
    "--depth=1",
    "--code=2",
    "--units=8",
    "--steps_per_epoch=2",
    "--batch_size=8",
)
_FOLDER = tempfile.TemporaryDirectory()


def write_smiles() -> tuple[pathlib.Path, pathlib.Path]:
    """Writes molecules to train on and others, and one of both, to test."""
    folder = pathlib.Path(_FOLDER.name)
    rows = [smiles for smiles, _ in commands.molecules(60)]
    training, test = folder / "training.smi", folder / "test.csv"
    training.write_text("\n".join(["smiles", *rows[:48], "C1CC"]))
    test.write_text("\n".join(f'"{row}","x"' for row in [*rows[44:], "C[Si]"]))
    return training, test


@functools.cache
def ended() -> dict[str, commands.Ended]:
    training, test = write_smiles()
    folder = pathlib.Path(_FOLDER.name)
    given = (*SMALL, f"--smiles={training}", "--minutes=0")
    measured = (*given, f"--test={test}", f"--output_dir={folder / 'run'}")
    cases = {
        "first": (*measured, "--steps=2"),
        "longer": (*measured, "--steps=4"),
        "again": (*measured, "--steps=4"),
        "other": (*measured, "--steps=4", "--width=16"),
        "missing": (*measured, "--steps=4", "--smiles=gone.smi"),
        "minutes": (
            *given,
            "--test=",
            "--steps=0",
            "--minutes=0.001",
            f"--output_dir={folder / 'quick'}",
        ),
    }
    found = commands.run("reprogram.scripts.pretrain", *cases.values())
    return dict(zip(cases, found))


def source(name: str = "run") -> pathlib.Path:
    return pathlib.Path(_FOLDER.name) / name / "source"


@pytest.mark.parametrize("case", ["first", "longer", "again", "minutes"])
def test_a_run_prints_its_card(case):
    found = ended()[case]
    assert found.code == 0, found.err
    assert "# Model card" in found.out and "## Limits" in found.out


def test_a_run_goes_on_and_then_only_writes_again():
    found = ended()
    assert "2 steps" in found["first"].out
    for case in ("longer", "again"):
        assert "4 steps" in found[case].out
    assert "Epoch 2" in found["longer"].out
    assert "Epoch" not in found["again"].out
    log = (source().parent / "log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in log] == ["epoch", "0", "1"]


def test_the_folder_has_a_source_and_its_card():
    ended()
    facts = json.loads((source() / "metrics.json").read_text())
    assert (source() / "CARD.md").read_text() == card.text(facts)
    assert facts["files"] == {"training.smi": 49}
    assert facts["held_out"] == {"test.csv": 17}
    assert facts["molecules"] <= 44 and facts["steps"] == 4
    assert facts["molecules_seen"] == 32 and facts["operations"] > 0
    assert facts["test"]["molecules"] + facts["test"]["unread"] == 17
    assert facts["test"]["unread"] >= 1
    assert facts["sample"]["smiles"][0] == commands.molecules(60)[44][0]
    made = files.load(source(), "made")
    answer = made.model.predict(made.preprocess(np.array(["CCO"])), verbose=0)
    assert answer.shape == (1, facts["descriptors"])
    assert set(made.class_names) <= set(DESCRIPTOR_NAMES)


def test_held_out_molecules_are_not_trained_on():
    ended()
    corpus = (source().parent / "corpus.smi").read_text().split("\n")
    rows = [smiles for smiles, _ in commands.molecules(60)]
    standard, _ = molecules.read(rows)
    assert set(corpus) == set(standard[:44]) - set(standard[44:])


def test_the_card_names_no_folder():
    found = ended()["again"].out
    assert _FOLDER.name not in found and "/tmp" not in found
    assert "--smiles=training.smi" in found and "--test=test.csv" in found
    assert "`training.smi`: unknown" in found


def test_without_a_test_file_nothing_is_measured():
    ended()
    assert "Not measured" in (source("quick") / "CARD.md").read_text()
    facts = json.loads((source("quick") / "metrics.json").read_text())
    assert "test" not in facts and facts["held_out"] == {}


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("other", "width was 8 and is 16 now"),
        ("missing", "No such file: gone.smi"),
    ],
)
def test_mistakes_end_in_one_paragraph(case, message):
    found = ended()[case]
    assert found.code == 2
    assert message in found.err and "Traceback" not in found.err
