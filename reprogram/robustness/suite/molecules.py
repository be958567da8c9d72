"""The sections of a report card that edit or rewrite molecules."""

from typing import Any

import numpy as np

from reprogram.robustness.certification.votes import vote
from reprogram.robustness.shifts.molecules import Stability
from reprogram.robustness.shifts.molecules import stability
from reprogram.robustness.shifts.rewriting import UNCHANGED
from reprogram.robustness.suite.results import DoesNotApply
from reprogram.robustness.suite.results import row
from reprogram.robustness.suite.results import share
from reprogram.robustness.suite.subjects import Subject
from reprogram.robustness.suite.suites import Plan

SHOWN = 4


class Scores:
    """Predicts each SMILES once and remembers its scores."""

    def __init__(self, subject: Subject):
        self._predict = subject.predicted
        self.known: dict[str, np.ndarray] = {}

    def __call__(self, smiles: list[str]) -> np.ndarray:
        """Returns the scores or values, `(n, ...)`."""
        new = [s for s in dict.fromkeys(smiles) if s not in self.known]
        if new:
            self.known.update(zip(new, self._predict(new)))
        return np.array([self.known[s] for s in smiles])


def unchanged(subject: Subject, plan: Plan) -> dict:
    """Measures flips, changes and the worst of the forms, for each edit."""
    predict, labels = Scores(subject), np.asarray(subject.y).reshape(-1)
    smiles = [str(s) for s in subject.x]
    results, bars, warnings = [], [], []
    for edit in UNCHANGED:
        read = _readable(subject, smiles, edit, plan)
        if not read.all():
            name = f"{edit}: molecules with a form that the model cannot read"
            results.append(share(name, ~read, better="lower"))
        if not read.any():
            continue
        kept = [smiles[i] for i in np.flatnonzero(read)]
        how = [edit], plan.forms, plan.seed
        one = stability(predict, kept, labels[read], *how)[edit]
        if one.skipped:
            warnings.append(
                f"{edit}: {one.skipped} of {read.sum()} molecules have no"
                " other form."
            )
        if one.molecules:
            results += _rows(one, subject.unit, int(read.sum()))
            bars.append(_bar(one))
    if not results:
        raise DoesNotApply("No molecule has another form under any edit.")
    regression = subject.problem == "regression"
    unit = "largest change of a value" if regression else "share that flips"
    drawn = {"title": "Worst of the forms", "unit": unit, "bars": bars}
    return {
        "results": results,
        "settings": {
            "forms of each molecule at most": plan.forms,
            "edits": ", ".join(UNCHANGED),
        },
        "bars": [drawn] if bars else [],
        "examples": _worst(smiles, predict, plan, regression),
        "warnings": warnings,
    }


def changed(subject: Subject, plan: Plan) -> dict:
    """Measures order and error on matched pairs whose values differ."""
    from reprogram.robustness.shifts import cliffs

    labels = np.asarray(subject.y, "float64").reshape(-1)
    smiles = [str(s) for s in subject.x]
    pairs = cliffs.cliffs(smiles, labels)
    if not pairs:
        raise DoesNotApply(
            f"None of the matched pairs among {len(smiles)} molecules differs"
            " by 1 or more in its value. Evaluate more rows."
        )
    found = cliffs.sensitivity(subject.predicted, smiles, labels, pairs)
    values = subject.problem == "regression"
    name = "in the right order" if values else "with both classes right"
    told = (found.right_order, found.interval, "Wilson")
    lower = {"unit": subject.unit, "better": "lower"}
    others: tuple[tuple[str, float | None, dict[str, Any]], ...] = (
        ("RMSE on molecules of pairs", found.error, lower),
        ("RMSE on all others", found.other_error, lower),
        ("predicted over measured difference", found.change, {}),
    )
    return {
        "results": [
            row(f"pairs {name}", *told, unit="share", samples=found.pairs),
            *(
                row(text, value, **more)
                for text, value, more in others
                if value is not None
            ),
        ],
        "settings": {"least difference of a pair": 1.0},
        "warnings": ["Pairs share molecules: the interval is too narrow."],
    }


