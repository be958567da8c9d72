"""Measures a report card, section by section."""

import dataclasses
import json
import os
import pathlib
import time
from collections.abc import Callable

from reprogram import files
from reprogram.robustness.suite import attacking
from reprogram.robustness.suite import sections
from reprogram.robustness.suite.results import DoesNotApply
from reprogram.robustness.suite.results import named
from reprogram.robustness.suite.subjects import Subject
from reprogram.robustness.suite.suites import Plan
from reprogram.robustness.suite.suites import plan as planned

NOT_BUILT = {
    "trojan": "Scan for trojans",
    "poisoning": "Scan of the training data for poison",
    "repair": "Repair",
}


def evaluate(
    subject: Subject,
    folder: str | os.PathLike,
    suite: str = "quick",
    samples: int = 0,
    seed: int = 0,
    only: tuple[str, ...] = (),
    tell: Callable[[str], None] = print,
) -> dict:
    """Measures all sections that apply; finished ones are read, not run.

    Args:
        subject: Model and the rows to test it on.
        folder: Path of the folder in which `sections/<name>.json` is written
            when a section is done.
        suite: `"quick"`, `"standard"` or `"full"`.
        samples: Number of rows to attack; 0 for that of the suite.
        seed: Seed of all draws.
        only: Names of the sections to run; empty for all.
        tell: Function that is called with a line of progress.

    Returns:
        A card without `command`, as in `card.schema.json`, whose pictures are
        not drawn yet; `report.pages.card.save` does both.

    Raises:
        ValueError: If the folder holds another evaluation, or a name in
            `only` is unknown.
    """
    check_names(only)
    folder = pathlib.Path(folder)
    files.claim(folder, _identity(subject, suite, samples, seed))
    plan = _kept_plan(folder, subject, suite, samples, seed)
    few = subject.rows(plan.samples, seed)
    start, parts = time.perf_counter(), []
    for name, section in sections.SECTIONS.items():
        path = folder / "sections" / f"{name}.json"
        if not path.exists() and (not only or name in only):
            part = _measured(name, section, few, plan, tell)
            files.write_text(path, json.dumps(part) + "\n")
        if path.exists():
            parts.append(json.loads(path.read_text("utf-8")))
        else:
            parts.append(_empty(name, section, "not run", "It was left out."))
    parts += [
        {
            "name": name,
            "title": title,
            "kind": "empirical",
            "state": "not built",
            "reason": "This version of reprogram does not do it yet.",
            "results": [],
        }
        for name, title in NOT_BUILT.items()
    ]
    spent = sum(part.get("seconds") or 0 for part in parts)
    return _card(few, plan, suite, parts) | {
        "seconds": max(spent, time.perf_counter() - start)
    }


def check_names(only: tuple[str, ...]) -> None:
    """Raises an error for unknown names of sections."""
    unknown = sorted(set(only) - set(sections.SECTIONS))
    if unknown:
        raise ValueError(
            f"There is no section {', '.join(unknown)}. There are:"
            f" {', '.join(sections.SECTIONS)}."
        )


def _card(subject: Subject, plan: Plan, suite: str, parts: list[dict]) -> dict:
    facts = subject.facts
    model = dict(subject.about.get("model", {}))
    if facts is not None:
        shape = " x ".join(map(str, subject.x.shape[1:]))
        low, high = subject.bounds
        model["input"] = f"{shape}, values from {low:g} to {high:g}"
        model["answers"] = f"{facts.classes} {facts.answers}"
        model["gradients"] = "yes" if facts.differentiable else "no"
        model["same output twice"] = "yes" if facts.deterministic else "no"
    data = {
        "task": "data",
        **subject.about.get("data", {}),
        "modality": subject.modality,
        "problem": subject.problem,
        "rows": len(subject.x),
        "selection": f"drawn from the test rows by seed {plan.seed}",
    }
    return files.plain(
        {
            "name": subject.name,
            "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "versions": files.versions(),
            "suite": suite,
            "seeds": [plan.seed],
            "model": {"name": subject.name, "kind": "function", **model},
            "data": data,
            "threats": attacking.threats_of(subject),
            "sections": parts,
            "warnings": _warnings(subject, parts),
            "plan": dataclasses.asdict(plan),
        }
    )


def _measured(
    name: str,
    section: sections.Section,
    subject: Subject,
    plan: Plan,
    tell: Callable[[str], None],
) -> dict:
    why = section.refuses(subject, plan)
    if why:
        state = "not run" if why.startswith("Not in") else "does not apply"
        return _empty(name, section, state, why)
    tell(f"{section.title} ...")
    start = time.perf_counter()
    try:
        part = section.measure(subject, plan)
    except DoesNotApply as error:
        return _empty(name, section, "does not apply", str(error))
    spent = time.perf_counter() - start
    tell(f"{section.title}: {spent:.0f} s")
    base = _empty(name, section, "done", "")
    return files.plain({**base, "seed": plan.seed, **part, "seconds": spent})


def _empty(
    name: str, section: sections.Section, state: str, reason: str
) -> dict:
    part = {"name": name, "title": section.title, "kind": section.kind}
    return part | {"state": state, "reason": reason, "results": []}


def _warnings(subject: Subject, parts: list[dict]) -> list[str]:
    warnings = list(subject.about.get("warnings", []))
    warnings += subject.facts.warnings if subject.facts else []
    if subject.problem == "classification" and len({*subject.y.tolist()}) == 1:
        warnings.append(
            "All rows have one class; the card says nothing of others."
        )
    if not subject.attackable:
        return warnings
    robust = {
        result["name"]: result["value"]
        for part in parts
        for result in part["results"]
        if result.get("threat") == named(attacking.linf(subject))
    }
    white = [robust[n] for n in ("APGD", "AutoAttack") if n in robust]
    if white and robust.get("Square", 1.0) < min(white) - 0.002:
        warnings.append(
            "Square, which sees no gradients, beats the gradient attacks:"
            " gradients may be masked, and the numbers of those attacks too"
            " high."
        )
    return warnings


def _kept_plan(
    folder: pathlib.Path, subject: Subject, suite: str, samples: int, seed: int
) -> Plan:
    """Returns the plan of the first start: its costs must not change it."""
    path = folder / "plan.json"
    if not path.exists():
        plan = planned(suite, subject, samples, seed)
        files.write_text(path, json.dumps(dataclasses.asdict(plan)) + "\n")
    return Plan(**json.loads(path.read_text("utf-8")))


def _identity(subject: Subject, suite: str, samples: int, seed: int) -> dict:
    model = subject.about.get("model", {})
    return {
        "suite": suite,
        "samples": samples,
        "seed": seed,
        "weights": model.get("fingerprint"),
        "data": files.digest(subject.x, subject.y),
        "bounds": list(map(float, subject.bounds)),
    }
