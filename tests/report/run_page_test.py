"""The page of a run, for molecules and for images."""

import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from page_reader import Reader
from page_reader import svg_text
from sample_records import ensemble
from sample_records import images
from sample_records import molecules

from reprogram.report.pages import figures
from reprogram.report.pages import run as page
from reprogram.report.pages import run_context


def read(record: dict) -> Reader:
    return Reader(page.render(record))


@pytest.mark.parametrize("record", [molecules(), images()])
def test_page_needs_nothing_else(record):
    found = read(record)
    assert not {tag for tag, _ in found.tags} & {"script", "link", "iframe"}
    for _, attributes in found.tags:
        assert attributes.get("src", "data:").startswith("data:")
        assert attributes.get("href", "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on")]
    policy = [a for _, a in found.tags if a.get("http-equiv")]
    assert policy[0]["content"].startswith("default-src 'none'")
    assert all(image["alt"].strip() for image in found.images)
    for image in found.images:
        drawn = svg_text(image["src"])
        assert not re.search(r"(href|src)=['\"](?!#|data:)", drawn)
        assert "url(http" not in drawn


def test_page_is_written_whole(tmp_path):
    page.write(tmp_path / "new" / "report.html", molecules())
    text = (tmp_path / "new" / "report.html").read_text("utf-8")
    assert text == page.render(molecules())
    assert text.rstrip().endswith("</html>")


def test_page_of_molecules():
    found = read(molecules())
    for line in (
        "Use the Tanimoto-kernel Gaussian process: RMSE 0.710 pIC50 (95 %",
        "the reprogrammed model adds nothing here",
        "-0.210 ± 0.031better",
        "no difference seen",
        "+0.100 ± 0.034worse",
        "Frozen, proven.",
        "2 rows were left out.",
        "nearest median",
        "python -m scripts.train --task=nav17",
        "0, 1, 2, 3, 4",
        "CC BY",
    ):
        assert line in found.text
    assert "Warning" not in found.text
    assert "Label mapping" not in found.text
    assert sum("Structure of" in title for title in found.titles()) == 12
    assert any("RMSE of this seed: 0.531" in t for t in found.titles())


def test_page_of_images():
    found = read(images())
    assert "0.070 better than the linear probe" in found.text
    assert "Label mapping" in found.text and "and 36 more" in found.text
    assert "The linear probe stopped" in found.text
    assert "Dropped rows" not in found.text
    assert "Similarity" not in found.text
    titles = found.titles()
    assert not any("Structure of" in title for title in titles)
    assert any("Confusion matrix: 167 of 200" in title for title in titles)
    assert any("ROC curves" in title for title in titles)


HOSTILE = "</title><script>alert('x')</script>\"'&$\\frac{ \x00\u202e"


def test_user_data_is_escaped():
    record = molecules()
    task = record["task"]
    task.update(name=HOSTILE, unit=HOSTILE, citation=HOSTILE, licence=HOSTILE)
    task["target_names"] = [HOSTILE]
    task["dropped"] = [[1, HOSTILE]]
    task["similarity"] = {HOSTILE: HOSTILE}
    record["command"] = record["created"] = HOSTILE
    record["flags"] = record["versions"] = {HOSTILE: HOSTILE}
    record["source"].update(name=HOSTILE, citation=HOSTILE)
    record["models"][1]["name"] = HOSTILE
    record["models"][0]["reasons"] = {"spearman": HOSTILE}
    record["test"]["inputs"] = [HOSTILE] * 35
    record["mapping"] = [[HOSTILE, [HOSTILE, 0.5]]]
    record["warnings"] = [HOSTILE]
    text = page.render(record)
    assert "<script" not in text and "</title><" not in text
    found = Reader(text)
    assert found.text.count("<script>alert('x')</script>") > 12
    for image in found.images:
        assert image.keys() == {"src", "alt"}
        assert "<script" not in svg_text(image["src"])


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=40))
def test_any_text_can_be_drawn(text):
    curve = (text, np.array([0, 1]), np.array([0, 1]), 0.5)
    svg_text(figures.roc([curve]))
    assert len(figures.short(text)) <= 24


def test_text_that_utf8_cannot_hold_is_replaced(tmp_path):
    record = images() | {"warnings": ["half of a pair: \ud800"]}
    page.write(tmp_path / "report.html", record)
    assert "pair: ?" in (tmp_path / "report.html").read_text("utf-8")


def test_one_seed_has_no_verdict():
    record = molecules()
    record["seeds"] = [7]
    record["history"] = record["history"][:1]
    for model in record["models"]:
        model["seconds"] = model["seconds"][:1]
        for name, values in model["metrics"].items():
            model["metrics"][name] = values[:1]
    found = read(record)
    assert "shows nothing: the Tanimoto-kernel" in found.text
    assert "one seed gives no intervalnot decided" in found.text
    assert "one seed, so no confidence intervals" in found.text
    assert "Test rows, seed 7" in found.text
    assert "±" not in found.text


