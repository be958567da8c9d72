"""The verdict of a report card, in one sentence."""

from collections.abc import Iterator

FEW = 50  # rows; below it every interval is wide
NORMS = ("Linf", "L2", "L1", "L0")


def verdict(card: dict) -> str:
    """States how far a model can be trusted, and with which inputs.

    Args:
        card: Report card; its `data`, `threats` and `sections` are read.

    Returns:
        A sentence made of the headline results, and a second one where the
        rows are few.

    Example:
    >>> clean = {"name": "accuracy", "value": 0.91, "unit": "share"}
    >>> attack = {"name": "APGD", "value": 0.12, "threat": "Linf 0.03"}
    >>> found = [{"name": name, "kind": "empirical", "title": name,
    ...           "results": [result]}
    ...          for name, result in (("clean", clean), ("gradients", attack))]
    >>> threat = {"name": "Linf 0.03", "norm": "Linf", "epsilon": 0.03}
    >>> card = {"threats": [threat], "sections": found, "data": {"rows": 90}}
    >>> verdict(card)  # doctest: +ELLIPSIS
    'Accuracy 91 % falls to 12 % under Linf 0.03 (APGD): do not expose it to...'
    """
    results = headlines(card)
    if not results:
        return "Nothing was measured: see why at the end of this card."
    text = "; ".join(_clauses(card, results))
    advice = _advice(results)
    text = f"{text}: {advice}" if advice else text
    rows = card["data"]["rows"]
    note = f" {rows} rows are few: mind the intervals." if rows < FEW else ""
    return f"{text[:1].upper()}{text[1:]}.{note}"


def headlines(card: dict) -> dict[str, dict]:
    """Returns the results that sum up a card.

    Args:
        card: Report card; its `sections` are read.

    Returns:
        Those that were measured of: `clean`, the quality on inputs as they
        are; `attack`, the lowest accuracy under any attack; `shift`, that
        under the worst shift; `certified`, the certified accuracy at the
        smallest radius; `edit`, the largest effect of writing a molecule
        otherwise; `cliffs`, the share of close pairs that are told apart; and
        `coverage`, the share of values inside their intervals or sets.
    """
    parts = {section["name"]: section for section in card["sections"]}
    every = [
        (section, result)
        for section in card["sections"]
        for result in section["results"]
        if result["value"] is not None
    ]
    own = {
        name: [result for section, result in every if section is part]
        for name, part in parts.items()
    }
    # An attack may be in any section; what it is given in is its threat.
    attacks = [
        {**result, "section": section["title"]}
        for section, result in every
        if section["kind"] == "empirical" and result.get("threat")
    ]
    radii = [r for r in own.get("smoothing", []) if _radius(r) > 0]
    edits = [
        result
        for result in own.get("unchanged", [])
        if "flips" in result["name"] or "largest change" in result["name"]
    ]
    worst = [r for r in own.get("shifts", []) if "worst shift" in r["name"]]
    found = {
        "clean": own.get("clean", [])[:1],
        "attack": sorted(attacks, key=lambda r: r["value"])[:1],
        "shift": worst,
        "certified": sorted(radii, key=_radius)[:1],
        "edit": sorted(edits, key=lambda r: -r["value"])[:1],
        "cliffs": own.get("changed", [])[:1],
        "coverage": [
            {**result, **(parts["promises"].get("settings") or {})}
            for result in own.get("promises", [])[:1]
        ],
    }
    return {name: rows[0] for name, rows in found.items() if rows}


def _clauses(card: dict, results: dict[str, dict]) -> Iterator[str]:
    text = ""
    if "clean" in results:
        text = f"{results['clean']['name']} {_value(results['clean'])}"
    attack, shift = results.get("attack"), results.get("shift")
    if attack:
        text = _falls(text, attack, _threat(card, attack))
    elif shift:
        text = _falls(text, shift, shift["name"].partition(": ")[2])
    if text:
        yield text
    if "certified" in results:
        radius = results["certified"]["name"].rpartition(" at ")[2]
        yield (
            f"{_value(results['certified'])} is certified at {radius} for the"
            " smoothed model"
        )
    if "coverage" in results:
        told = results["coverage"]
        yield f"{_value(told)} of {told['name']}"
    if "edit" in results:
        yield _edited(results["edit"])
    if "cliffs" in results:
        told = results["cliffs"]
        yield f"{_value(told)} of matched {told['name']}"


def _falls(start: str, result: dict, where: str) -> str:
    value = _value(result)
    if start.endswith(f" {value}"):
        return f"{start} stays under {where}"
    return f"{start or 'accuracy'} falls to {value} under {where}"


def _threat(card: dict, result: dict) -> str:
    """Names the threat of an attack, with the epsilon that was used."""
    for threat in card["threats"]:
        if threat["name"] == result["threat"] and threat["norm"] in NORMS:
            budget = f"{threat['norm']} {threat['epsilon']:.3g}"
            return f"{budget} ({result['name']})"
    return result["section"][:1].lower() + result["section"][1:]


def _edited(result: dict) -> str:
    edit = result["name"].partition(":")[0]
    if result.get("unit") == "share":
        text = f"{_value(result)} of molecules change class when written"
    elif not result["value"]:
        return "the prediction does not depend on how a molecule is written"
    else:
        text = f"the prediction moves by {_value(result)} when a molecule is"
        text += " written"
    return f"{text} otherwise ({edit})"


def _advice(results: dict[str, dict]) -> str:
    clean, attack = results.get("clean"), results.get("attack")
    if attack:
        before = clean["value"] if clean else 1.0
        if attack["value"] < before / 2:
            return "do not expose it to inputs that others choose"
        if attack["value"] < before - 0.1:
            return "whoever chooses its inputs can mislead it"
        return "no attack that was tried does much harm, which proves nothing"
    edit = results.get("edit")
    if edit and edit["value"] and edit.get("unit") == "share":
        return "write molecules in one standard form before asking it"
    told = results.get("coverage")
    if told and told["interval"][1] < told.get("promised share", 0.0):
        return "do not rely on its intervals or sets"
    return ""


def _radius(result: dict) -> float:
    head, _, radius = result["name"].partition(" at L2 ")
    return float(radius) if head == "certified accuracy" else 0.0


def _value(result: dict) -> str:
    share = result.get("unit") == "share" or result.get("threat")
    if share:
        return f"{100 * result['value']:.0f} %"
    return f"{result['value']:.3g} {result.get('unit') or ''}".rstrip()
