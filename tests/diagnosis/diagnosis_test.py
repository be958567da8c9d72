"""What is measured before training, and the advice that follows."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from scipy import stats
from small_sources import images
from small_sources import tokens

import reprogram
from reprogram.diagnosis import diagnose as diagnosis
from reprogram.diagnosis import transferability
from reprogram.predictors.data import Data
from reprogram.program import fingerprint

few = settings(max_examples=15, deadline=None, derandomize=True)
GOOD = {
    "skill": 0.8,
    "start_skill": 0.8,
    "mapped_skill": 0.1,
    "stability": 0.5,
    "evidence": -1.0,
    "gain": -0.1,
    "trial": 0.0,
    "distance": np.nan,
    "resolution": 1.0,
    "outside": 0.0,
    "contrast": 1.0,
}


def gaussian(features, y):
    """Log evidence by the determinant, maximized over a grid."""
    basis = np.linalg.qr(np.eye(len(y)) - 1 / len(y))[0][:, : len(y) - 1]
    x, y = basis.T @ features, basis.T @ (y - y.mean()) / y.std()
    best = max(
        stats.multivariate_normal.logpdf(
            y, cov=np.eye(len(y)) * noise + x @ x.T * size
        )
        for noise in np.logspace(-2, 1, 31)
        for size in np.logspace(-4, 2, 31)
    )
    return best / len(y)


@pytest.mark.parametrize("width", [3, 40])
def test_the_evidence_is_that_of_a_gaussian_process(width):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(25, width))
    y = x[:, 0] + 0.5 * rng.normal(size=25)
    found = transferability.log_evidence(x, y[:, None])
    assert found == pytest.approx(gaussian(x, y), abs=0.02)


@few
@given(st.integers(0, 99), st.floats(0.1, 10))
def test_the_evidence_does_not_know_units_and_rotations(seed, unit):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(30, 4))
    y = x[:, :2] + rng.normal(size=(30, 2))
    turn, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    plain = transferability.log_evidence(x, y)
    other = transferability.log_evidence(unit * x @ turn + 3, 5 - 2 * y)
    assert other == pytest.approx(plain, abs=2e-3)


def test_the_evidence_leaves_out_what_is_missing_or_constant():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
    gaps = np.stack([y[:, 0], np.full(30, np.nan), np.ones(30)], axis=1)
    gaps[:5, 0] = np.nan
    expected = transferability.log_evidence(x[5:], y[5:, :1])
    assert transferability.log_evidence(x, gaps) == expected
    assert np.isnan(transferability.log_evidence(x, gaps[:, 1:]))
    assert np.isfinite(transferability.log_evidence(np.zeros((30, 2)), y))


@few
@given(st.integers(0, 99))
def test_one_dimension_is_the_distance_of_scipy(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(60, 1)), rng.normal(0.5, 2.0, size=(80, 1))
    scaled = (a - b.mean()) / b.std(), (b - b.mean()) / b.std()
    expected = stats.wasserstein_distance(*(part.ravel() for part in scaled))
    found = transferability.sliced_wasserstein(a, b, directions=5)
    assert found == pytest.approx(expected, rel=0.1, abs=0.02)


def test_a_shift_is_a_distance():
    points = np.random.default_rng(0).normal(size=(200, 3))
    near, far = (
        transferability.sliced_wasserstein(points + step, points)
        for step in (0.1, 2.0)
    )
    assert 0 < near < 0.2 < far
    flat = points * [1, 1, 0]
    assert transferability.sliced_wasserstein(flat, flat) == 0


def test_a_firm_label_map_is_told_from_a_loose_one():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    scores = rng.normal(size=(60, 6))
    _, guess = transferability.label_map(scores, labels, 3)
    clear = scores + 9 * np.eye(6)[labels + 2]
    assert transferability.label_map(clear, labels, 3) == (1.0, 1.0)
    assert 0.1 < guess < 0.6


def problem_of(kind, samples=40):
    rng = np.random.default_rng(0)
    x = rng.random((samples, 6, 6, 1)) * rng.random((samples, 1, 1, 1))
    score = x.mean((1, 2, 3)) - 0.25
    targets = {
        "classification": (score > 0).astype("int64"),
        "multilabel": np.stack([score > 0, score < -0.1], 1).astype("float32"),
        "regression": score[:, None].astype("float32"),
    }[kind]
    return (255 * x).astype("float32"), targets


@pytest.mark.parametrize("problem", ["classification", "regression"])
def test_a_diagnosis_has_its_numbers_and_says_why(problem):
    source = images()
    before = fingerprint(source.model)
    x, y = problem_of(problem)
    found = reprogram.diagnose(source, (x, y), problem, reference=x)
    assert fingerprint(source.model) == before
    assert found.advice in ("linear probe", "program", "both")
    assert str(found).startswith(f"Advice: {found.advice}.")
    assert 0.3 < found.skill <= 1
    assert found.distance == pytest.approx(0, abs=1e-6)
    assert found.resolution == 1
    assert found.outside == 0 and 0.3 < found.contrast <= 1
    assert np.isfinite([found.evidence, found.gain, found.trial]).all()
    assert np.isnan(found.stability) == (problem == "regression")
    assert len(found.reasons) >= 3


def test_only_the_draw_of_an_experiment_is_read():
    source = images()
    x, y = problem_of("multilabel", 60)
    y[40:] = np.nan
    data = Data(
        inputs=x,
        targets=y,
        problem="multilabel",
        modality="image",
        names=("a", "b"),
        draws={7: (np.arange(30), np.arange(30, 40))},
        test=np.arange(40, 60),
    )
    found = reprogram.diagnose(source, data, trial_epochs=0)
    pair = (x[:40], y[:40])
    assert found == reprogram.diagnose(
        source, pair, "multilabel", trial_epochs=0
    ) or np.isnan(found.trial)
    assert found.evidence == pytest.approx(
        diagnosis.diagnose(source, pair, "multilabel", None, 0).evidence
    )


def test_tokens_have_no_range_and_a_soft_prompt():
    x = np.random.default_rng(0).integers(2, 9, (30, 6)).astype("int32")
    y = (x == 3).sum(axis=1).clip(max=1)
    found = reprogram.diagnose(tokens(), (x, y), trial_epochs=1)
    assert np.isnan([found.resolution, found.outside, found.distance]).all()
    assert np.isfinite([found.gain, found.trial]).all()


def test_a_program_that_cannot_enter_is_told():
    source = dataclasses.replace(tokens(), input_layer=None)
    x = np.random.default_rng(0).integers(2, 9, (30, 6)).astype("int32")
    found = reprogram.diagnose(source, (x, x[:, 0] % 2))
    assert np.isnan(found.gain) and found.advice != "both"
    assert any("cannot enter" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("changes", "advice", "reason"),
    [
        ({}, "linear probe", "less probably"),
        ({"gain": 0.1}, "both", r"more probably.*\+0.100 nats"),
        ({"start_skill": 0.9}, "both", "a probe reaches a skill of 0.90"),
        ({"trial": 0.2}, "both", "loss by -20.0%"),
        ({"mapped_skill": 0.75, "stability": 0.9}, "program", "keeps 90%"),
        ({"mapped_skill": 0.75}, "linear probe", "skill of 0.75"),
        ({"mapped_skill": np.nan, "stability": np.nan}, "linear probe", "cann"),
        ({"distance": 0.9}, "linear probe", "0.90 standard.*a shift"),
        ({"distance": 0.1}, "linear probe", "much the same"),
        ({"resolution": 0.25}, "linear probe", "25% of the size"),
        ({"outside": 0.3}, "linear probe", "30% are outside"),
        ({"contrast": 0.1}, "linear probe", "use 10% of it"),
    ],
)
def test_the_advice_follows_from_the_numbers(changes, advice, reason):
    import re

    found, reasons = diagnosis._advice({**GOOD, **changes}, 100)
    assert found == advice
    assert re.search(reason, " ".join(reasons))


def test_few_rows_are_refused():
    with pytest.raises(ValueError, match="at least 10.*9 inputs, 9 targets"):
        reprogram.diagnose(images(), (np.ones((9, 4, 4, 1)), np.arange(9) % 2))
