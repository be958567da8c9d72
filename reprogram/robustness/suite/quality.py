"""How good a model is on inputs as they are."""

import numpy as np

from reprogram.metrics import calibration_error
from reprogram.robustness.shifts.intervals import mean_interval
from reprogram.robustness.suite.results import bootstrap
from reprogram.robustness.suite.results import number
from reprogram.robustness.suite.results import share
from reprogram.robustness.suite.subjects import Subject


def quality(subject: Subject) -> dict:
    """Accuracy and calibration, or errors of a regression."""
    answers = subject.scores()
    if subject.problem == "regression":
        return {"results": _errors(answers, subject.y, subject)}
    if subject.problem == "multilabel":
        known = np.isfinite(subject.y)
        hits = ((answers.reshape(subject.y.shape) > 0.5) == subject.y)[known]
        return {"results": [share("labels right at 0.5", hits)]}
    hits = answers.argmax(axis=1) == subject.y
    logits = subject.facts is not None and subject.facts.answers == "logits"
    if logits:
        from scipy import special

        answers = special.softmax(answers, axis=1)
    confidence = np.clip(answers.max(axis=1), 0, 1)
    ends = bootstrap(calibration_error, hits, confidence)
    value = float(calibration_error(hits, confidence))
    return {
        "results": [
            share("accuracy", hits),
            number("calibration error", value, ends, len(hits)),
        ]
    }


def _errors(answers: np.ndarray, y: np.ndarray, subject: Subject) -> list[dict]:
    unit = subject.about.get("data", {}).get("unit") or ""
    answers = np.asarray(answers, "float64").reshape(len(y), -1)
    y = np.asarray(y, "float64").reshape(len(y), -1)
    kept = np.isfinite(y)
    gap = (answers - y)[kept]

    def rmse(values: np.ndarray) -> float:
        return float(np.sqrt(np.mean(values**2)))

    root = number("RMSE", rmse(gap), bootstrap(rmse, gap), len(gap))
    mean = float(np.abs(gap).mean())
    ends = mean_interval(np.abs(gap))
    found = [root, number("mean absolute error", mean, ends, len(gap))]
    found[1]["method"] = "Student t"
    return [entry | {"unit": unit, "better": "lower"} for entry in found]
