"""Every Python example, command and notebook of the documentation works."""

import ast
import os
import pathlib
import re

import nbclient
import nbformat
import pytest

from reprogram.scripts import main

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
EVERY_PAGE = sorted((ROOT / "docs").rglob("*.md"))
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
# What is told there is shown on other pages, in notebooks or by commands.
WITHOUT_EXAMPLE = {"contributing", "notebooks", "results"}
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FLAG = re.compile(r'flags\.DEFINE_\w+\(\s*"(\w+)"')
IMPORT = re.compile(
    r"^from (?:reprogram\.scripts|benchmarks) import (\w+)", re.MULTILINE
)
COMMAND = re.compile(
    r"(?<![\w/.\"-])(?:reprogram|python -m (scripts|benchmarks)\.)"
    r"[ ]?([\w-]+)((?:\\\n|[^`\n#])*)"
)


def flags_of(path: pathlib.Path) -> set[str]:
    """Reads the flags that a program and the programs it imports define."""
    text = path.read_text("utf-8")
    names = set(FLAG.findall(text))
    for module in IMPORT.findall(text):
        other = path.with_name(f"{module}.py")
        if other.exists():
            names |= flags_of(other)
    return names


def commands(page: pathlib.Path) -> list[tuple[str, pathlib.Path, set[str]]]:
    """Lists the commands of a page with their programs and flags."""
    rows = []
    for found in COMMAND.finditer(page.read_text("utf-8")):
        folder, name, rest = found.groups()
        used = set(re.findall(r"(?<!\S)--(\w+)", rest))
        if folder is None and not (name in main.COMMANDS or used):
            continue  # a sentence about the project
        place = f"{folder or 'scripts'}/{name.replace('-', '_')}.py"
        rows.append((found.group().strip(), ROOT / place, used))
    return rows


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.stem not in WITHOUT_EXAMPLE],
    ids=lambda page: page.stem,
)
def test_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = EXAMPLE.findall(page.read_text("utf-8"))
    assert blocks, f"{page.name} has no example."
    names = {"__name__": page.stem}
    for block in blocks:
        if ".describe(" not in block:  # the next test runs that one
            exec(compile(block, page.name, "exec"), names)


def test_the_molecular_source_does_what_its_comments_say():
    text = (ROOT / "docs" / "molecules.md").read_text("utf-8")
    code = next(b for b in EXAMPLE.findall(text) if ".describe(" in b)
    scope, values = {}, []
    for node in ast.parse(code).body:
        if isinstance(node, ast.Expr):
            values.append(eval(ast.unparse(node), scope))
        else:
            exec(ast.unparse(node), scope)
    same, neighbors, weight, new, drawn = values
    assert scope["latents"].shape == (2, 240)
    assert same == ["CC(=O)Nc1ccc(O)cc1", "CCOC(=O)c1ccccc1"]
    assert len(neighbors) == 2
    assert len(new) == len(drawn) == 3
    assert weight == pytest.approx(46, abs=8)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(
        notebook, timeout=300, resources=resources
    ).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_stored_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs"), f"{path.name}: clear the outputs"
        assert not cell.get("execution_count"), path.name


def test_every_notebook_is_linked():
    page = (ROOT / "docs" / "notebooks.md").read_text("utf-8")
    assert len(NOTEBOOKS) == 3
    for path in NOTEBOOKS:
        assert f"(notebooks/{path.name})" in page


def test_every_page_is_in_the_navigation():
    listed = (ROOT / "mkdocs.yml").read_text("utf-8")
    for page in EVERY_PAGE:
        assert f": {page.relative_to(ROOT / 'docs')}\n" in listed


def test_links_between_pages_lead_somewhere():
    for page in [*EVERY_PAGE, ROOT / "README.md"]:
        text = page.read_text("utf-8")
        for target in re.findall(r"\]\(([\w./-]+\.\w+)(?:#[\w-]+)?\)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_links_to_results_lead_to_a_heading():
    results = (ROOT / "docs" / "results.md").read_text("utf-8")
    headings = re.findall(r"^#+ (.*)$", results, re.MULTILINE)
    anchors = {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
        for heading in headings
    }
    readme = (ROOT / "README.md").read_text("utf-8")
    for anchor in re.findall(r"results\.md#([\w-]+)\)", readme):
        assert anchor in anchors


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.stem
)
def test_commands_have_the_flags_that_are_shown(page):
    for command, program, used in commands(page):
        assert program.exists(), f"{page.name}: {command}"
        known = flags_of(program) | {"help", "helpshort"}
        known |= {f"no{name}" for name in known}
        assert used <= known, f"{page.name}: {command}: {used - known}"


def test_commands_are_found_in_every_place():
    rows = commands(ROOT / "README.md")
    programs = {program.stem for _, program, _ in rows}
    assert {"train", "predict", "optimize", "evaluate_robustness"} <= programs
    assert any("maximise" in used for _, _, used in rows)
