"""Names load when they are used; what needs no Keras imports none."""

import importlib
import importlib.metadata
import os
import pathlib
import pkgutil
import subprocess
import sys
import types

import keras
import numpy as np
import pytest

import reprogram
from reprogram import mappings
from reprogram import molecules
from reprogram import transforms

ROOT = pathlib.Path(__file__).parents[1]

LIGHT = (
    "reprogram",
    "reprogram.molecules",
    "reprogram.parallel",
    "reprogram.metrics",
    "reprogram.blackbox.meter",
    "reprogram.optimization.run",
    "reprogram.predictors.baselines",
    "reprogram.sources",
    "reprogram.sources.pretraining.corpus",
    "reprogram.report.record",
    "reprogram.report.pages.run",
    "reprogram.series",
    "reprogram.scripts.main",
    "reprogram.scripts.train",
    "reprogram.tasks",
    "reprogram.tasks.describe",
    "reprogram.tasks.splits",
)


def python(script, cwd=ROOT, **variables):
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=cwd,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended


def test_what_needs_no_keras_does_not_import_it():
    script = f"""
import importlib, sys
import reprogram
for heavy in ("numpy", "pathlib", "rdkit", "sklearn", "keras", "tensorflow"):
    assert heavy not in sys.modules, heavy
for name in {LIGHT}:
    importlib.import_module(name)
    for heavy in ("tensorflow", "keras", "jax"):
        assert heavy not in sys.modules, (name, heavy)
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
    python(script)


def test_every_public_name_loads():
    for name in reprogram.__all__:
        assert getattr(reprogram, name) is not None
    assert reprogram.Masked.__module__ == "reprogram.losses"
    assert reprogram.molecules is molecules


def test_all_layers_are_public_names():
    for module in (transforms, mappings):
        for name in module.__all__:
            if name[0].isupper() and not name.isupper():
                assert getattr(reprogram, name) is getattr(module, name)


def test_saved_models_load_without_further_imports(tmp_path):
    source = keras.Sequential([keras.Input((4, 1)), keras.layers.Flatten()])
    model = reprogram.Reprogrammer(
        source, transforms.Gain(), mappings.LinearMapping(2)
    )
    inputs = np.ones((2, 4, 1), "float32")
    expected = model(inputs)
    model.compile(
        "adam", reprogram.OneHot(keras.losses.CategoricalCrossentropy())
    )
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "inputs.npy", inputs)
    ended = python(
        """
from reprogram.scripts import quiet
quiet.quieten()
import reprogram, keras, numpy
model = keras.saving.load_model("model.keras")
numpy.save("outputs.npy", model(numpy.load("inputs.npy")))
""",
        tmp_path,
        PYTHONPATH=str(ROOT),
    )
    outputs = np.load(tmp_path / "outputs.npy")
    np.testing.assert_allclose(outputs, expected, atol=1e-6)
    assert ended.stderr == ""  # TensorFlow does not talk about itself.


def test_keras_knows_every_saved_class_before_its_module_is_imported():
    registry = {}
    reprogram._register(
        types.SimpleNamespace(get_custom_objects=lambda: registry)
    )
    for found in pkgutil.walk_packages(reprogram.__path__, "reprogram."):
        if not found.name.startswith(("reprogram.__", "reprogram.scripts.")):
            importlib.import_module(found.name)
    for name, kind in keras.saving.get_custom_objects().items():
        if (
            kind.__module__.startswith("reprogram.")
            and name[:10] == "reprogram>"
        ):
            assert registry[name].from_config == kind.from_config


def test_import_beside_a_folder_of_that_name(tmp_path):
    there = importlib.metadata.distributions(name="reprogram")
    if not any(found.read_text("INSTALLER") for found in there):
        pytest.skip("reprogram is not installed, the checkout alone is used")
    (tmp_path / "reprogram").mkdir()
    python("import reprogram; reprogram.Masked", tmp_path, PYTHONPATH="")
