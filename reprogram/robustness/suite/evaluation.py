"""Measures a report card, section by section."""

import dataclasses
import json
import os
import pathlib
import time
from collections.abc import Callable

from reprogram import files
from reprogram.files import claim
from reprogram.files import digest
from reprogram.files import versions
from reprogram.files import write_text
from reprogram.report import card_schema
from reprogram.robustness.suite import attacking
from reprogram.robustness.suite import sections
from reprogram.robustness.suite.results import DoesNotApply
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
        subject: Model and rows.
        folder: Where `sections/<name>.json` is written when one is done.
        suite: `"quick"`, `"standard"` or `"full"`.
        samples: Rows to attack; 0 for those of the suite.
        seed: Of all draws.
        only: Names of sections; all others are not run.
        tell: Receives progress.

    Returns:
        A card without `command`, see `report/card.schema.json`; write it by
        `report.card.save`.

    Raises:
        ValueError: If the folder holds another evaluation, or a name in
            `only` is unknown.
    """
    _check_names(only)
    folder = pathlib.Path(folder)
    claim(folder, _identity(subject, suite, samples, seed))
    plan = _kept_plan(folder, subject, suite, samples, seed)
    few = subject.rows(plan.samples, seed)
    start, found = time.perf_counter(), []
    for name, section in sections.SECTIONS.items():
        path = folder / "sections" / f"{name}.json"
        skipped = only and name not in only
        if not path.exists() and not skipped:
            part = _measured(name, section, few, plan, tell)
            card_schema.check_section(part)
            write_text(path, json.dumps(part, indent=1) + "\n")
        if path.exists():
            found.append(json.loads(path.read_text("utf-8")))
        else:
            found.append(_empty(name, section, "not run", "It was left out."))
    found += [
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
    spent = sum(part.get("seconds") or 0 for part in found)
    return _card(few, plan, suite, found) | {
        "seconds": max(spent, time.perf_counter() - start)
    }


def _card(subject: Subject, plan: Plan, suite: str, found: list[dict]) -> dict:
    facts = subject.facts
    model = dict(subject.about.get("model", {}))
    if facts is not None:
        shape = " x ".join(map(str, subject.x.shape[1:]))
        low, high = subject.bounds
        model["input"] = f"{shape}, values from {low:g} to {high:g}"
        model["answers"] = f"{facts.classes} {facts.answers}"
        model["gradients"] = "yes" if facts.differentiable else "no"
        model["same answer twice"] = "yes" if facts.deterministic else "no"
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
            "versions": versions(),
            "suite": suite,
            "seeds": [plan.seed],
            "model": {"name": subject.name, "kind": "function", **model},
            "data": data,
            "threats": attacking.threats_of(subject),
            "sections": found,
            "warnings": _warnings(subject, found),
            "plan": dataclasses.asdict(plan),
        }
    )


def _measured(
    name: str,
    section: "sections.Section",
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
    name: str, section: "sections.Section", state: str, reason: str
) -> dict:
    found = {"name": name, "title": section.title, "kind": section.kind}
    return found | {"state": state, "reason": reason, "results": []}


def _warnings(subject: Subject, found: list[dict]) -> list[str]:
    warnings = list(subject.facts.warnings) if subject.facts else []
    if subject.problem == "classification" and len({*subject.y.tolist()}) == 1:
        warnings.append(
            "All rows have one class; the card says nothing of others."
        )
    robust = {
        result["name"]: result["value"]
        for part in found
        for result in part["results"]
        if result.get("threat") == attacking.MAIN
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
        found = planned(suite, subject, samples, seed)
        write_text(path, json.dumps(dataclasses.asdict(found)) + "\n")
    return Plan(**json.loads(path.read_text("utf-8")))


def _identity(subject: Subject, suite: str, samples: int, seed: int) -> dict:
    model = subject.about.get("model", {})
    return {
        "suite": suite,
        "samples": samples,
        "seed": seed,
        "weights": model.get("fingerprint"),
        "data": digest(subject.x, subject.y),
        "bounds": list(map(float, subject.bounds)),
    }


def _check_names(only: tuple[str, ...]) -> None:
    unknown = sorted(set(only) - set(sections.SECTIONS))
    if unknown:
        raise ValueError(
            f"There is no section {', '.join(unknown)}. There are:"
            f" {', '.join(sections.SECTIONS)}."
        )
