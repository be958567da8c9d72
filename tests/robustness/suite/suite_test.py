"""The report card: its schema, its pages, its sections, and transfer."""

import copy
import json

import numpy as np
import pytest
from keras import ops

from reprogram.report import card_schema
from reprogram.report.pages import card as cards
from reprogram.robustness import Linf
from reprogram.robustness.suite import attacking
from reprogram.robustness.suite import evaluation
from reprogram.robustness.suite import molecules
from reprogram.robustness.suite import observing
from reprogram.robustness.suite import results
from reprogram.robustness.suite import sections
from reprogram.robustness.suite import suites
from reprogram.robustness.suite.subjects import Subject
from reprogram.robustness.suite.subjects import of_model
from reprogram.robustness.suite.transfer import ratio
from reprogram.robustness.suite.transfer import transfer_report

RNG = np.random.default_rng(0)
X = RNG.uniform(0.1, 0.9, (24, 8, 8, 1)).astype("float32")
Y = (X[:, :, :4].sum((1, 2, 3)) < X[:, :, 4:].sum((1, 2, 3))).astype("int32")
WEIGHTS = np.repeat([[1.0, -1.0]], 4, 0).T.reshape(-1).astype("float32")
TINY = suites.Plan(
    samples=12,
    steps=5,
    auto_attack="fast",
    queries=100,
    grid=(3, 1, 1),
    severities=(5,),
    clever_samples=2,
    clever_points=2,
    smoothed=3,
    votes=100,
)
SMILES = ["c1ccccc1O", "CCO", "Cc1ccccc1", "Clc1ccccc1", "OC(=O)C"]


def model(x):
    halves = ops.sum(x, (1, 3)) * WEIGHTS
    total = ops.sum(halves, axis=1)
    return ops.stack([total, -total], axis=1)


