"""What is installed is complete; what CI runs exists."""

import configparser
import importlib
import os
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", "utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("name", ["tasks", "scripts"])
def test_folders_of_the_checkout_are_packages(name):
    link = ROOT / "reprogram" / name
    assert link.is_symlink()
    assert os.readlink(link) == f"../{name}"
    module = importlib.import_module(f"reprogram.{name}")
    assert pathlib.Path(module.__file__).parent == link


def test_every_file_of_the_package_is_installed():
    packaged = set()
    for package, patterns in SETUP["options.package_data"].items():
        folder = ROOT.joinpath(*package.split("."))
        for pattern in re.split(r",\s*", patterns):
            there = set(folder.glob(pattern))
            assert there, f"{package}: nothing is named {pattern}"
            packaged |= there
    for folder, _, names in os.walk(ROOT / "reprogram", followlinks=True):
        if folder.endswith("__pycache__"):
            continue
        paths = [pathlib.Path(folder, name) for name in names]
        if any(path.suffix == ".py" for path in paths):
            assert "__init__.py" in names, f"{folder} is no package"
        assert {p for p in paths if p.suffix != ".py"} <= packaged


def test_the_root_of_the_package_stays_small():
    assert len(list((ROOT / "reprogram").glob("*.py"))) <= 10


def test_the_console_command_exists():
    scripts = SETUP["options.entry_points"]["console_scripts"]
    name, place = scripts.strip().split(" = ")
    module, function = place.split(":")
    assert name == "reprogram"
    assert callable(getattr(importlib.import_module(module), function))


def test_extras_that_messages_name_exist():
    extras = SETUP["options.extras_require"]
    texts = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for folder in ("reprogram", "tasks", "scripts", "benchmarks"):
        texts.extend((ROOT / folder).rglob("*.py"))
    for path in texts:
        for name in re.findall(r"reprogram\[(\w+)\]", path.read_text("utf-8")):
            assert name in extras, f"{path}: there is no extra {name}"


def test_ci_uses_the_targets_of_the_makefile():
    line = re.search(
        r"^make (.*)$", (ROOT / ".ci/run").read_text(), re.MULTILINE
    )
    used = line[1].split()
    assert {"install", "lint", "type", "docs", "wheel", "jax"} <= {*used}
    assert {*used} <= {*TARGETS}
    for path in re.findall(r"tests/[\w/]+\.py", MAKEFILE):
        assert (ROOT / path).exists(), path


def test_the_guide_names_every_target():
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for target in TARGETS:
        assert f"make {target}" in guide or target in ("help", "all")
