"""What an ensemble says of itself, in words."""

from sample_records import ensemble
from sample_records import molecules

from reprogram.report import record as records
from reprogram.report import trust


def test_the_terminal_says_what_an_ensemble_knows():
    lines = records.table(ensemble()).splitlines()
    assert lines[-5:] == [
        "coverage promised by the intervals: 90 %",
        "coverage of the test values: 93.0 % (81.4 to 98.4)",
        "coverage inside the domain: 100.0 % (87.9 to 100.0)",
        "test rows inside the domain: 80.0 % (64.1 to 90.0)",
        "pIC50 is carried by 69.5 % kernels on ECFP4, 30 % forest",
    ]


def test_sets_of_classes_and_values_that_are_missing():
    record = ensemble()
    record["task"]["problem"] = "classification"
    record["models"][-1]["metrics"]["coverage in domain"] = [None] * 5
    promises = trust.promises(record | {"confidence": 0.8})
    assert promises["coverage promised by the sets"] == "80 %"
    assert promises["coverage inside the domain"] == "n/a"


def test_a_model_without_intervals_promises_nothing():
    assert trust.promises(molecules()) == {}
    assert trust.lines(molecules()) == []


def test_parts_are_listed_for_every_target():
    record = ensemble()
    record["carried"] *= 2
    (first, parts), (second, _) = trust.carried(record)
    assert (first, second) == ("pIC50", "1")
    assert [part for part, *_ in parts] == ["kernels on ECFP4", "forest"]
