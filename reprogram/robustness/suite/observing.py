"""The sections of a report card that do not attack."""

from typing import Any

import numpy as np

from reprogram.metrics import calibration_error
from reprogram.metrics import mean_interval
from reprogram.metrics import share_interval
from reprogram.robustness.certification import Certificate
from reprogram.robustness.certification import Estimate
from reprogram.robustness.certification import certify
from reprogram.robustness.certification import clever
from reprogram.robustness.shifts import SHIFTS
from reprogram.robustness.shifts import ShiftReport
from reprogram.robustness.shifts import evaluate
from reprogram.robustness.suite import results
from reprogram.robustness.suite.subjects import Subject
from reprogram.robustness.suite.suites import Plan
from reprogram.robustness.threats import L2

ALPHA = 0.001


def clean(subject: Subject, plan: Plan) -> dict:
    """Measures accuracy and calibration, or errors of a regression."""
    known = subject.held_out is not None
    scores = subject.scores() if subject.held_out is None else subject.held_out
    if subject.problem == "regression":
        return {"results": _errors(scores, subject)}
    if subject.problem == "multilabel":
        there = np.isfinite(subject.y)
        hits = ((scores.reshape(subject.y.shape) > 0.5) == subject.y)[there]
        return {"results": [results.share("labels right at 0.5", hits)]}
    hits = scores.argmax(axis=1) == subject.y
    facts = subject.facts
    if facts is not None and facts.answers == "logits" and not known:
        from scipy import special

        scores = special.softmax(scores, axis=1)
    confidence = np.clip(scores.max(axis=1), 0, 1)
    value = calibration_error(hits, confidence)
    ends = results.bootstrap(calibration_error, hits, confidence)
    more = {"better": "lower", "samples": len(hits)}
    return {
        "results": [
            results.share("accuracy", hits),
            results.row("calibration error", value, ends, "bootstrap", **more),
        ]
    }


def promised(subject: Subject, plan: Plan) -> dict:
    """Reports how often intervals or sets held the truth in the test."""
    told = subject.about["promises"]
    kind = "intervals" if subject.problem == "regression" else "sets"
    name = f"values inside their {told['confidence']:.0%} {kind}"
    name = name.replace("%", " %")
    inside = round(told["rows"] * (told.get("in domain") or 0.0))
    shares = (
        (name, told.get("coverage"), told["rows"]),
        (f"{name}, in the domain", told.get("coverage in domain"), inside),
        ("rows in the domain", told.get("in domain"), told["rows"]),
    )
    return {
        "results": [
            results.row(
                *(text, value, share_interval(round(value * rows), rows)),
                *("Wilson",),
                unit="share",
                samples=rows,
            )
            for text, value, rows in shares
            if value is not None and rows
        ],
        "settings": {"promised share": told["confidence"]},
    }


def shifted(subject: Subject, plan: Plan) -> dict:
    """Measures corruptions of images, or disturbances of series."""
    report = shift_report(subject.rows(plan.shifted, plan.seed + 3), plan)
    settings = {"severities": list(plan.severities)}
    return results.shifts(report) | {"settings": settings}


def shift_report(subject: Subject, plan: Plan) -> ShiftReport:
    """Evaluates all rows of a subject under each shift of their modality."""
    image = subject.x.ndim == 4
    return evaluate(
        *subject.given,
        SHIFTS["images" if image else "series"],
        plan.severities,
        bounds=subject.bounds if image else None,
        batch_size=64,
        seed=plan.seed,
    )


def estimated(subject: Subject, plan: Plan) -> dict:
    """Estimates CLEVER in L2, from the class that the model gives."""
    few = subject.rows(plan.clever_samples, plan.seed + 1)
    classes = few.scores().argmax(axis=1)
    settings = {
        "norm": "L2",
        "radius of the points": _sampled(few).epsilon,
        "maxima": plan.clever_batches,
        "points of each maximum": plan.clever_points,
    }
    return results.scores(estimate(few, classes, plan)) | {"settings": settings}


def estimate(subject: Subject, classes: np.ndarray, plan: Plan) -> Estimate:
    """Runs CLEVER on all rows of a subject."""
    return clever(
        subject.model,
        subject.x,
        classes,
        _sampled(subject),
        batches=plan.clever_batches,
        samples=plan.clever_points,
        seed=plan.seed,
    )


def certified(subject: Subject, plan: Plan) -> dict:
    """Certifies the model as it is by randomized smoothing."""
    few = subject.rows(plan.smoothed, plan.seed + 2)
    found = certificate(few, plan)
    return results.certificates(found, few) | {
        "settings": {
            "noise": found.deviation,
            "votes": plan.votes,
            "alpha": ALPHA,
            "of": "the smoothed model, which votes under noise",
        }
    }


def certificate(subject: Subject, plan: Plan) -> Certificate:
    """Certifies all rows of a subject under noise of 0.12 of the range."""
    return certify(
        subject.model,
        subject.x,
        0.12 * subject.span,
        votes=plan.votes,
        alpha=ALPHA,
        batch_size=64,
        seed=plan.seed,
    )


def _sampled(subject: Subject) -> L2:
    """Returns where the points of CLEVER are drawn."""
    size = float(np.sqrt(np.prod(subject.x.shape[1:])))
    return L2(0.1 * size * subject.span, subject.bounds)


def _errors(scores: np.ndarray, subject: Subject) -> list[dict]:
    rows = len(subject.y)
    gap = np.asarray(scores, "float64").reshape(rows, -1)
    gap = gap - np.asarray(subject.y, "float64").reshape(rows, -1)
    gap = gap[np.isfinite(gap)]

    def rmse(values: np.ndarray) -> float:
        return float(np.sqrt(np.mean(values**2)))

    more: dict[str, Any] = {
        "unit": subject.unit,
        "better": "lower",
        "samples": len(gap),
    }
    root = rmse(gap), results.bootstrap(rmse, gap), "bootstrap"
    size = np.abs(gap)
    mean = size.mean(), np.maximum(mean_interval(size), 0.0), "Student t"
    return [
        results.row("RMSE", *root, **more),
        results.row("mean absolute error", *mean, **more),
    ]