def voted(subject: Subject, plan: Plan) -> dict:
    """Counts the vote over all writings of a molecule."""
    few = subject.rows(plan.smoothed, plan.seed + 2)
    found = vote(few.predicted, [str(s) for s in few.x])
    right, queries = found.classes == few.y, float(found.queries.mean())
    rows = [
        share(
            f"right, and {100 * part:.0f} % of the writings may change",
            right & (found.tolerated >= part),
            queries=queries,
        )
        for part in (0.0, 0.1, 0.25, 0.4)
    ]
    return {
        "results": [
            *rows,
            share("abstains", found.classes < 0, better="lower"),
        ],
        "settings": {
            "alpha": found.alpha,
            "of": "the vote over the writings from each atom on",
        },
    }


def _readable(
    subject: Subject, smiles: list[str], edit: str, plan: Plan
) -> np.ndarray:
    """Returns whether the model reads all forms of each molecule, `(n,)`."""
    if subject.explain is None:
        return np.ones(len(smiles), bool)
    forms = (UNCHANGED[edit](text, plan.forms, plan.seed) for text in smiles)
    return np.array([not any(map(subject.explain, own)) for own in forms])


def _bar(one: Stability) -> list[Any]:
    ends: Any = one.worst_interval
    if one.flip_rate is None:
        return [one.edit, one.worst_change, *one.change_interval]
    return [one.edit, one.worst_flip_rate, *ends]


def _rows(one: Stability, unit: str, count: int) -> list[dict]:
    more: dict[str, Any] = {"samples": one.molecules, "budget": one.forms}
    more["better"] = "lower"
    if one.flip_rate is not None:
        name, ends = "molecules whose class flips", one.worst_interval
        told = (one.worst_flip_rate, ends, "Wilson")
        score, better, unit = "accuracy", "higher", "share"
    else:
        name, ends = "largest change, mean over molecules", one.change_interval
        told = (one.worst_change, ends, "Student t")
        score, better = "mean absolute error", "lower"
    common: dict[str, Any] = {"unit": unit, "better": better, "samples": count}
    scores = (
        (f"{score}, as they are", one.score, one.score_interval),
        (
            f"{score}, worst of the forms",
            one.worst_score,
            one.worst_score_interval,
        ),
    )
    return [
        row(f"{one.edit}: {name}", *told, unit=unit, **more),
        *(
            row(f"{one.edit}: {text}", value, _above(ends), told[2], **common)
            for text, value, ends in scores
        ),
    ]


def _above(ends: Any) -> np.ndarray:
    """Cuts an interval of what cannot be negative."""
    return np.maximum(np.array(ends, float), 0.0)


def _worst(
    smiles: list[str], predict: Scores, plan: Plan, regression: bool
) -> list[dict[str, Any]]:
    """Returns the molecules whose prediction another form moves most."""
    moves = []
    for text in smiles:
        own = predict.known.get(text)
        for edit, forms in UNCHANGED.items():
            for form in forms(text, plan.forms, plan.seed):
                if own is not None and form in predict.known:
                    gap = np.abs(predict.known[form] - own).max()
                    moves.append((float(gap), text, edit, form))
    best: dict[str, tuple] = {}
    for entry in sorted(moves, reverse=True):
        best.setdefault(entry[1], entry)

    def told(text: str) -> str:
        scores = np.ravel(predict.known[text])
        return f"{scores[0]:.3g}" if regression else f"class {scores.argmax()}"

    return [
        {
            "smiles": text,
            "title": f"Worst case of {edit}",
            "alt": f"{text}: {told(text)}; written {form}: {told(form)}.",
            "text": f"{told(text)} as {text}; {told(form)} as {form}.",
        }
        for _, text, edit, form in list(best.values())[:SHOWN]
    ]
