"""Turns measurements into the results of a section."""

from collections.abc import Callable
from typing import Any

import numpy as np

from reprogram.metrics import mean_interval
from reprogram.metrics import share_interval
from reprogram.robustness.attacks.result import AttackResult
from reprogram.robustness.certification import Certificate
from reprogram.robustness.certification import Estimate
from reprogram.robustness.shifts import ShiftReport
from reprogram.robustness.suite.subjects import Subject

SHOWN = 4
DRAWS = 1000


class DoesNotApply(ValueError):
    """A section has nothing to measure; the message says why."""


def row(
    name: str, value: Any, interval: Any = None, method: str = "", **more: Any
) -> dict:
    """Makes a result; its interval is stretched until it holds the value.

    Example:
    >>> row("error", 0.5, (0.6, np.inf), "bootstrap", unit="pIC50")["interval"]
    [0.6, None]
    """
    result = {"name": name, "value": float(value), "better": "higher", **more}
    if interval is not None:
        ends = np.array([*interval], float)
        if np.isfinite(ends).all():
            ends = np.array([min(*ends, value), max(*ends, value)])
        known = [float(end) if np.isfinite(end) else None for end in ends]
        result |= {"interval": known, "method": method}
    return result


def share(name: str, hits: np.ndarray, **more: Any) -> dict:
    """Makes a share with its Wilson interval.

    Example:
    >>> share("right", np.array([True, False]))["value"]
    0.5
    """
    hits = np.asarray(hits, bool)
    ends = share_interval(int(hits.sum()), len(hits))
    more = {"unit": "share", "samples": len(hits), **more}
    return row(name, hits.mean(), ends, "Wilson", **more)


def point(hits: np.ndarray) -> list[float]:
    """Returns a share and the ends of its interval, for a curve."""
    found = share("", hits)
    return [found["value"], *found["interval"]]


def named(threat: Any) -> str:
    """Names a threat, with the epsilon that is used where it has a norm.

    Example:
    >>> from reprogram.robustness import Linf
    >>> named(Linf(8 / 255))
    'Linf 0.0314'
    """
    if threat.name in ("Spatial", "Semantic"):
        return threat.name
    return f"{threat.name} {threat.epsilon:.3g}"


def robust(
    name: str, result: AttackResult, threat: Any, budget: int | None = None
) -> dict:
    """Makes the accuracy under an attack, with its queries."""
    queries = float(np.mean(result.queries))
    more = {"threat": named(threat), "queries": queries, "budget": budget}
    return share(name, ~result.success, **more)


def flags(subject: Subject, *results: AttackResult) -> list[str]:
    """Returns warnings of attacks that the card does not give at its top."""
    known = set(subject.known.warnings)
    every = dict.fromkeys(f for result in results for f in result.flags)
    return [
        flag for flag in every if flag not in known and "one class" not in flag
    ]


def worst(subject: Subject, result: AttackResult) -> list[dict]:
    """Returns successful examples with the surest wrong predictions."""
    from reprogram.robustness.models import compiled_scores

    fallen = np.flatnonzero(result.success & (result.distance > 0))[:64]
    if not len(fallen) or subject.x.ndim not in (3, 4):
        return []
    moved = result.adversarial[fallen]
    scores = np.asarray(compiled_scores(subject.model)(moved))
    top = np.sort(scores, axis=1)
    order = np.argsort(top[:, -2] - top[:, -1])[:SHOWN]
    names = subject.about.get("data", {}).get("classes") or []
    labels = [*names, *map(str, range(len(names), scores.shape[1]))]
    texts = [
        f"{labels[subject.y[fallen[i]]]} read as {labels[scores[i].argmax()]}"
        for i in order
    ]
    how = "Blue: the input; orange: under attack."
    if subject.x.ndim == 4:
        how = "Top: the input; middle: under attack; bottom: the difference,"
        how += " stretched."
    return [
        {
            "title": "Worst cases",
            "alt": f"Inputs under attack: {'; '.join(texts)}.",
            "text": f"Of what fell, the surest errors. {how}",
            "captions": texts,
            "clean": _unit(subject.x[fallen][order], subject),
            "moved": _unit(moved[order], subject),
        }
    ]


