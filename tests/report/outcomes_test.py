"""The test rows of a record, and what is said about each."""

import numpy as np
import pytest
from sample_records import images
from sample_records import molecules

from reprogram.report import outcomes
from reprogram.report.pages import molecules as examples
from reprogram.report.pages import run


def test_multitask_regression():
    record = molecules()
    rng = np.random.default_rng(0)
    targets = rng.normal(0, [1, 100, 1e-3, 1, 1, 1, 1], (35, 7))
    guesses = targets * 0.9
    guesses[3, 1] += 1000
    targets[5] = np.nan
    targets[:, 6] = np.nan
    record["task"]["target_names"] = list("abcdefg")
    record["test"] |= {"targets": targets, "predictions": guesses}
    assert "The first 6 of 7 targets." in run.render(record)
    rows = outcomes.read(record)
    errors = outcomes.errors(rows)
    assert np.isnan(errors[5]) and errors[3] == np.nanmax(errors)
    worst = examples.extremes(record, rows)["worst"][0]
    assert worst["smiles"] == record["test"]["inputs"][3]
    assert worst["lines"][0].startswith("b: target ")
    assert worst["lines"][3] == "and 3 more targets"


def test_multilabel():
    record = images(60, 4)
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, (60, 4)).astype(float)
    targets[:10, 0], targets[:, 3] = np.nan, 1
    record["task"]["problem"] = "multilabel"
    shares = np.nan_to_num(0.8 * targets + 0.1)
    record["test"] |= {"targets": targets, "predictions": shares}
    rows = outcomes.read(record)
    curves = outcomes.roc_curves(rows)
    assert [curve[0] for curve in curves] == ["digit 0", "digit 1", "digit 2"]
    assert [curve[3] for curve in curves] == [1, 1, 1]
    record["test"]["predictions"] = np.full((60, 4), 0.25)
    rows = outcomes.read(record)
    assert outcomes.errors(rows)[0] == pytest.approx(
        np.nanmean(np.abs(targets[0] - 0.25))
    )
    assert examples.caption(rows, 20)[3] == "and 1 more target"
    assert "Confusion" not in run.render(record)


def classified(predictions: list, targets: list) -> outcomes.Outcomes:
    task = {"problem": "classification", "target_names": ["no", "yes"]}
    test = {"targets": targets, "predictions": predictions}
    return outcomes.read({"task": task, "test": test})


def test_classes():
    rows = classified([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]], [0, 1, 0])
    assert outcomes.confusion(rows).tolist() == [[1, 1], [0, 1]]
    ((name, *_, area),) = outcomes.roc_curves(rows)
    assert (name, area) == ("yes", 1)
    assert examples.caption(rows, 2) == ["target no", "predicted yes (0.60)"]


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="probabilities.*from -3 to 4"):
        classified([[2.0, -1.0], [-3.0, 4.0]], [0, 1])


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match="one class number a row below the 2"):
        classified([[0.9, 0.1], [0.2, 0.8]], [0, 2])
    with pytest.raises(ValueError, match="one class number a row"):
        classified([[0.9, 0.1]], [[0, 1]])
    with pytest.raises(ValueError, match="equally many numbers, a row"):
        classified([[0.9, 0.1], [0.2]], [0, 1])
    record = molecules()
    record["test"]["predictions"] = np.zeros((35, 2))
    with pytest.raises(ValueError, match=r"\(35, 1\). Received: \(35, 2\)"):
        run.render(record)


def test_rows_without_prediction_are_left_out():
    rows = classified([[0.9, 0.1], [None, None], [0.2, 0.8]], [0, 1, None])
    assert outcomes.confusion(rows).tolist() == [[1, 0], [0, 0]]
    assert np.isnan(outcomes.errors(rows)).tolist() == [False, True, True]
    record = molecules(4)
    record["test"]["predictions"][1:] = np.nan
    assert run.render(record).count('alt="Structure of') == 1


@pytest.mark.parametrize(("rows", "worst", "best"), [(1, 1, 0), (5, 3, 2)])
def test_no_molecule_is_both_best_and_worst(rows, worst, best):
    record = molecules(rows)
    cards = examples.extremes(record, outcomes.read(record))
    assert (len(cards["worst"]), len(cards["best"])) == (worst, best)
    shown = [card["smiles"] for card in cards["worst"] + cards["best"]]
    assert sorted(shown) == sorted(record["test"]["inputs"])
