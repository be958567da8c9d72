"""Intervals, comparisons and the table for the terminal."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_records import small
from scipy import stats

from reprogram.report import record as records
from reprogram.report import statistics


def test_interval_golden():
    mean, half_width = records.interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert half_width == pytest.approx(2.4841377118)


def test_interval_without_enough_values():
    assert np.isnan(records.interval([])).all()
    assert np.isnan(records.interval([None, math.nan])).all()
    mean, half_width = records.interval([None, 0.5])
    assert mean == 0.5 and math.isnan(half_width)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_interval_is_that_of_student(values):
    values[0] += 1e-3
    mean, half_width = records.interval(values)
    error = stats.sem(values)
    expected = stats.t.ppf(0.975, len(values) - 1) * error
    assert mean == pytest.approx(np.mean(values))
    assert half_width == pytest.approx(expected, abs=1e-9)


def test_table_golden():
    verdict, *lines = records.table(small()).splitlines()
    assert verdict.startswith("Nothing is shown to be better than the mean")
    assert [" ".join(line.split()) for line in lines] == [
        "nav17: mean over seeds (its 95 % confidence interval, within the range"
        " of the metric); RMSE [pIC50]: lower is better",
        "model rmse (2 seeds) trainable parameters seconds",
        "mean predictor 1.010 (0.883 to 1.137) 1,300 3.0",
        "linear probe 0.850 (0.215 to 1.485) 1,300 3.0",
        "* reprogrammed 0.660 (0.152 to 1.168) 1,300 3.0",
        "* best mean; not shown to be better than mean predictor",
    ]
    assert len({len(line) for line in lines[1:5]}) == 1


def test_table_names_a_win_only_where_pairs_show_it():
    record = small()
    for model, level in zip(record["models"], (3, 2, 1)):
        model["metrics"]["rmse"] = [level, level + 0.01]
    won = "* best mean; better than every other model, paired over seeds"
    assert won in records.table(record)


@pytest.mark.parametrize(
    ("metric", "values", "expected"),
    [
        ("roc_auc", [0.99, 0.93, 1.0], "0.973 (0.879 to 1.000)"),
        ("rmse", [0.1, 0.9, 0.2], "0.400 (0.000 to 1.483)"),
        ("mcc", [-0.9, -0.2, -0.95], "-0.683 (-1.000 to 0.358)"),
        ("r2", [0.9, -0.5], "0.200 (-8.694 to 1.000)"),
        ("accuracy", [1.0, 1.0], "1.000 (0.806 to 1.000)"),
        ("accuracy", [1.0, None], "1.000 (0.806 to 1.000), 1 of 2 seeds"),
        ("accuracy", [None, None], "n/a"),
        ("roc_auc", [1.0, 1.0], "1.000 (every seed)"),
        ("gain", [1.0, 3.0], "2.000 (-10.706 to 14.706)"),
    ],
)
def test_intervals_stay_within_the_range_of_the_metric(
    metric, values, expected
):
    model = {"name": "a", "metrics": {metric: values}}
    record = {"task": {"metric": metric, "test_rows": 16}, "models": [model]}
    assert statistics.estimate(record, model, metric) == expected


def test_table_direction_follows_the_metric():
    record = small()
    record["task"]["metric"] = "accuracy"
    for model in record["models"]:
        model["metrics"] = {"accuracy": model["metrics"]["rmse"]}
    text = records.table(record)
    assert "* mean predictor" in text and "higher is better" in text


def test_table_of_one_seed_calls_nothing():
    text = records.table(small((0,)))
    assert text.startswith("One draw of 128 labels shows nothing")
    assert "one seed, so no confidence intervals" in text
    assert "rmse (1 seed)" in text and " to " not in text
    assert "one seed cannot tell it from chance" in text


def test_table_says_why_a_value_is_missing():
    record = small()
    for model in record["models"]:
        model["metrics"]["spearman"] = [0.5, 0.6]
        del model["seconds"]
    record["models"][0]["metrics"]["spearman"] = [None, None]
    record["models"][0]["parameters"] = None
    record["models"][1]["reasons"] = {"spearman": "the scorer\ncrashed"}
    record["models"][1]["metrics"]["spearman"] = [None, 0.6]
    record["models"][2]["metrics"]["rmse"] = [math.nan, 0.1]
    lines = records.table(record).splitlines()
    row = " ".join(lines[3].split())
    assert row == "mean predictor 1.010 (0.883 to 1.137) n/a - -"
    assert "0.600, 1 of 2 seeds" in lines[4]
    assert lines[4].startswith("* linear probe"), "a failed seed cannot win"
    assert lines[-3:] == [
        "rmse of reprogrammed is missing for 1 of 2 seeds: no finite value was"
        " recorded",
        "spearman of mean predictor is n/a: ranks are undefined where all"
        " predictions are equal",
        "spearman of linear probe is missing for 1 of 2 seeds: the scorer"
        " crashed",
    ]


@given(st.floats(1e-12, 1e12))
def test_numbers_keep_three_digits(value):
    record = {"models": [{"metrics": {"rmse": [value]}}]}
    style = statistics.number_format(record, "rmse")
    assert float(f"{value:{style}}") == pytest.approx(value, rel=5e-3)
    assert len(f"{value:{style}}") <= 9


def compared(ours: list, baseline: list) -> statistics.Comparison:
    record = small()
    record["models"][2]["metrics"]["rmse"] = ours
    record["models"][1]["metrics"]["rmse"] = baseline
    return statistics.compare(record, record["models"][1])


@pytest.mark.parametrize(
    ("ours", "baseline", "verdict", "reason"),
    [
        ([0.7, 1.7, 2.7], [0.8, 1.79, 2.81], "better", ""),
        ([0.8, 1.79, 2.81], [0.7, 1.7, 2.7], "worse", ""),
        ([0.7, 1.7, 2.7], [0.8, 1.6, 2.9], "no difference seen", ""),
        ([1.0, 1.0], [1.0, 1.0], "no difference seen", ""),
        ([1.0], [2.0], "not decided", "one seed gives no interval"),
        ([1, 1, None], [2, 2.1, 2], "not decided", "no value for 1 of 3 seeds"),
    ],
)
def test_comparison_is_paired(ours, baseline, verdict, reason):
    result = compared(ours, baseline)
    assert (result.verdict, result.reason) == (verdict, reason)