def _unit(x: np.ndarray, subject: Subject) -> list:
    """Returns values as shares of the range, rounded for drawing."""
    unit = (x.astype("float64") - subject.bounds[0]) / subject.span
    return np.round(unit, 4).tolist()


def shifts(report: ShiftReport) -> dict:
    """Returns mean accuracy, the worst shift, calibration, and bars."""
    first, *rows = report.rows
    drawn: list[list[Any]] = [["clean", first.accuracy, *first.interval]]
    for name in dict.fromkeys(row.shift for row in rows):
        own = [r.accuracy for r in rows if r.shift == name]
        # Severities share the inputs: the interval is that of one of them.
        right = round(float(np.mean(own)) * first.samples)
        ends = share_interval(right, first.samples)
        drawn.append([name, float(np.mean(own)), *ends])
    lowest = min(drawn[1:], key=lambda bar: bar[1])
    mean = float(np.mean([row.accuracy for row in rows]))
    most = max(r.severity for r in rows)
    hardest = [r.accuracy for r in rows if r.severity == most]
    errors = [row.calibration_error for row in rows]
    common: dict[str, Any] = {"unit": "share", "samples": first.samples}
    return {
        "results": [
            row(
                "mean accuracy under shift",
                mean,
                share_interval(round(mean * first.samples), first.samples),
                "Wilson, of one shift",
                **common,
            ),
            row(
                f"worst shift: {lowest[0]}",
                lowest[1],
                lowest[2:],
                "Wilson, of one severity",
                **common,
            ),
            row(
                "mean accuracy at the hardest severity",
                np.mean(hardest),
                **common,
            ),
            row(
                "mean calibration error under shift",
                np.mean(errors),
                better="lower",
                samples=first.samples,
            ),
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
    """Returns the median of CLEVER, and how well its fits fit."""
    count: dict[str, Any] = {"samples": len(found.scores)}
    lower: dict[str, Any] = {"better": "lower", **count}
    median, ends = np.median(found.scores), bootstrap(np.median, found.scores)
    width = np.mean(found.high - found.low) / 2
    return {
        "results": [
            row("median score", median, ends, "bootstrap", unit="L2", **count),
            row(
                "mean half-width of a score from bootstrap fits",
                width,
                unit="L2",
                **lower,
            ),
            row(
                "fits that the data reject (p < 0.001)",
                np.mean(found.p_values < 0.001),
                unit="share",
                **lower,
            ),
        ],
        "warnings": [
            "An estimate: an attack may succeed closer than the score."
        ],
    }


def certificates(found: Certificate, subject: Subject) -> dict:
    """Returns the certified accuracy at several radii."""
    right = found.classes == subject.y
    highest = max(float(found.radii.max()), 0.1 * found.deviation)
    radii = [factor * found.deviation for factor in (0.0, 0.5, 1.0, 2.0)]
    certain = found.radii * right
    return {
        "results": [
            *(
                share(
                    f"certified accuracy at L2 {radius:.3g}",
                    right & (found.radii >= radius),
                )
                for radius in radii
            ),
            row(
                "mean certified radius",
                np.mean(certain),
                np.maximum(mean_interval(certain), 0.0),
                "Student t",
                unit="L2",
                samples=len(right),
            ),
            share("abstains", found.classes < 0, better="lower"),
        ],
        "curves": [
            {
                "name": f"noise {found.deviation:.3g}",
                "x": "radius in L2",
                "y": "certified accuracy",
                "points": [
                    [float(radius), *point(right & (found.radii >= radius))]
                    for radius in np.linspace(0, highest * 1.1, 12)
                ],
            }
        ],
    }


def bootstrap(
    function: Callable[..., Any], *columns: np.ndarray
) -> tuple[float, float]:
    """Returns percentiles of a statistic over draws of rows."""
    rng = np.random.default_rng(0)
    count = len(columns[0])
    draws = rng.integers(0, count, (DRAWS, count))
    values = [function(*(c[rows] for c in columns)) for rows in draws]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
