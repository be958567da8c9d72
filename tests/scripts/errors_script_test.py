"""Mistakes, help and interruptions of a program; the console command."""

import os
import pathlib
import sys

import pytest
from absl import flags

import reprogram
from reprogram.scripts import errors
from reprogram.scripts import main as console
from reprogram.scripts import quiet
from reprogram.scripts import report
from tests import commands


@pytest.fixture
def call(monkeypatch, capsys):
    """Calls the console command in this process."""

    def called(*words, main=None):
        flags.FLAGS.unparse_flags()
        monkeypatch.setattr(sys, "argv", ["reprogram", *words])
        monkeypatch.setattr(quiet, "quieten", lambda: None)
        if main:
            main.__module__ = report.__name__
            monkeypatch.setattr(report, "main", main)
        try:
            console.main()
            code = 0
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return called


def test_help_lists_every_command_with_a_sentence(call):
    code, out, _ = call("--help")
    assert code == 0
    for name in console.COMMANDS:
        line = next(row for row in out.splitlines() if f"  {name} " in row)
        assert line.endswith("."), line
    assert len(out.splitlines()) < 20


def test_every_program_is_a_command():
    folder = pathlib.Path(console.__file__).parent
    programs = {
        path.stem.replace("_", "-")
        for path in folder.glob("*.py")
        if "errors.run(main)" in path.read_text("utf-8")
    }
    assert programs == {*console.COMMANDS}


def test_version(call):
    assert call("--version") == (0, f"reprogram {reprogram.__version__}\n", "")


def test_unknown_command_is_told_with_the_closest(call):
    code, _, err = call("evaluate_robustnes")
    assert code == 2
    assert "Did you mean `reprogram evaluate-robustness`?" in err
    assert call()[0] == 2


def reprogram_(*words):
    """Calls the command in a process of its own, for its many flags."""
    ended = commands.python("-m", "reprogram", *words)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize("word", ["--help", "-h", "--helpshort", "--helpfull"])
def test_every_way_to_ask_for_help_gives_it(call, word):
    code, out, err = call("report", word)
    assert (code, err) == (0, "")
    assert out.startswith(report.__doc__.splitlines()[0])


def test_help_of_a_command_shows_its_own_flags_in_groups():
    code, out, err = reprogram_("train", "--help")
    assert (code, err) == (0, "")
    assert "    reprogram train --task=nav17\n" in out
    places = [
        out.index(f"\n{name}:\n") for name in ("Data", "Output", "Recipe")
    ]
    assert places == sorted(places)
    assert out.index("--task=") < places[1] < out.index("--output_dir=")
    assert out.index("--transform=") > places[2]
    assert "--verbosity" not in out
    assert "--undefok" not in out


def test_positional_arguments_are_refused():
    code, _, err = reprogram_("train", "digits")
    assert code == 2
    assert err == (
        "Error: Every argument needs the name of its flag. Received: digits."
        " Perhaps --task=digits was meant. `reprogram train --help` lists all"
        " flags.\n"
    )


def test_unknown_flags_are_told_with_the_closest():
    code, _, err = reprogram_("train", "--taks=digits")
    assert code == 2
    assert "There is no flag --taks. Did you mean --task?" in err


def test_interruption_has_its_code_and_no_traceback(call):
    def main(_):
        raise KeyboardInterrupt

    code, out, err = call("report", main=main)
    assert (code, out) == (130, "")
    assert err == "\nInterrupted; the same command resumes.\n"


@pytest.mark.parametrize("kind", [ValueError, OSError, ImportError])
def test_mistakes_of_the_user_are_one_paragraph(call, kind):
    def main(_):
        raise kind("the file is empty")

    assert call("report", main=main) == (2, "", "Error: the file is empty\n")


def test_verbosity_shows_where(call):
    def main(_):
        raise ValueError("the file is empty")

    code, _, err = call("report", "--verbosity=1", main=main)
    assert code == 2
    assert "Traceback" in err
    assert err.endswith("Error: the file is empty\n")
    flags.FLAGS.verbosity = -1


def test_faults_of_the_library_keep_their_traceback(call):
    def main(_):
        raise TypeError("a fault")

    with pytest.raises(TypeError, match="a fault"):
        call("report", main=main)


@pytest.mark.parametrize(
    ("main", "program"),
    [
        ("reprogram train", "reprogram train"),
        ("/a/scripts/train.py", "python -m scripts.train"),
    ],
)
def test_the_program_is_named_as_it_was_called(monkeypatch, main, program):
    monkeypatch.setattr(sys, "argv", [main])
    assert errors.program() == program


CHATTER = (
    b"WARNING: All log messages before absl::InitializeLog() is called are\n"
    b"I0000 00:00:1795792414.089928    2073 port.cc:153] oneDNN custom\n"
)


def test_chatter_is_dropped_and_the_rest_passed_on(capfd):
    with quiet.without_chatter():
        os.write(2, CHATTER + b"E0000 a true error\n")
    assert capfd.readouterr().err == "E0000 a true error\n"


def test_of_a_failing_import_nothing_is_lost(capfd):
    def fail():
        os.write(2, CHATTER)
        raise ImportError

    with pytest.raises(ImportError):
        quiet.without_chatter()(fail)()
    assert capfd.readouterr().err == CHATTER.decode()
