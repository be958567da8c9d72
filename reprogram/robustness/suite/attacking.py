"""The sections of a report card that attack, and their threats."""

from typing import Any

import numpy as np

from reprogram.robustness import attacks
from reprogram.robustness.attacks.auto_attack import auto_attack
from reprogram.robustness.attacks.spatial import Spatial
from reprogram.robustness.attacks.sweep import sweep
from reprogram.robustness.suite import results
from reprogram.robustness.suite.subjects import Subject
from reprogram.robustness.suite.suites import Plan
from reprogram.robustness.threats.balls import L2
from reprogram.robustness.threats.balls import Linf
from reprogram.robustness.threats.semantic import Semantic

MAIN, ROUND = "Linf 8/255", "L2 0.5"
EPSILONS = (1, 2, 4, 8, 16, 32)


def threats_of(subject: Subject) -> list[dict]:
    """Describes the threats that apply, as in `card.schema.json`."""
    if not subject.attackable:
        return []
    found = [
        (linf(subject), MAIN, "every value moves, by 8/255 of the range"),
        (
            euclidean(subject),
            ROUND,
            "the length of the change; 0.5 for 3,072 values in [0, 1], in"
            " proportion to range and the root of their number",
        ),
    ]
    if subject.x.ndim == 4:
        found += [
            (
                turned(subject),
                "Spatial",
                "rotation by 30 degrees and moves by a tenth of the image",
            ),
            (
                Semantic(bounds=subject.bounds),
                "Semantic",
                "hue, saturation, lightness, brightness, contrast and blur",
            ),
        ]
    return [
        {
            "name": name,
            "norm": threat.name,
            "epsilon": float(threat.epsilon),
            "bounds": [float(bound) for bound in subject.bounds],
            "meaning": meaning,
        }
        for threat, name, meaning in found
    ]


def linf(subject: Subject) -> Linf:
    """The main threat: 8/255 of the range."""
    return Linf(8 / 255 * subject.span, subject.bounds)


def euclidean(subject: Subject) -> L2:
    """The threat in L2, in proportion to the number of values."""
    size = np.sqrt(np.prod(subject.x.shape[1:]) / 3072)
    return L2(0.5 * float(size) * subject.span, subject.bounds)


def turned(subject: Subject) -> Spatial:
    """Rotations, and moves by a tenth of the image."""
    low = float(subject.bounds[0])
    moved = max(1.0, 0.1 * subject.x.shape[1])
    return Spatial(30.0, moved, bounds=subject.bounds, fill=low)


def gradients(subject: Subject, plan: Plan) -> dict:
    """FGSM, PGD at several radii and APGD."""
    threat, options = linf(subject), _options(subject, plan)
    given = subject.model, subject.x, subject.y
    steps = {"steps": plan.steps, **options}
    single = attacks.fgsm(*given, threat, batch_size=64)
    strong = attacks.apgd(*given, threat, **steps)
    other = attacks.apgd(*given, euclidean(subject), **steps)
    radii = [k / 255 * subject.span for k in EPSILONS]
    swept = sweep(attacks.pgd, *given, threat, radii, **options, steps=20)
    points = [
        [k, *results.point(result.success)]
        for k, result in zip(EPSILONS, swept.values())
    ]
    right = results.point(subject.scores().argmax(axis=1) != subject.y)
    return {
        "results": [
            results.robust("FGSM", single, MAIN, 1),
            results.robust("PGD", swept[radii[3]], MAIN, 20),
            results.robust("APGD", strong, MAIN, plan.steps),
            results.robust("APGD", other, ROUND, plan.steps),
        ],
        "settings": {
            "PGD steps": 20,
            "APGD steps": plan.steps,
            "answers averaged for a gradient": options["samples"],
        },
        "curves": [
            {
                "name": "PGD",
                "x": "radius in Linf, in 1/255 of the range",
                "y": "accuracy under attack",
                "points": [[0, *right], *points],
            }
        ],
        "pictures": results.worst(subject, strong),
        "warnings": results.flags(subject, single, strong, other),
    }


def ensemble(subject: Subject, plan: Plan) -> dict:
    """AutoAttack."""
    version = plan.auto_attack
    if not subject.facts.deterministic:
        version = "rand"
    found = auto_attack(
        subject.model,
        subject.x,
        subject.y,
        linf(subject),
        version=version,
        queries=plan.queries,
        batch_size=64,
        seed=plan.seed,
    )
    stages = [[name, value] for name, value in found.stages]
    return {
        "results": [results.robust("AutoAttack", found, MAIN)],
        "settings": {"version": version, "queries of Square": plan.queries},
        "bars": [
            {
                "title": "After each attack",
                "unit": "accuracy that is left",
                "bars": stages,
            }
        ],
        "pictures": results.worst(subject, found),
        "warnings": results.flags(subject, found),
    }


def black_box(subject: Subject, plan: Plan) -> dict:
    """Square, which sees scores, and HopSkipJump, which sees classes."""
    given = subject.model, subject.x, subject.y
    options = {"queries": plan.queries, "batch_size": 64, "seed": plan.seed}
    square = attacks.square(*given, linf(subject), **options)
    walked = attacks.hop_skip_jump(*given, euclidean(subject), **options)
    budget = plan.queries
    return {
        "results": [
            results.robust("Square", square, MAIN, budget),
            results.robust("HopSkipJump", walked, ROUND, budget),
        ],
        "settings": {"Square sees": "scores", "HopSkipJump sees": "classes"},
        "warnings": results.flags(subject, square, walked),
    }


def spatial(subject: Subject, plan: Plan) -> dict:
    """Rotations and moves on a grid."""
    found = attacks.spatial(
        subject.model,
        subject.x,
        subject.y,
        turned(subject),
        grid=plan.grid,
        batch_size=64,
        seed=plan.seed,
    )
    tried = int(np.prod(plan.grid))
    return {
        "results": [results.robust("worst of grid", found, "Spatial", tried)],
        "settings": {"grid of angles and moves": list(plan.grid)},
        "pictures": results.worst(subject, found),
        "warnings": results.flags(subject, found),
    }


def semantic(subject: Subject, plan: Plan) -> dict:
    """Color, light and sharpness."""
    found = attacks.semantic(
        subject.model,
        subject.x,
        subject.y,
        Semantic(bounds=subject.bounds),
        queries=plan.compositions,
        steps=10,
        batch_size=64,
        seed=plan.seed,
    )
    spent = plan.compositions + 10
    return {
        "results": [results.robust("worst edit", found, "Semantic", spent)],
        "settings": {
            "random compositions": plan.compositions,
            "gradient steps": 10,
        },
        "pictures": results.worst(subject, found),
        "warnings": results.flags(subject, found),
    }


def _options(subject: Subject, plan: Plan) -> dict[str, Any]:
    samples = 1 if subject.facts.deterministic else 20
    return {"batch_size": 64, "seed": plan.seed, "samples": samples}
