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
    assert records.table(small()).splitlines() == [
        "nav17: mean ± half-width of the 95 % confidence interval over seeds;"
        " rmse [pIC50]: lower is better",
        "  model           rmse (2 seeds)  trainable parameters  seconds",
        "  mean predictor   1.010 ± 0.127                 1,300      3.0",
        "  linear probe     0.850 ± 0.635                 1,300      3.0",
        "* reprogrammed     0.660 ± 0.508                 1,300      3.0",
        "* best mean; its interval overlaps mean predictor, linear probe:"
        " no win",
    ]


def test_table_names_a_win_only_without_overlap():
    record = small()
    for model, level in zip(record["models"], (3, 2, 1)):
        model["metrics"]["rmse"] = [level, level + 0.01]
    assert "* best mean; its interval overlaps none" in records.table(record)


def test_table_direction_follows_the_metric():
    record = small()
    record["task"]["metric"] = "accuracy"
    for model in record["models"]:
        model["metrics"] = {"accuracy": model["metrics"]["rmse"]}
    text = records.table(record)
    assert "* mean predictor" in text and "higher is better" in text


def test_table_of_one_seed_calls_nothing():
    text = records.table(small((0,)))
    assert "one seed, so no confidence intervals" in text
    assert "rmse (1 seed)" in text and "±" not in text
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
    assert lines[2].split() == (
        ["mean", "predictor", "1.010", "±", "0.127", "n/a", "-", "-"]
    )
    assert "0.600 (1 of 2)" in lines[3]
    assert lines[3].startswith("* linear probe"), "a failed seed cannot win"
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