def subject(**changes):
    options = {"x": X, "y": Y, "bounds": (0.0, 1.0), **changes}
    found = options.pop("model", model)
    return of_model(found, options.pop("x"), options.pop("y"), **options)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A card of all sections, as small as they can be."""
    folder = tmp_path_factory.mktemp("card")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(evaluation, "planned", lambda *_: TINY)
    few = ("clean", "gradients", "auto_attack", "spatial", "shifts")
    few += ("clever", "smoothing")
    told = []
    result = evaluation.evaluate(subject(), folder, only=few, tell=told.append)
    again = evaluation.evaluate(subject(), folder, only=few, tell=told.append)
    monkeypatch.undo()
    assert again["sections"] == result["sections"]
    return folder, result | {"command": "python -m me"}, told


def value(card, section, name):
    part = next(s for s in card["sections"] if s["name"] == section)
    return next(r for r in part["results"] if r["name"] == name)["value"]


def test_sections_hold_what_the_attacks_found(found):
    _, made, told = found
    cards.completed(made)
    assert value(made, "clean", "accuracy") == 1.0
    # Linear: FGSM is exact, and so are all others.
    robust = value(made, "gradients", "FGSM")
    assert robust == value(made, "gradients", "APGD")
    assert robust == value(made, "auto_attack", "AutoAttack")
    assert 0 < robust < 1
    rows = subject().rows(12)
    margin = np.abs(model(rows.x)[:, 0]) / 64
    assert robust == np.mean(margin > 8 / 255)
    kinds = {s["name"]: s["kind"] for s in made["sections"]}
    assert kinds["clever"] == "estimate" and kinds["smoothing"] == "certified"
    # Finished sections are not run again.
    assert len([line for line in told if line.startswith("CLEVER: ")]) == 1
    states = {s["name"]: s["state"] for s in made["sections"]}
    assert states["unchanged"] == "not run" and states["trojan"] == "not built"


def test_the_epsilon_that_is_printed_is_the_one_that_was_used(found):
    _, made, _ = found
    used = {f"{t['norm']} {t['epsilon']:.3g}": t for t in made["threats"][:2]}
    # 64 values of one range: the usual 0.5 is for 3,072 of them.
    assert list(used) == ["Linf 0.0314", "L2 0.0722"]
    assert [threat["name"] for threat in made["threats"][:2]] == list(used)
    rows = {s["name"]: s["results"] for s in made["sections"]}["gradients"]
    assert {row["threat"] for row in rows} == set(used)
    wide = attacking.threats_of(subject(x=2 * X - 1, bounds=(-1.0, 1.0)))
    assert wide[0]["name"] == "Linf 0.0627" and wide[1]["name"] == "L2 0.144"


def test_a_perfect_share_has_an_interval():
    low, high = results.share("right", np.ones(16, bool))["interval"]
    assert 0.8 < low < 0.81 and high == 1.0
    none = results.point(np.zeros(16, bool))
    np.testing.assert_allclose(none, [0.0, 0.0, 1 - low])


def test_a_lost_section_is_measured_again(found, monkeypatch):
    folder, made, _ = found
    monkeypatch.setattr(evaluation, "planned", None)  # the plan was kept
    (folder / "sections" / "clean.json").unlink()
    told = []
    only = ("clean", "gradients")
    again = evaluation.evaluate(subject(), folder, only=only, tell=told.append)
    assert told[0].startswith("On inputs as they are")
    assert value(again, "clean", "accuracy") == 1.0
    with pytest.raises(ValueError, match="another configuration.*data was"):
        evaluation.evaluate(subject(x=X[:20], y=Y[:20]), folder)
    with pytest.raises(ValueError, match="no section magic"):
        evaluation.evaluate(subject(), folder, only=("magic",))


def test_pages_escape_and_keep_kinds_apart(found, tmp_path):
    made = copy.deepcopy(found[1])
    made["name"] = "<b>mine</b>"
    cards.save(tmp_path, made)
    page = (tmp_path / "card.html").read_text()
    assert "<b>mine" not in page and "&lt;b&gt;mine" in page
    assert "http://" not in page and "<script" not in page
    assert page.count("data:image/svg+xml;base64,") >= 4
    assert "Worst cases" in page
    places = [page.index(title) for title in cards.HEADINGS.values()]
    assert sorted(places) == places
    text = (tmp_path / "card.md").read_text()
    assert "Scan for trojans (not built)" in text and "<b>" not in text
    assert "python -m me" in text and "Clopper" not in text
    loaded = cards.load(tmp_path)
    for section in made["sections"]:  # drawn once, when the card is saved
        section.pop("examples", None)
    for section in loaded["sections"]:
        section.pop("pictures", None)
    assert loaded == cards.completed(made)
    other = loaded | {"name": "other"}
    cards.write([loaded, other], tmp_path / "both.html")
    both = (tmp_path / "both.html").read_text()
    assert "Side by side" in both and "other" in both
    rows = cards.compared([loaded, other])
    assert all(row["cells"][0] == row["cells"][1] for row in rows)
    assert rows[-1]["kind"] == "certified"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("command"), "`command` is missing"),
        (lambda c: c["data"].update(rows="all"), "`data.rows` must be"),
        (lambda c: c["sections"][0].update(kind="proof"), "must be one of emp"),
        (lambda c: c["sections"][0].update(results=[]), "'done' without res"),
        (lambda c: c["sections"][-1].update(reason=""), "no `reason`"),
        (lambda c: c["sections"].append(c["sections"][0]), "different names"),
        (lambda c: c["threats"].clear(), "which is not in `threats`"),
        (
            lambda c: c["sections"][0]["results"][0].update(value=2.0),
            "does not hold 2.0",
        ),
        (
            lambda c: c["sections"][0]["results"][0].pop("method"),
            "name the `method`",
        ),
    ],
)
def test_incomplete_cards_are_refused(found, change, message):
    made = cards.completed(found[1])
    change(made)
    with pytest.raises(ValueError, match=message):
        card_schema.check(made)


def test_an_estimate_is_never_certified(found):
    made = cards.completed(found[1])
    by_name = {section["name"]: section for section in made["sections"]}
    by_name["clever"]["kind"] = "certified"
    by_name["clever"]["settings"]["alpha"] = 0.05
    with pytest.raises(ValueError, match="an estimate and no certificate"):
        card_schema.check(made)
    by_name["clever"]["kind"] = "estimate"
    by_name["smoothing"]["settings"].pop("alpha")
    with pytest.raises(ValueError, match="certified without `alpha`"):
        card_schema.check(made)


def test_other_files_are_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="evaluate_robustness"):
        cards.load(tmp_path)
    (tmp_path / "card.json").write_text(json.dumps({"schema": "x"}))
    with pytest.raises(ValueError, match="Not a report card.*'x'"):
        cards.load(tmp_path)
    with pytest.raises(ValueError, match=".html or .md"):
        cards.write([], tmp_path / "card.pdf")


def refusals(one):
    return {
        name: section.refuses(one, TINY)
        for name, section in sections.SECTIONS.items()
    }


def test_sections_that_do_not_apply_say_why():
    blind = refusals(subject(model=lambda x: np.asarray(model(np.asarray(x)))))
    assert "no gradients" in blind["gradients"]
    assert "black-box" in blind["clever"] and not blind["black_box"]
    assert "no molecules" in blind["unchanged"]
    table = refusals(of_model(lambda x: x, X[:, 0, :2, 0], Y, (0, 1)))
    assert "no images" in table["spatial"] and "table" in table["shifts"]
    assert not table["smoothing"]
    strings = Subject(
        "m", model, np.array(SMILES, object), np.ones((5, 1)), "molecule",
        "regression", predict=len,
    )  # fmt: skip
    assert "SMILES" in refusals(strings)["gradients"]
    assert not refusals(strings)["unchanged"]
    assert attacking.threats_of(strings) == []
    plain = suites.Plan()
    quick = sections.SECTIONS["auto_attack"].refuses(subject(), plain)
    assert quick.startswith("Not in the suite quick")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": X * 255}, "outside the bounds"),
        ({"y": np.eye(2)[Y]}, "take the argmax"),
        ({"y": Y[:-1]}, "24 rows and 23 labels"),
        ({"y": Y + 5}, "classes 0 to 1"),
        ({"x": X[:, 0, 0, 0]}, "Inputs are tables"),
        ({"problem": "ranking"}, "`problem` is one of"),
    ],
)
def test_bad_input_is_told_before_anything_runs(change, message):
    with pytest.raises(ValueError, match=message):
        subject(**change)
    with pytest.raises(ValueError, match="Suites are quick"):
        suites.plan("huge", subject())


def test_randomness_one_class_and_masked_gradients_are_flagged():
    rng = np.random.default_rng(0)

    def noisy(x):
        return np.asarray(model(np.asarray(x))) + rng.normal(0, 5.0, (1, 2))

    random = subject(model=noisy, y=np.zeros(24, "int32"))
    warnings = evaluation._warnings(random, [])
    assert any("differently" in text for text in warnings)
    assert any("one class" in text for text in warnings)
    threat = results.named(attacking.linf(random))
    found = [
        {"name": "APGD", "value": 0.9, "threat": threat},
        {"name": "Square", "value": 0.4, "threat": threat},
    ]
    masked = evaluation._warnings(subject(), [{"results": found}])
    assert any("gradients may be masked" in text for text in masked)


def test_plans_are_cut_to_the_cost_of_the_model(monkeypatch):
    monkeypatch.setattr(suites, "_seconds", lambda _: (0.01, 0.03))
    slow = suites.plan("quick", subject(x=np.tile(X, (20, 1, 1, 1)),
                                        y=np.tile(Y, 20)))  # fmt: skip
    assert slow.samples == 32 and slow.clever_samples == 1
    assert suites.plan("full", subject()).votes == 100_000
    monkeypatch.setattr(suites, "_seconds", lambda _: (1e-6, 1e-6))
    fast = suites.plan("quick", subject())
    assert fast.queries == 300 and fast.samples == 24
    assert suites.plan("quick", subject(), samples=7).samples == 7


def predict(smiles):
    return np.array([float(len(s)) for s in smiles])


def molecular(problem="regression", answer=predict, **changes):
    y = np.array([9.0, 3.0, 7.0, 9.5, 5.0])[:, None]
    about = {"data": {"unit": "pIC50"}}
    found = {"x": np.array(SMILES, object), "y": y, "about": about, **changes}
    return Subject(
        "m",
        answer,
        modality="molecule",
        problem=problem,
        predict=answer,
        **found,
    )


def test_molecules_are_measured_under_edits():
    part = molecules.unchanged(molecular(), TINY)
    rows = {row["name"]: row for row in part["results"]}
    moved = rows["kekule: largest change, mean over molecules"]
    # Three rings are written with three more characters each.
    assert moved["value"] == 3.0 and moved["samples"] == 3
    assert moved["unit"] == "pIC50"
    assert part["examples"][0]["title"].startswith("Worst case of")
    blind = molecular(explain=lambda s: "no charges" if "-]" in s else "")
    part = molecules.unchanged(blind, TINY)
    rows = {row["name"]: row for row in part["results"]}
    unread = rows["charges: molecules with a form that the model cannot read"]
    assert unread["value"] == 0.2 and unread["samples"] == 5
    pairs = molecules.changed(molecular(), TINY)
    names = {row["name"]: row["value"] for row in pairs["results"]}
    # Toluene is as long as phenol; chlorobenzene is longer than toluene.
    assert names["pairs in the right order"] == 0.5
    same = molecular(y=np.ones((5, 1)))
    with pytest.raises(results.DoesNotApply, match="None of the matched"):
        molecules.changed(same, TINY)
    errors = observing.clean(molecular(), TINY)["results"]
    assert errors[0]["name"] == "RMSE"
    assert errors[1]["value"] == pytest.approx(np.mean([0, 0, 2, 0.5, 2]))


def test_votes_over_smiles_are_certified():
    def starts(smiles):
        return np.array([[s[0] == "C", s[0] != "C"] for s in smiles], float)

    found = molecular(
        "classification", starts, y=np.array([0, 0, 0, 0, 1]), about={}
    )
    part = molecules.voted(found, TINY)
    assert part["settings"]["alpha"] == 0.0
    rows = {row["name"]: row["value"] for row in part["results"]}
    assert rows["right, and 0 % of the writings may change"] <= 1.0
    assert not sections.SECTIONS["votes"].refuses(found, TINY)
    why = sections.SECTIONS["votes"].refuses(molecular(), TINY)
    assert "regression" in why


def test_answers_are_asked_once():
    asked = []

    def answer(smiles):
        asked.extend(smiles)
        return predict(smiles)

    ask = molecules.Scores(molecular(answer=answer))
    ask(["CO", "CO", "CC"])
    np.testing.assert_array_equal(ask(["CC", "CO"]), [2.0, 2.0])
    assert asked == ["CO", "CC"]


def test_transfer_report_is_side_by_side():
    def weaker(x):
        return model(x) + ops.convert_to_tensor([[0.0, 6.0]])

    data = {"source": (X, Y), "target": (X, Y)}
    report = transfer_report(
        model,
        {"natural": weaker, "same": model},
        data,
        Linf(8 / 255),
        ["clean", "apgd", "certified_radius"],
        TINY,
    )
    assert report.models == ("source", "natural", "same")
    assert report.ratios["same"]["apgd"][0] == 1.0
    assert report.ratios["natural"]["clean"][0] < 1.0
    low, high = report.ratios["same"]["apgd"][1:]
    assert low < 1 < high
    assert "accuracy under APGD over the source's" in report.table()
    assert all(len(row) == 3 for row in report.results.values())
    with pytest.raises(ValueError, match="Measures are clean"):
        transfer_report(model, model, data, Linf(0.1), ["magic"])
    with pytest.raises(ValueError, match="'source' and 'target'"):
        transfer_report(model, model, {}, Linf(0.1))
    some = {"value": 0.5, "interval": [0.1, 0.6]}
    none = {"value": 0.0, "interval": [0.0, 0.1]}
    assert np.isinf(ratio(some, none)[0]) and ratio(none, some)[0] == 0
