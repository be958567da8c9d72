"""The sentence that a report card opens with."""

import copy

import pytest

from reprogram.report import card_verdict
from reprogram.report.pages import card as cards


def section(name, *results, kind="empirical", **more):
    rows = [{"method": "Wilson", **result} for result in results]
    done = {"state": "done", "results": rows}
    base = {"name": name, "title": f"Title of {name}", "kind": kind}
    return {**base, **done, **more}


def share(name, value, **more):
    ends = [max(0.0, value - 0.1), min(1.0, value + 0.1)]
    return {
        "name": name,
        "value": value,
        "unit": "share",
        "interval": ends,
    } | more


def card(*sections, rows=256, threats=(), **data):
    about = {"task": "t", "modality": "image", "problem": "classification"}
    return {
        "name": "mine",
        "command": "python -m me",
        "created": "2026-01-01",
        "versions": {"keras": "3"},
        "suite": "quick",
        "seconds": 1.0,
        "seeds": [0],
        "model": {"name": "mine", "kind": "function"},
        "data": {**about, "rows": rows, "selection": "all", **data},
        "threats": list(threats),
        "sections": list(sections),
    }


# As cards were written before: the name is not the epsilon that was used.
OLD = {
    "name": "L2 0.5",
    "norm": "L2",
    "epsilon": 0.289,
    "bounds": [0, 1],
    "meaning": "the length of the change",
}
CLEAN = section("clean", share("accuracy", 0.91))
CERTIFIED = section(
    "smoothing",
    share("certified accuracy at L2 0", 0.8),
    share("certified accuracy at L2 0.25", 0.34),
    kind="certified",
    settings={"alpha": 0.001},
)


def test_the_first_screen_says_how_far_a_model_can_be_trusted():
    attack = share("APGD", 0.12, threat="L2 0.5")
    made = card(CLEAN, section("gradients", attack), CERTIFIED, threats=[OLD])
    said = cards.completed(made)["verdict"]
    assert said == (
        "Accuracy 91 % falls to 12 % under L2 0.289 (APGD); 34 % is certified"
        " at L2 0.25 for the smoothed model: do not expose it to inputs that"
        " others choose."
    )
    page = cards.html([made])
    assert page.index(said) < page.index("<main>")
    assert said in cards.markdown([made])
    other = copy.deepcopy(made) | {"name": "other"}
    other["sections"][1]["results"][0]["value"] = 0.05
    both = cards.html([made, other])
    assert said in both and "falls to 5 %" in both


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ([section("gradients", share("PGD", 0.86, threat="L2 0.5"))],
         "falls to 86 % under L2 0.289 (PGD): no attack that was tried does"
         " much harm, which proves nothing."),
        ([section("spatial", share("worst of grid", 0.7, threat="Spatial"))],
         "falls to 70 % under title of spatial: whoever chooses its inputs"
         " can mislead it."),
        ([section("shifts", share("worst shift: fog", 0.5))],
         "Accuracy 91 % falls to 50 % under fog."),
        ([section("unchanged", share("kekule: molecules whose class flips",
                                     0.23))],
         "Accuracy 91 %; 23 % of molecules change class when written otherwise"
         " (kekule): write molecules in one standard form before asking it."),
        ([section("unchanged", {"name": "charges: largest change", "value": 0.4,
                                "unit": "pIC50"}),
          section("changed", share("pairs in the right order", 0.7))],
         "the prediction moves by 0.4 pIC50 when a molecule is written"
         " otherwise (charges); 70 % of matched pairs in the right order."),
        ([section("promises", share("values inside their 90 % intervals", 0.5),
                  settings={"promised share": 0.9})],
         "50 % of values inside their 90 % intervals: do not rely on its"
         " intervals or sets."),
        ([section("unchanged", {"name": "charges: largest change", "value": 0.0,
                                "unit": "pIC50"})],
         "the prediction does not depend on how a molecule is written."),
    ],
)  # fmt: skip
def test_a_verdict_for_every_kind_of_card(sections, said):
    made = card(CLEAN, *sections, threats=[OLD])
    assert card_verdict.verdict(made).endswith(said)


def test_a_verdict_names_few_rows_and_no_results():
    assert card_verdict.verdict(card(CLEAN, rows=16)) == (
        "Accuracy 91 %. 16 rows are few: mind the intervals."
    )
    nothing = section("clean", state="not run", reason="left out")
    assert "Nothing was measured" in card_verdict.verdict(card(nothing))
