"""The sections of a report card that do not attack."""

import numpy as np

from reprogram.robustness.certification import certify
from reprogram.robustness.certification import clever
from reprogram.robustness.certification.votes import vote
from reprogram.robustness.shifts import SHIFTS
from reprogram.robustness.shifts import evaluate
from reprogram.robustness.suite import molecules
from reprogram.robustness.suite import results
from reprogram.robustness.suite.quality import quality
from reprogram.robustness.suite.subjects import Subject
from reprogram.robustness.suite.suites import Plan
from reprogram.robustness.threats.balls import L2

ALPHA = 0.001


def clean(subject: Subject, plan: Plan) -> dict:
    """Quality on the inputs as they are."""
    return quality(subject)


def shifted(subject: Subject, plan: Plan) -> dict:
    """Corruptions of images, disturbances of series."""
    subject = subject.rows(plan.shifted, plan.seed + 3)
    image = subject.x.ndim == 4
    report = evaluate(
        subject.model,
        subject.x,
        subject.y,
        SHIFTS["images" if image else "series"],
        plan.severities,
        bounds=subject.bounds if image else None,
        batch_size=64,
        seed=plan.seed,
    )
    return results.shifts(report) | {
        "settings": {"severities": list(plan.severities)}
    }


def estimated(subject: Subject, plan: Plan) -> dict:
    """CLEVER in L2, from the class that the model gives."""
    few = subject.rows(plan.clever_samples, plan.seed + 1)
    size = float(np.sqrt(np.prod(few.x.shape[1:])))
    threat = L2(0.1 * size * few.span, few.bounds)
    found = clever(
        few.model,
        few.x,
        few.scores().argmax(axis=1),
        threat,
        batches=plan.clever_batches,
        samples=plan.clever_points,
        seed=plan.seed,
    )
    settings = {
        "norm": "L2",
        "radius of the points": threat.epsilon,
        "maxima": plan.clever_batches,
        "points of each maximum": plan.clever_points,
    }
    return results.scores(found) | {"settings": settings}


def certified(subject: Subject, plan: Plan) -> dict:
    """Randomized smoothing of the model as it is."""
    few = subject.rows(plan.smoothed, plan.seed + 2)
    deviation = 0.12 * few.span
    found = certify(
        few.model,
        few.x,
        deviation,
        votes=plan.votes,
        alpha=ALPHA,
        batch_size=64,
        seed=plan.seed,
    )
    return results.certificates(found, few) | {
        "settings": {
            "noise": deviation,
            "votes": plan.votes,
            "alpha": ALPHA,
            "of": "the smoothed model, which votes under noise",
        }
    }


def unchanged(subject: Subject, plan: Plan) -> dict:
    """Molecules written otherwise: the answer must stay."""
    return molecules.stable(subject, plan)


def changed(subject: Subject, plan: Plan) -> dict:
    """Matched pairs whose values differ: the answer must follow."""
    return molecules.sensitive(subject)


def voted(subject: Subject, plan: Plan) -> dict:
    """The vote over all writings of a molecule, counted."""
    few = subject.rows(plan.smoothed, plan.seed + 2)
    found = vote(few.predict, [str(s) for s in few.x])
    right = found.classes == few.y
    rows = [
        results.share(
            f"right, and {100 * part:.0f} % of the writings may change",
            right & (found.tolerated >= part),
            queries=float(found.queries.mean()),
        )
        for part in (0.0, 0.1, 0.25, 0.4)
    ]
    abstains = results.share("abstains", found.classes < 0)
    return {
        "results": [*rows, abstains | {"better": "lower"}],
        "settings": {
            "alpha": found.alpha,
            "of": "the vote over the writings from each atom on",
        },
    }
