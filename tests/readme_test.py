"""What the README shows is true; its commands are tested with the docs."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def python_block(word: str) -> str:
    return next(t for kind, t in BLOCKS if kind == "python" and word in t)


def test_robustness_example_runs(capsys):
    scope = {}
    exec(compile(python_block("robustness"), "README.md", "exec"), scope)
    assert 0 <= scope["attack"].robust_accuracy() <= 1
    assert "apgd-ce" in capsys.readouterr().out


def test_python_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = python_block("Reprogrammer")
    assert len(code.strip().splitlines()) <= 20
    scope = {}
    exec(compile(code, "README.md", "exec"), scope)
    assert (tmp_path / "model.keras").exists()
    assert type(scope["model"]).__name__ == "Reprogrammer"


def test_first_two_commands_install_and_run_in_one_line():
    train, test = [text for kind, text in BLOCKS if kind == "bash"][:2]
    for command in (train, test):
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip")
    assert train.strip().endswith("-m scripts.train --task=nav17")
    assert test.strip().endswith("-m pytest -n 2 --dist loadfile")


def test_it_stays_short():
    assert len(README.splitlines()) <= 130
    assert len(re.findall(r"^\|---", README, re.MULTILINE)) == 1


def test_numbers_of_the_headlines_are_those_of_the_results():
    results = (ROOT / "docs" / "results.md").read_text("utf-8")
    rows = re.findall(r"^\|.*results\.md#.*$", README, re.MULTILINE)
    assert len(rows) >= 5
    for row in rows:
        cells = "|".join(row.split("|")[2:4])
        for number in re.findall(r"\d*\.\d+(?: ± \d*\.\d+)?", cells):
            assert number in results, f"{number} is not in results.md"
