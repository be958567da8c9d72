"""The sentence that opens a report: what it recommends, and what it admits."""

import pytest
from sample_records import around
from sample_records import images
from sample_records import molecules
from sample_records import small

from reprogram.report import record as records
from reprogram.report.verdict import verdict


def with_ensemble(scores: list[float]) -> dict:
    record = molecules()
    ensemble = {"name": "few-label ensemble", "metrics": {"rmse": scores}}
    record["models"].append(ensemble)
    return record


def of_accuracy(probe: list[float], program: list[float]) -> dict:
    record = images(16, 2)
    record["task"]["metric"] = "accuracy"
    for model, values in zip(record["models"], ([0.5] * 5, probe, program)):
        model["metrics"] = {"accuracy": values}
    return record


def test_a_clear_winner():
    assert verdict(with_ensemble(around(0.64, 0.03))) == (
        "Use the few-label ensemble: RMSE 0.640 pIC50 (95 % interval 0.609 to"
        " 0.671), 0.070 better than the Tanimoto-kernel Gaussian process"
        " (paired difference -0.070 ± 0.010); the reprogrammed model adds"
        " nothing here."
    )


def test_a_simpler_model_that_is_not_shown_to_be_worse():
    assert verdict(with_ensemble([0.70, 0.66, 0.73, 0.69, 0.73])) == (
        "Use the Tanimoto-kernel Gaussian process: RMSE 0.710 pIC50 (95 %"
        " interval 0.689 to 0.731); the few-label ensemble has the best mean,"
        " but is not shown to be better than this simpler model (paired"
        " difference -0.008 ± 0.037); the reprogrammed model adds nothing here."
    )


def test_a_simpler_model_that_is_far_behind_is_not_recommended():
    record = molecules()
    record["models"][1]["metrics"]["rmse"] = [0.70, 0.98, 0.72, 0.95, 0.71]
    text = verdict(record)
    assert "linear probe" in record["models"][1]["name"]
    assert text.startswith("Use the Tanimoto-kernel Gaussian process: RMSE")
    assert "not shown to differ from" in text


def test_a_faster_model_is_preferred_among_equals():
    record = molecules()
    record["models"][3]["metrics"]["rmse"] = [0.70, 0.73, 0.71, 0.7, 0.71]
    record["models"][2]["seconds"] = [60.0] * 5
    assert verdict(record).startswith(
        "Use the random forest on ECFP4 counts: RMSE 0.710 pIC50"
    ) and "better than this faster model" in verdict(record)
    record["models"][2]["seconds"] = [3.0] * 5
    assert "not shown to differ from" in verdict(record)


def test_the_program_wins():
    assert verdict(images()) == (
        "Use the reprogrammed model: balanced accuracy 0.880 (95 % interval"
        " 0.859 to 0.901), 0.070 better than the linear probe (paired"
        " difference +0.070 ± 0.010)."
    )


def test_a_perfect_score_keeps_an_interval_within_its_range():
    record = of_accuracy([0.6, 0.7, 0.65, 0.6, 0.7], [1.0] * 5)
    start = "Use the reprogrammed model: accuracy 1.000 (95 % interval 0.806 to"
    assert verdict(record).startswith(f"{start} 1.000), 0.350 better than")
    assert "1.000 (0.806 to 1.000)" in records.table(record)


def test_one_seed_shows_nothing():
    assert verdict(small((0,))) == (
        "One draw of 128 labels shows nothing: the reprogrammed model came out"
        " ahead, RMSE 0.700 pIC50, and the linear probe next, RMSE 0.900 pIC50;"
        " only several seeds can tell them apart."
    )


def test_nothing_beats_the_trivial_baseline():
    record = of_accuracy([0.5, 0.61, 0.4, 0.45, 0.6], [0.5, 0.6, 0.4, 0.5, 0.6])
    assert verdict(record) == (
        "Nothing is shown to be better than the majority class; the best mean"
        " is that of the reprogrammed model, accuracy 0.520 (95 % interval"
        " 0.280 to 0.720; paired difference +0.020 ± 0.104), and more labels or"
        " more seeds may show more."
    )
    record = of_accuracy([0.4] * 5, [0.3] * 5)
    assert "there is no other" not in records.table(record)
    assert verdict(record).endswith("0.720): use none of the models.")


def test_a_lucky_mean_is_no_reason_to_say_that_nothing_is_shown():
    record = of_accuracy(
        [0.6, 0.61, 0.62, 0.6, 0.61], [0.9, 0.4, 0.9, 0.4, 0.9]
    )
    assert verdict(record) == (
        "Use the linear probe: accuracy 0.608 (95 % interval 0.386 to 0.815),"
        " 0.108 better than the majority class (paired difference +0.108 ±"
        " 0.010); the reprogrammed model is not shown to add anything."
    )


def test_a_baseline_without_a_value_is_no_yardstick():
    record = molecules()
    record["task"]["metric"] = "spearman"
    start = "Use the Tanimoto-kernel Gaussian process: Spearman 0.690"
    assert verdict(record).startswith(start)


def test_records_with_hardly_anything_to_compare():
    record = small()
    del record["models"][:2]
    assert verdict(record).startswith("Nothing to compare: only the reprog")
    assert "* best mean; there is no other model" in records.table(record)
    record["models"][0]["metrics"]["rmse"] = [None, 0.5]
    assert verdict(record) == (
        "Nothing is shown: no model has a value of RMSE for every seed."
    )


@pytest.mark.parametrize("word", [None, "as it was written"])
def test_the_verdict_opens_the_record_and_the_table(tmp_path, word):
    records.save(tmp_path / "record.json", molecules() | {"verdict": word})
    loaded = records.load(tmp_path)
    assert loaded["verdict"] == (word or verdict(molecules()))
    assert records.table(loaded).splitlines()[0] == loaded["verdict"]
