"""Turns what was measured into the results of a section."""

from typing import Any

import numpy as np

from reprogram.report.pages import card_figures
from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.certification import Certificate
from reprogram.robustness.certification import Estimate
from reprogram.robustness.shifts import ShiftReport
from reprogram.robustness.shifts.intervals import mean_interval
from reprogram.robustness.shifts.intervals import wilson
from reprogram.robustness.suite.subjects import Subject

SHOWN = 4
DRAWS = 1000


class DoesNotApply(ValueError):
    """A section finds nothing to measure; the message says why."""


def share(name: str, hits: np.ndarray, **more: Any) -> dict:
    """A share with its Wilson interval.

    Example:
    >>> share("right", np.array([True, False]))["value"]
    0.5
    """
    hits = np.asarray(hits, bool)
    return {
        "name": name,
        "value": float(hits.mean()),
        "unit": "share",
        "better": "higher",
        "interval": list(wilson(int(hits.sum()), len(hits))),
        "method": "Wilson",
        "samples": len(hits),
        **more,
    }


def point(success: np.ndarray) -> list[float]:
    """Robust accuracy and the ends of its interval, for a curve."""
    found = share("", ~np.asarray(success, bool))
    return [found["value"], *found["interval"]]


def robust(
    name: str, result: AttackResult, threat: str, budget: int | None = None
) -> dict:
    """Accuracy under an attack, with what it spent."""
    return share(
        name,
        ~result.success,
        threat=threat,
        queries=float(np.mean(result.queries)),
        budget=budget,
    )


def flags(subject: Subject, *results: AttackResult) -> list[str]:
    """Warnings of attacks that the card does not give at its top."""
    known = set(subject.facts.warnings)
    found = dict.fromkeys(f for result in results for f in result.flags)
    return [
        flag for flag in found if flag not in known and "one class" not in flag
    ]


def worst(subject: Subject, result: AttackResult) -> list[dict]:
    """Draws what fell with the surest wrong answer."""
    from reprogram.robustness.models import compiled_scores

    fallen = np.flatnonzero(result.success & (result.distance > 0))[:64]
    if not len(fallen) or subject.x.ndim not in (3, 4):
        return []
    moved = result.adversarial[fallen]
    scores = np.asarray(compiled_scores(subject.model)(moved))
    top = np.sort(scores, axis=1)
    order = np.argsort(top[:, -2] - top[:, -1])[:SHOWN]
    names = subject.about.get("data", {}).get("classes")
    labels = [
        str(names[k] if names and k < len(names) else k)
        for k in range(scores.shape[1])
    ]
    texts = [
        f"{labels[subject.y[fallen[i]]]} read as {labels[scores[i].argmax()]}"
        for i in order
    ]
    low, span = subject.bounds[0], subject.span
    image = subject.x.ndim == 4
    draw = card_figures.worst_images if image else card_figures.worst_series
    pair = [(values - low) / span for values in (subject.x[fallen], moved)]
    below = "the difference, stretched" if image else ""
    return [
        {
            "src": draw(*(values[order] for values in pair), texts),
            "title": "Worst cases",
            "alt": f"Inputs under attack: {'; '.join(texts)}.",
            "text": "Of what fell, the surest wrong answers. "
            + (
                f"Top: the input; middle: under attack; bottom: {below}."
                if image
                else "Blue: the input; orange: under attack."
            ),
        }
    ]


