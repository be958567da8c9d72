"""The sections of a report card with attacks, and their threats."""

from collections.abc import Callable
from typing import Any

import numpy as np

from reprogram.robustness import attacks
from reprogram.robustness.attacks.auto_attack import auto_attack
from reprogram.robustness.attacks.sweep import sweep
from reprogram.robustness.suite import results
from reprogram.robustness.suite.subjects import Subject
from reprogram.robustness.suite.suites import Plan
from reprogram.robustness.threats import L2
from reprogram.robustness.threats import Linf
from reprogram.robustness.threats import Semantic
from reprogram.robustness.threats import Spatial

EPSILONS = (1, 2, 4, 8, 16, 32)  # in 1/255 of the range of values


def threats_of(subject: Subject) -> list[dict]:
    """Describes the threats that apply, as in `card.schema.json`."""
    if not subject.attackable:
        return []
    values = int(np.prod(subject.x.shape[1:]))
    meanings: dict[Callable[[Subject], Any], str] = {
        linf: "every value moves, by 8/255 of the range at most",
        euclidean: "the Euclidean length of the change: 0.5 for 3,072 values"
        f" in [0, 1], scaled to this range and to {values:,} values",
    }
    if subject.x.ndim == 4:
        meanings |= {
            turned: "rotation by 30 degrees and moves by a tenth of the image",
            edited: "hue, saturation, lightness, brightness, contrast and blur",
        }
    return [
        {
            "name": results.named(threat),
            "norm": threat.name,
            "epsilon": float(threat.epsilon),
            "bounds": [float(bound) for bound in subject.bounds],
            "meaning": meaning,
        }
        for threat, meaning in (
            (make(subject), meaning) for make, meaning in meanings.items()
        )
    ]


def linf(subject: Subject) -> Linf:
    """Returns the main threat: 8/255 of the range."""
    return Linf(8 / 255 * subject.span, subject.bounds)


def euclidean(subject: Subject) -> L2:
    """Returns the threat in L2, in proportion to the number of values."""
    size = np.sqrt(np.prod(subject.x.shape[1:]) / 3072)
    return L2(0.5 * float(size) * subject.span, subject.bounds)


def turned(subject: Subject) -> Spatial:
    """Returns rotations, and moves by a tenth of the image."""
    low = float(subject.bounds[0])
    moved = max(1.0, 0.1 * subject.x.shape[1])
    return Spatial(30.0, moved, bounds=subject.bounds, fill=low)


def edited(subject: Subject) -> Semantic:
    """Returns edits of color, light and sharpness."""
    return Semantic(bounds=subject.bounds)


def gradients(subject: Subject, plan: Plan) -> dict:
    """Runs FGSM, PGD at several radii and APGD."""
    main, round_ = linf(subject), euclidean(subject)
    samples = 1 if subject.known.deterministic else 20
    options = {**_options(plan), "samples": samples}
    given = subject.given
    single = attacks.fgsm(*given, main, batch_size=64)
    strong = attacks.apgd(*given, main, steps=plan.steps, **options)
    other = attacks.apgd(*given, round_, steps=plan.steps, **options)
    radii = [k / 255 * subject.span for k in EPSILONS]
    swept = sweep(attacks.pgd, *given, main, radii, **options, steps=20)
    right = results.point(subject.scores().argmax(axis=1) == subject.y)
    points = [
        [k, *results.point(~result.success)]
        for k, result in zip(EPSILONS, swept.values())
    ]
    return {
        "results": [
            results.robust("FGSM", single, main, 1),
            results.robust("PGD", swept[radii[3]], main, 20),
            results.robust("APGD", strong, main, plan.steps),
            results.robust("APGD", other, round_, plan.steps),
        ],
        "settings": {
            "PGD steps": 20,
            "APGD steps": plan.steps,
            "predictions averaged for a gradient": samples,
        },
        "curves": [
            {
                "name": "PGD",
                "x": "radius in Linf, in 1/255 of the range",
                "y": "accuracy under attack",
                "points": [[0, *right], *points],
            }
        ],
        **_shown(subject, strong, single, other),
    }


def ensemble(subject: Subject, plan: Plan) -> dict:
    """Runs AutoAttack."""
    threat, version = linf(subject), plan.auto_attack
    if not subject.known.deterministic:
        version = "rand"
    options = {"version": version, "queries": plan.queries, **_options(plan)}
    found = auto_attack(*subject.given, threat, **options)
    return {
        "results": [results.robust("AutoAttack", found, threat)],
        "settings": {"version": version, "queries of Square": plan.queries},
        "bars": [
            {
                "title": "After each attack",
                "unit": "accuracy that is left",
                "bars": [list(stage) for stage in found.stages],
            }
        ],
        **_shown(subject, found),
    }


def black_box(subject: Subject, plan: Plan) -> dict:
    """Runs Square, which sees scores, and HopSkipJump, which sees classes."""
    main, round_ = linf(subject), euclidean(subject)
    options = {"queries": plan.queries, **_options(plan)}
    square = attacks.square(*subject.given, main, **options)
    walked = attacks.hop_skip_jump(*subject.given, round_, **options)
    return {
        "results": [
            results.robust("Square", square, main, plan.queries),
            results.robust("HopSkipJump", walked, round_, plan.queries),
        ],
        "settings": {"Square sees": "scores", "HopSkipJump sees": "classes"},
        "warnings": results.flags(subject, square, walked),
    }


def spatial(subject: Subject, plan: Plan) -> dict:
    """Tries rotations and moves on a grid."""
    threat, tried = turned(subject), int(np.prod(plan.grid))
    options = {"grid": plan.grid, **_options(plan)}
    found = attacks.spatial(*subject.given, threat, **options)
    return {
        "results": [results.robust("worst of grid", found, threat, tried)],
        "settings": {"grid of angles and moves": list(plan.grid)},
        **_shown(subject, found),
    }


def semantic(subject: Subject, plan: Plan) -> dict:
    """Tries edits of color, light and sharpness."""
    threat, spent = edited(subject), plan.compositions + 10
    options = {"queries": plan.compositions, "steps": 10, **_options(plan)}
    found = attacks.semantic(*subject.given, threat, **options)
    return {
        "results": [results.robust("worst edit", found, threat, spent)],
        "settings": {
            "random compositions": plan.compositions,
            "gradient steps": 10,
        },
        **_shown(subject, found),
    }


def _shown(subject: Subject, found: Any, *others: Any) -> dict:
    """Returns examples of an attack, and the warnings of all."""
    return {
        "examples": results.worst(subject, found),
        "warnings": results.flags(subject, *others, found),
    }


def _options(plan: Plan) -> dict[str, Any]:
    return {"batch_size": 64, "seed": plan.seed}
