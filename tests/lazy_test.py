"""Names load when they are used; what needs no Keras imports none."""

import pathlib
import subprocess
import sys

import reprogram
from reprogram import molecules

ROOT = pathlib.Path(__file__).parents[1]

LIGHT = (
    "reprogram",
    "reprogram.molecules",
    "reprogram.parallel",
    "reprogram.metrics",
    "reprogram.predictors.baselines",
    "reprogram.sources",
    "reprogram.sources.pretraining.corpus",
    "reprogram.report.record",
    "reprogram.report.pages.run",
    "tasks",
    "reprogram.tasks.describe",
    "reprogram.tasks.splits",
)


def test_what_needs_no_keras_does_not_import_it():
    script = f"""
import importlib, sys
for name in {LIGHT}:
    importlib.import_module(name)
    for heavy in ("tensorflow", "keras", "jax"):
        assert heavy not in sys.modules, (name, heavy)
import reprogram
assert "Reprogrammer" in dir(reprogram)
reprogram.molecules.standardize("OCC")
assert "keras" not in sys.modules
try:
    reprogram.Nothing
except AttributeError as error:
    assert "Nothing" in str(error) and "Reprogrammer" in str(error)
else:
    raise AssertionError
"""
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_every_public_name_loads():
    for name in reprogram.__all__:
        assert getattr(reprogram, name) is not None
    assert reprogram.Masked.__module__ == "reprogram.losses"
    assert reprogram.molecules is molecules
