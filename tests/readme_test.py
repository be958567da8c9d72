"""What the README shows is true."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def python_block(word: str) -> str:
    return next(t for kind, t in BLOCKS if kind == "python" and word in t)


def test_robustness_example_runs(capsys):
    scope = {}
    exec(compile(python_block("robustness"), "README.md", "exec"), scope)
    assert 0 <= scope["found"].robust_accuracy() <= 1
    assert "apgd-ce" in capsys.readouterr().out


def test_python_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = [text for kind, text in BLOCKS if kind == "python"][0]
    assert len(code.strip().splitlines()) <= 20
    scope = {}
    exec(compile(code, "README.md", "exec"), scope)
    assert (tmp_path / "model.keras").exists()
    assert type(scope["model"]).__name__ == "Reprogrammer"


def test_the_molecular_source_does_what_its_comments_say():
    code = python_block("zinc-autoencoder")
    tree, scope, values = ast.parse(code), {}, []
    for node in tree.body:
        if isinstance(node, ast.Expr):
            text = ast.unparse(node)
            values.append(eval(text, scope))
        else:
            exec(ast.unparse(node), scope)
    same, neighbors, weight, new, drawn = values
    assert scope["latents"].shape == (2, 240)
    assert same == ["CC(=O)Nc1ccc(O)cc1", "CCOC(=O)c1ccccc1"]
    assert len(neighbors) == 2 and len(new) == len(drawn) == 3
    assert weight == pytest.approx(46, abs=8)


def test_first_two_commands_install_and_run_in_one_line():
    train, test = [text for kind, text in BLOCKS if kind == "bash"][:2]
    for command in (train, test):
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip")
    assert train.strip().endswith("-m scripts.train --task=nav17")
    assert test.strip().endswith("-m pytest -n 2 --dist loadfile")


@pytest.mark.parametrize(
    "script",
    [
        *("train", "predict", "pretrain", "tune", "serve", "train_blackbox"),
        *("optimize", "train_molecules", "predict_molecules"),
        *("evaluate_robustness", "report"),
    ],
)
def test_flags_of_the_readme_exist(script):
    used = re.findall(rf"-m scripts\.{script} ([^`#\n]*)", README)
    names = {flag for line in used for flag in re.findall(r"--(\w+)", line)}
    shown = subprocess.run(
        [sys.executable, "-m", f"scripts.{script}", "--helpshort"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    ).stdout
    assert names, f"the README does not show scripts.{script}"
    for name in names - {"helpshort"}:
        assert f"--{name}" in shown or f"--[no]{name}" in shown
