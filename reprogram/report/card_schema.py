"""The content of a report card, and the check of it.

A card is one JSON object. What was attacked and with what budget stands in
`threats`; every number stands in a section, and every section has one kind:

- `empirical`: what attacks and shifts found. A better attack may find more.
- `estimate`: extrapolated, such as CLEVER. It bounds nothing.
- `certified`: holds for every attack, with the probability that is stated.

A section without results says why in `reason`: it does not apply to this
model or task, it was not run, or nothing is built for it yet.
"""

from collections.abc import Iterator
from typing import Any

from reprogram.report import schema

SCHEMA = "reprogram.card/1"
KINDS = ("empirical", "estimate", "certified")


def check(card: Any) -> None:
    """Checks that a card is complete and consistent.

    Args:
        card: Report card, as returned by `files.plain`.

    Raises:
        ValueError: If a field is missing or wrong; the message names all such
            fields.

    Example:
    >>> check({"schema": "reprogram.card/1"})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: Not a complete card: `name` is missing; `command` is ...
    """
    if not isinstance(card, dict) or card.get("schema") != SCHEMA:
        received = card.get("schema") if isinstance(card, dict) else card
        raise ValueError(
            f'Not a report card: expected a JSON object with "schema":'
            f' "{SCHEMA}". Received: {received!r:.80}. Use the version that'
            " wrote the card, or evaluate again."
        )
    problems = schema.validate(card, schema.read("card")) or list(
        _contradictions(card)
    )
    if problems:
        raise ValueError(
            f"Not a complete card: {'; '.join(problems)}. Evaluate again with"
            " this version of reprogram, or correct the file."
        )


def _contradictions(card: dict) -> Iterator[str]:
    names = [section["name"] for section in card["sections"]]
    if len(set(names)) < len(names):
        yield f"`sections` must have different names, received {names}"
    threats = {threat["name"] for threat in card["threats"]}
    for section in card["sections"]:
        yield from _of_section(section, threats)


def _of_section(section: dict, threats: set[str]) -> Iterator[str]:
    name = section["name"]
    if (section["state"] == "done") != bool(section["results"]):
        yield f"section {name!r} is {section['state']!r} with" + (
            " results" if section["results"] else "out results"
        )
    if section["state"] != "done" and not section.get("reason"):
        yield f"section {name!r} has no results and no `reason`"
    certified = section["kind"] == "certified" and section["state"] == "done"
    if certified and "alpha" not in (section.get("settings") or {}):
        yield f"section {name!r} is certified without `alpha` in `settings`"
    if name == "clever" and section["kind"] != "estimate":
        yield "CLEVER is an estimate and no certificate"
    for result in section["results"]:
        yield from _of_result(result, f"{name}/{result['name']}", threats)


def _of_result(result: dict, path: str, threats: set[str]) -> Iterator[str]:
    ends, value = result.get("interval"), result["value"]
    if ends is not None and len(ends) != 2:
        yield f"`interval` of {path} must be two numbers, received {ends}"
    elif ends and None not in (*ends, value):
        slack = 1e-6 * max(1.0, abs(value))
        if not ends[0] - slack <= value <= ends[1] + slack:
            yield f"`interval` of {path}, {ends}, does not hold {value}"
    if ends is not None and not result.get("method"):
        yield f"{path} does not name the `method` of its interval"
    threat = result.get("threat")
    if threat and threat not in threats:
        yield f"{path} names the threat {threat!r}, which is not in `threats`"
