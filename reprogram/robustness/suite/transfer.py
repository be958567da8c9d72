"""The effect of reprogramming on robustness: models side by side."""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from reprogram.robustness import attacks
from reprogram.robustness.attacks.auto_attack import auto_attack
from reprogram.robustness.suite import observing
from reprogram.robustness.suite import results
from reprogram.robustness.suite.subjects import Subject
from reprogram.robustness.suite.suites import SUITES
from reprogram.robustness.suite.suites import Plan

Data = tuple[np.ndarray, np.ndarray]
LABELS = {
    "clean": "clean accuracy",
    "apgd": "accuracy under APGD",
    "auto_attack": "accuracy under AutoAttack",
    "corruptions": "mean accuracy under corruptions",
    "clever": "median CLEVER score",
    "certified_radius": "mean certified radius",
}
RATIOS = ("clean", "apgd", "auto_attack")


@dataclasses.dataclass(frozen=True)
class TransferReport:
    """The same measures of several models, the source first.

    Args:
        models: Names of the models.
        results: Results by measure, one for each model as in a section of a
            card; `None` where it does not apply.
        ratios: Ratios of robust accuracy to that of the source, with an
            interval, for each model but the source and each of `RATIOS`.
        threat: Threat model, the same for all models.
    """

    models: tuple[str, ...]
    results: dict[str, tuple[dict | None, ...]]
    ratios: dict[str, dict[str, tuple[float, float, float]]]
    threat: str

    def table(self) -> str:
        """Returns the report as lines of text."""
        rows = [["", *self.models]]
        for measure, found in self.results.items():
            rows.append([LABELS[measure], *map(_shown, found)])
        for measure in RATIOS:
            cells = [
                "{:.2f} ({:.2f} to {:.2f})".format(*self.ratios[name][measure])
                for name in self.models[1:]
                if measure in self.ratios[name]
            ]
            if cells:
                name = f"{LABELS[measure]} over the source's"
                rows.append([name, "1", *cells])
        widths = [max(map(len, column)) for column in zip(*rows)]
        return "\n".join(
            "  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip()
            for row in rows
        )


def transfer_report(
    source: Callable,
    reprogrammed: Callable | Mapping[str, Callable],
    data: Mapping[str, Data],
    threat: Any,
    measures: Sequence[str] = tuple(LABELS),
    plan: Plan = SUITES["quick"],
    tell: Callable[[str], None] | None = None,
) -> TransferReport:
    """Measures a source and reprogrammed models side by side.

    A robust source does not make a robust reprogrammed model: measure it.

    Args:
        source: Source model on its own task, a function from inputs `(n, ...)`
            to scores.
        reprogrammed: Reprogrammed model, or several by name, such as
            `{"natural": model, "hardened": hardened.model}`.
        data: Pairs of test inputs and labels, of the source's own task
            (`"source"`) and of the other (`"target"`), both inside the threat's
            bounds.
        threat: Threat model, the same for all models.
        measures: Names of measures, keys of `LABELS`.
        plan: Amount of work, as in `suites.SUITES`.
        tell: Function that is called with a line of progress.

    Returns:
        The report. A ratio's interval goes from the lowest to the highest
        ratio of the two intervals' ends, so it is wider than 95 %.

    Raises:
        ValueError: If a measure is unknown, data are missing or do not fit.

    Example:
    >>> from reprogram.robustness import Linf
    >>> x = np.array([[0.5, 0.3], [0.9, 0.1]], "float32")
    >>> y = np.array([0, 0])
    >>> found = transfer_report(lambda x: x * 1.0, lambda x: x * [1.0, 1.5],
    ...                         {"source": (x, y), "target": (x, y)},
    ...                         Linf(0.05), measures=["clean", "apgd"])
    >>> found.ratios["reprogrammed"]["apgd"][0]
    0.5
    """
    unknown = sorted(set(measures) - set(LABELS))
    if unknown or not {"source", "target"} <= set(data):
        raise ValueError(
            f"Measures are {', '.join(LABELS)}, and data has 'source' and"
            f" 'target'. Received: {', '.join(measures)}; {', '.join(data)}."
        )
    if not isinstance(reprogrammed, Mapping):
        reprogrammed = {"reprogrammed": reprogrammed}
    subjects = [_subject("source", source, data["source"], threat, plan)]
    subjects += [
        _subject(name, model, data["target"], threat, plan)
        for name, model in reprogrammed.items()
    ]
    rows: dict[str, tuple] = {}
    for measure in measures:
        row = []
        for subject in subjects:
            row.append(_MEASURES[measure](subject, threat, plan))
            if tell is not None and row[-1] is not None:
                tell(f"{LABELS[measure]}, {subject.name}: {_shown(row[-1])}")
        rows[measure] = tuple(row)
    names = tuple(subject.name for subject in subjects)
    ratios = {
        name: {
            measure: ratio(rows[measure][place], rows[measure][0])
            for measure in RATIOS
            if measure in rows
        }
        for place, name in enumerate(names[1:], 1)
    }
    return TransferReport(names, rows, ratios, threat.name)


