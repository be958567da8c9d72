"""Turns what a model makes of edited molecules into results of a section."""

from typing import Any

import numpy as np

from reprogram.report.pages.molecules import drawing
from reprogram.robustness.shifts.molecules import UNCHANGED
from reprogram.robustness.shifts.molecules import Stability
from reprogram.robustness.shifts.molecules import stability
from reprogram.robustness.suite.results import DoesNotApply
from reprogram.robustness.suite.results import share
from reprogram.robustness.suite.subjects import Subject
from reprogram.robustness.suite.suites import Plan

SHOWN = 4


class Answers:
    """Asks a model once for each SMILES, and remembers."""

    def __init__(self, subject: Subject):
        self._predict = subject.predict
        self.known: dict[str, np.ndarray] = {}

    def __call__(self, smiles: list[str]) -> np.ndarray:
        """Returns the answers, `(n, ...)`."""
        new = [s for s in dict.fromkeys(smiles) if s not in self.known]
        if new:
            self.known.update(zip(new, np.asarray(self._predict(new))))
        return np.array([self.known[s] for s in smiles])


def stable(subject: Subject, plan: Plan) -> dict:
    """Flips, changes and the worst of the forms, for each edit."""
    predict, labels = Answers(subject), np.asarray(subject.y).reshape(-1)
    smiles = [str(s) for s in subject.x]
    results, bars, warnings = [], [], []
    for edit in UNCHANGED:
        read = _readable(subject, smiles, edit, plan)
        if not read.all():
            results.append(_unread(edit, read))
        if not read.any():
            continue
        one = stability(
            predict,
            [smiles[i] for i in np.flatnonzero(read)],
            labels[read],
            [edit],
            plan.forms,
            plan.seed,
        )[edit]
        if one.skipped:
            warnings.append(
                f"{edit}: {one.skipped} of {read.sum()} molecules have no"
                " other form."
            )
        if one.molecules:
            results += _rows(one, subject, int(read.sum()))
            bars.append(_bar(one))
    if not results:
        raise DoesNotApply("No molecule has another form under any edit.")
    regression = subject.problem == "regression"
    unit = "largest change of the answer" if regression else "share that flips"
    return {
        "results": results,
        "settings": {
            "forms of each molecule at most": plan.forms,
            "edits": ", ".join(UNCHANGED),
        },
        "bars": [{"title": "Worst of the forms", "unit": unit, "bars": bars}]
        if bars
        else [],
        "pictures": _worst(smiles, predict, plan, regression),
        "warnings": warnings,
    }


def _readable(
    subject: Subject, smiles: list[str], edit: str, plan: Plan
) -> np.ndarray:
    """Whether the model reads all forms of each molecule, `(n,)`."""
    if subject.explain is None:
        return np.ones(len(smiles), bool)
    return np.array(
        [
            not any(
                subject.explain(form)
                for form in UNCHANGED[edit](text, plan.forms, plan.seed)
            )
            for text in smiles
        ]
    )


def _unread(edit: str, read: np.ndarray) -> dict:
    name = f"{edit}: molecules with a form that the model cannot read"
    return share(name, ~read) | {"better": "lower"}


def _bar(one: Stability) -> list:
    if one.flip_rate is None:
        return [one.edit, one.worst_change, *one.change_interval]
    return [one.edit, one.worst_flip_rate, *one.worst_interval]


def _rows(one: Stability, subject: Subject, count: int) -> list[dict]:
    unit = subject.about.get("data", {}).get("unit") or ""
    more = {"samples": one.molecules, "budget": one.forms}
    if one.flip_rate is not None:
        rows = [
            {
                "name": f"{one.edit}: molecules whose class flips",
                "value": one.worst_flip_rate,
                "interval": list(one.worst_interval),
                "method": "Wilson",
                "unit": "share",
                "better": "lower",
                **more,
            }
        ]
        names, kind = ("accuracy", "share"), "higher"
    else:
        ends = [float(end) for end in one.change_interval]
        rows = [
            {
                "name": f"{one.edit}: largest change, mean over molecules",
                "value": one.worst_change,
                "interval": ends if np.isfinite(ends).all() else [None, None],
                "method": "Student t",
                "unit": unit,
                "better": "lower",
                **more,
            }
        ]
        names, kind = ("mean absolute error", unit), "lower"
    common = {"unit": names[1], "better": kind, "samples": count}
    return [
        *rows,
        {
            "name": f"{one.edit}: {names[0]}, as they are",
            "value": one.score,
            **common,
        },
        {
            "name": f"{one.edit}: {names[0]}, worst of the forms",
            "value": one.worst_score,
            **common,
        },
    ]


def _worst(
    smiles: list[str], predict: Answers, plan: Plan, regression: bool
) -> list[dict]:
    """Draws the molecules whose answer another form moves most."""
    found = []
    for text in smiles:
        own = predict.known.get(text)
        for edit, forms in UNCHANGED.items():
            for form in forms(text, plan.forms, plan.seed):
                if own is not None and form in predict.known:
                    gap = np.abs(predict.known[form] - own).max()
                    found.append((float(gap), text, edit, form))
    best: dict[str, tuple] = {}
    for entry in sorted(found, reverse=True):
        best.setdefault(entry[1], entry)
    return [
        _picture(*entry, predict, regression)
        for entry in list(best.values())[:SHOWN]
        if drawing(entry[1])
    ]


def _picture(
    gap: float,
    smiles: str,
    edit: str,
    form: str,
    predict: Answers,
    regression: bool,
) -> dict[str, Any]:
    first, second = (predict.known[text] for text in (smiles, form))
    if not regression:
        first, second = (f"class {v.argmax()}" for v in (first, second))
    else:
        first, second = (
            f"{float(np.ravel(v)[0]):.3g}" for v in (first, second)
        )
    return {
        "src": drawing(smiles),
        "title": f"Worst case of {edit}",
        "alt": f"{smiles}: {first}; written {form}: {second}.",
        "text": f"{first} as {smiles}; {second} as {form}.",
    }


def sensitive(subject: Subject) -> dict:
    """Order and error on matched pairs whose values differ."""
    from reprogram.robustness.shifts import cliffs

    labels = np.asarray(subject.y, "float64").reshape(-1)
    smiles = [str(s) for s in subject.x]
    pairs = cliffs.cliffs(smiles, labels)
    if not pairs:
        raise DoesNotApply(
            f"None of the matched pairs among {len(smiles)} molecules differs"
            " by 1 or more in its value. Evaluate more rows."
        )
    found = cliffs.sensitivity(subject.predict, smiles, labels, pairs)
    unit = subject.about.get("data", {}).get("unit") or ""
    results = [
        {
            "name": "pairs in the right order"
            if subject.problem == "regression"
            else "pairs with both classes right",
            "value": found.right_order,
            "interval": list(found.interval),
            "method": "Wilson",
            "unit": "share",
            "better": "higher",
            "samples": found.pairs,
        }
    ]
    others = {
        "RMSE on molecules of pairs": (found.error, unit, "lower"),
        "RMSE on all others": (found.other_error, unit, "lower"),
        "predicted over measured difference": (found.change, "", "higher"),
    }
    for name, (value, unit, better) in others.items():
        if value is not None:
            row = {"name": name, "value": value, "unit": unit}
            results.append(row | {"better": better})
    return {
        "results": results,
        "settings": {"least difference of a pair": 1.0},
        "warnings": ["Pairs share molecules: the interval is too narrow."],
    }