def test_a_failed_seed_leaves_the_question_open():
    record = molecules()
    record["models"][-1]["metrics"]["rmse"][2] = float("nan")
    found = read(record)
    assert "no value for 1 of 5 seedsnot decided" in found.text
    assert "4 of 5 seeds" in found.text


def test_values_that_are_missing_give_the_reason():
    found = read(molecules())
    assert "n/a" in found.text
    assert "spearman of mean predictor is n/a: ranks are" in found.text


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("a", "b", "The source model changed during this run."),
        ("a", "a", "Frozen, proven."),
        (None, "a", "Not proven frozen."),
    ],
)
def test_the_page_says_whether_the_source_is_frozen(before, after, text):
    record = images()
    record["source"]["fingerprint_before"] = before
    record["source"]["fingerprint_after"] = after
    found = read(record)
    assert text in found.text
    alarm = [a for _, a in found.tags if a.get("role") == "alert"]
    assert bool(alarm) == (before == "a" and after == "b")


def test_sections_without_content_are_left_out():
    record = images()
    for name in ("history", "test", "mapping"):
        record[name] = None
    record["models"] = record["models"][:2]
    record["flags"], record["versions"] = {}, {}
    found = read(record)
    assert "Use the linear probe: balanced accuracy 0.810" in found.text
    for title in ("Test rows", "Learning", "Flags", "Versions", "Paired"):
        assert title not in found.text
    assert len(found.images) == 1


def test_the_page_of_an_ensemble_says_what_it_knows():
    record = ensemble()
    del record["trainable_parameters"]
    found = read(record)
    text = " ".join(found.text.split())
    for line in (
        "Use the few-label ensemble: RMSE 0.640",
        "The saved few-label ensemble: refitted on all 128 labels.",
        "0.070 better than the Tanimoto-kernel Gaussian process",
        "coverage promised by the intervals90 %",
        "coverage of the test values93.0 % (81.4 to 98.4)",
        "coverage inside the domain100.0 % (87.9 to 100.0)",
        "test rows inside the domain80.0 % (64.1 to 90.0)",
        "kernels on ECFP469.50.7 forest300.7",
        "RMSE [pIC50], few-label ensemble",
        "five parts",
    ):
        assert line in text, line
    assert ">coverage<" not in text and "Source model" not in text


def test_the_verdict_is_the_first_thing_on_the_page():
    text = page.render(molecules() | {"verdict": "Use that one."})
    body = " ".join(Reader(text).text.split())
    assert body.index("nav17") < body.index("Use that one.") < 100


def test_many_dropped_rows_are_counted():
    record = molecules()
    record["task"]["dropped"] = [[i, f"reason {i}."] for i in range(1, 1235)]
    text = read(record).text
    assert "1,234 rows were left out; the first 50 are listed" in text
    assert "reason 50." in text and "reason 51." not in text


def test_history_with_gaps_is_drawn():
    curves = [{"loss": [1.0, None, 1e-4]}, {"loss": [None]}, {"val_loss": [2]}]
    svg_text(figures.learning_curves(curves))
    record = images()
    record["history"] = [{"seed": 0, "loss": [float("nan")], "val_loss": []}]
    assert "Learning curves" not in read(record).text


def test_logarithmic_axes_have_plain_labels():
    history = [{"seed": 0, "loss": [100.0, 1.0, 1e-3], "val_loss": [2.0, 0.1]}]
    for curves in (history, [{"loss": [2e-3, 1.0]}]):
        svg = svg_text(figures.learning_curves(curves))
        assert "mathdefault" not in svg and "$" not in svg
        assert ">0.01<" in svg and ">1<" in svg


def test_molecules_that_cannot_be_drawn_are_named():
    record = molecules(3)
    record["test"]["inputs"][:] = ["C1CC", "", "CCO"]
    found = read(record)
    assert found.text.count("not a molecule RDKit can draw") == 2
    assert "Structure of CCO" in found.titles()


@pytest.mark.parametrize("classes", [2, 15, 40])
def test_classes_few_and_many(classes):
    found = read(images(120, classes))
    smallest = f"The 10 smallest areas of {classes}."
    assert (smallest in found.text) == (classes > 10)


def test_incomplete_records_are_refused():
    with pytest.raises(ValueError, match="`command` is missing"):
        page.render({"seeds": [0]})


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.21, "3.2 s"), (600, "10.0 min"), (9000, "2.5 h")]
)
def test_durations(seconds, text):
    assert run_context.duration(seconds) == text


def test_report_does_not_import_tensorflow_or_pyplot():
    code = (
        "import sys, reprogram.report.pages.run;"
        "print({'tensorflow', 'keras', 'jax', 'matplotlib.pyplot'}"
        " & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