def ratio(result: dict, base: dict) -> tuple[float, float, float]:
    """Divides one share by another, with a cautious interval.

    Example:
    >>> ratio({"value": 0.2, "interval": [0.1, 0.3]},
    ...       {"value": 0.4, "interval": [0.3, 0.5]})
    (0.5, 0.2, 1.0)
    """

    def divided(one: float, other: float) -> float:
        return one / other if other else float("nan" if not one else "inf")

    low, high = result["interval"]
    least, most = base["interval"]
    return (
        round(divided(result["value"], base["value"]), 12),
        round(divided(low, most), 12),
        round(divided(high, least), 12),
    )


def _subject(
    name: str, model: Callable, data: Data, threat: Any, plan: Plan
) -> Subject:
    x, y = (np.asarray(values) for values in data)
    kind = {2: "table", 3: "series"}.get(x.ndim, "image")
    found = Subject(name, model, x, y, kind, bounds=threat.bounds)
    return found.rows(plan.samples, plan.seed)


def _clean(subject: Subject, threat: Any, plan: Plan) -> dict:
    hits = subject.scores().argmax(axis=1) == subject.y
    return results.share("clean", hits)


def _apgd(subject: Subject, threat: Any, plan: Plan) -> dict:
    given, seed = (*subject.given, threat), plan.seed
    found = attacks.apgd(*given, steps=plan.steps, seed=seed)
    return results.robust("apgd", found, threat, plan.steps)


def _auto_attack(subject: Subject, threat: Any, plan: Plan) -> dict:
    version = plan.auto_attack or "fast"
    given, seed = (*subject.given, threat, version), plan.seed
    found = auto_attack(*given, queries=plan.queries, seed=seed)
    return results.robust("auto_attack", found, threat)


def _corruptions(subject: Subject, threat: Any, plan: Plan) -> dict | None:
    if subject.x.ndim != 4 or subject.x.shape[-1] not in (1, 3):
        return None
    report = observing.shift_report(subject, plan)
    return results.shifts(report)["results"][0]


def _clever(subject: Subject, threat: Any, plan: Plan) -> dict:
    few = subject.rows(plan.clever_samples, plan.seed + 1)
    found = observing.estimate(few, few.y, plan)
    return results.scores(found)["results"][0]


def _radius(subject: Subject, threat: Any, plan: Plan) -> dict:
    few = subject.rows(plan.smoothed, plan.seed + 2)
    found = observing.certificate(few, plan)
    every = results.certificates(found, few)["results"]
    return next(r for r in every if r["name"] == "mean certified radius")


def _shown(result: dict | None) -> str:
    if result is None:
        return "-"
    low, high = result["interval"]
    scale = 100 if result.get("unit") == "share" else 1
    unit = " %" if scale == 100 else f" {result.get('unit') or ''}".rstrip()
    cells = (f"{scale * value:.3g}" for value in (result["value"], low, high))
    return "{}{} ({} to {})".format(next(cells), unit, *cells)


_MEASURES = {
    "clean": _clean,
    "apgd": _apgd,
    "auto_attack": _auto_attack,
    "corruptions": _corruptions,
    "clever": _clever,
    "certified_radius": _radius,
}