def shifts(report: ShiftReport) -> dict:
    """Mean accuracy, the worst shift, calibration, and bars."""
    first, *rows = report.rows
    hits = sum(row.accuracy * row.samples for row in rows)
    total = sum(row.samples for row in rows)
    names = list(dict.fromkeys(row.shift for row in rows))
    pooled = {name: [r for r in rows if r.shift == name] for name in names}
    drawn = [["clean", first.accuracy, *first.interval]]
    for name, own in pooled.items():
        right = sum(r.accuracy * r.samples for r in own)
        count = sum(r.samples for r in own)
        # Severities share the inputs: the interval is that of one of them.
        ends = wilson(round(right / len(own)), count // len(own))
        drawn.append([name, right / count, *ends])
    lowest = min(drawn[1:], key=lambda bar: bar[1])
    calibration = float(np.mean([row.calibration_error for row in rows]))
    hardest = [r for r in rows if r.severity == max(r.severity for r in rows)]
    mean = hits / total
    common = {"unit": "share", "better": "higher", "samples": first.samples}
    return {
        "results": [
            {
                "name": "mean accuracy under shift",
                "value": mean,
                "interval": list(
                    wilson(round(mean * first.samples), first.samples)
                ),
                "method": "Wilson, of one shift",
                **common,
            },
            {
                "name": f"worst shift: {lowest[0]}",
                "value": lowest[1],
                "interval": lowest[2:],
                "method": "Wilson, of one severity",
                **common,
            },
            {
                "name": "mean accuracy at the hardest severity",
                "value": float(np.mean([row.accuracy for row in hardest])),
                **common,
            },
            {
                "name": "mean calibration error under shift",
                "value": calibration,
                "better": "lower",
                "samples": first.samples,
            },
        ],
        "bars": [
            {
                "title": "Accuracy under each shift",
                "unit": "mean accuracy over severities",
                "bars": drawn,
            }
        ],
        "warnings": list(report.warnings),
    }


def scores(found: Estimate) -> dict:
    """The median of CLEVER, and how well its fits fit."""
    value = float(np.median(found.scores))
    ends = bootstrap(np.median, found.scores)
    poor = found.p_values < 0.001
    return {
        "results": [
            {
                **number("median score", value, ends, len(found.scores)),
                "unit": "L2",
                "better": "higher",
            },
            {
                "name": "mean half-width of a score from bootstrap fits",
                "value": float(np.mean(found.high - found.low) / 2),
                "unit": "L2",
                "better": "lower",
                "samples": len(found.scores),
            },
            {
                "name": "fits that the data reject (p < 0.001)",
                "value": float(poor.mean()),
                "unit": "share",
                "better": "lower",
                "samples": len(poor),
            },
        ],
        "warnings": [
            "An estimate: an attack may succeed closer than the score."
        ],
    }


def certificates(found: Certificate, subject: Subject) -> dict:
    """Certified accuracy at several radii."""
    right = found.classes == subject.y
    highest = max(float(found.radii.max()), 0.1 * found.deviation)
    curve, results = [], []
    for radius in np.linspace(0, highest * 1.1, 12):
        row = share("", right & (found.radii >= radius))
        curve.append([float(radius), row["value"], *row["interval"]])
    for factor in (0.0, 0.5, 1.0, 2.0):
        radius = factor * found.deviation
        name = f"certified accuracy at L2 {radius:.3g}"
        results.append(share(name, right & (found.radii >= radius)))
    mean = float(np.mean(found.radii * right))
    ends = mean_interval(found.radii * right)
    results.append(
        {
            **number("mean certified radius", mean, ends, len(right)),
            "method": "Student t",
            "unit": "L2",
            "better": "higher",
        }
    )
    results.append(share("abstains", found.classes < 0) | {"better": "lower"})
    return {
        "results": results,
        "curves": [
            {
                "name": f"noise {found.deviation:.3g}",
                "x": "radius in L2",
                "y": "certified accuracy",
                "points": curve,
            }
        ],
    }


def number(name: str, value: float, ends: Any, samples: int) -> dict:
    """A number with an interval by the bootstrap."""
    ends = [float(end) if np.isfinite(end) else None for end in ends]
    if None not in ends:
        ends = [min(ends[0], value), max(ends[1], value)]
    return {
        "name": name,
        "value": value,
        "interval": ends,
        "method": "bootstrap",
        "samples": samples,
    }


def bootstrap(function: Any, *columns: np.ndarray) -> tuple[float, float]:
    """Percentiles over draws of rows."""
    rng = np.random.default_rng(0)
    count = len(columns[0])
    draws = rng.integers(0, count, (DRAWS, count))
    values = [function(*(c[rows] for c in columns)) for rows in draws]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
