"""Every Python example of the documentation runs."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = EXAMPLE.findall(page.read_text("utf-8"))
    assert blocks, f"{page.name} has no example."
    names = {"__name__": page.stem}
    for block in blocks:
        exec(compile(block, page.name, "exec"), names)


def test_every_page_is_in_the_navigation():
    listed = (ROOT / "mkdocs.yml").read_text("utf-8")
    for page in PAGES:
        assert page.name in listed


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        text = page.read_text("utf-8")
        for target in re.findall(r"\]\(([\w./-]+\.md)\)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_scripts_that_are_named_exist():
    for page in [*PAGES, ROOT / "README.md"]:
        text = page.read_text("utf-8")
        for name in re.findall(r"-m ((?:scripts|benchmarks)\.\w+)", text):
            path = ROOT / f"{name.replace('.', '/')}.py"
            assert path.exists(), f"{page.name}: {name}"
