"""The report card of a model: saved, loaded, and shown as a page."""

import importlib.resources
import json
import os
import pathlib
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import jinja2

from reprogram import files
from reprogram.report.card_schema import KINDS
from reprogram.report.card_schema import SCHEMA
from reprogram.report.card_schema import check
from reprogram.report.card_verdict import headlines
from reprogram.report.card_verdict import verdict
from reprogram.report.pages import card_figures
from reprogram.report.pages.base import number
from reprogram.report.pages.base import page_template

HEADINGS = {
    "empirical": "What attacks and shifts found",
    "estimate": "What is estimated",
    "certified": "What is certified",
}
MEANINGS = {
    "empirical": "Upper bounds of what the model withstands: a better attack"
    " may find more.",
    "estimate": "Extrapolated from samples. An estimate bounds nothing.",
    "certified": "Holds for every attack inside the radius, with the"
    " probability that is stated.",
}
COLUMNS = ("samples", "queries", "budget")


def save(folder: str | os.PathLike, card: dict) -> dict:
    """Writes `card.json`, `card.md` and `card.html` into a folder.

    Args:
        folder: Path of the folder, created if missing.
        card: Report card as in `card.schema.json`; `schema` and `verdict` are
            filled in, and examples are replaced by their pictures.

    Returns:
        The card as it was written.

    Raises:
        ValueError: If the card is not complete.
    """
    folder = pathlib.Path(folder)
    card = completed(card)
    for section in card["sections"]:
        if section.get("examples"):
            section["pictures"] = card_figures.pictures(section)
            del section["examples"]
    text = json.dumps(card, indent=1, allow_nan=False) + "\n"
    files.write_text(folder / "card.json", text)
    write([card], folder / "card.md")
    write([card], folder / "card.html")
    return card


def completed(card: dict) -> dict:
    """Returns a checked card as JSON can hold it, with its verdict."""
    card = files.plain({"schema": SCHEMA, **card}, "card")
    check(card)
    return {**card, "verdict": verdict(card)}


def load(path: str | os.PathLike) -> dict:
    """Reads and checks a card.

    Args:
        path: Path of a `card.json`, or of the folder that holds it.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no card.
    """
    path = pathlib.Path(path)
    path = path / "card.json" if path.is_dir() else path
    if not path.exists():
        raise FileNotFoundError(
            f"No card at {path}. scripts.evaluate_robustness writes one."
        )
    try:
        return completed(json.loads(path.read_text("utf-8")))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def write(cards: Sequence[dict], path: str | os.PathLike) -> None:
    """Writes one or several cards as a page.

    Args:
        cards: Report cards; several are first compared side by side.
        path: Path of the page, ending in `.html` or `.md`.

    Raises:
        ValueError: If a card is not complete, or the path ends otherwise.
    """
    kinds = {".html": html, ".md": markdown}
    suffix = pathlib.Path(path).suffix
    if suffix not in kinds:
        raise ValueError(
            f"A card is written as .html or .md. Received: {path}."
        )
    files.write_text(path, kinds[suffix](cards))


def html(cards: Sequence[dict]) -> str:
    """Makes a page without scripts that needs no other file.

    Args:
        cards: List of one or several report cards.

    Returns:
        An HTML document; everything from the cards is escaped.
    """
    context = _context(cards, card_figures.of_section)
    card, several = context["views"][0]["card"], len(cards) > 1
    return page_template("card.html").render(
        title=f"{card['name']}: report card",
        heading=", ".join(view["card"]["name"] for view in context["views"]),
        kicker=f"How far can {'they' if several else 'it'} be trusted",
        verdict="" if several else card["verdict"],
        facts=[] if several else _facts(card),
        warnings=[] if several else card.get("warnings") or [],
        command="" if several else card["command"],
        versions=card["versions"],
        made_from=f" from card.json, schema {card['schema']}",
        **context,
    )


def markdown(cards: Sequence[dict]) -> str:
    """Makes the same in Markdown, without pictures.

    Args:
        cards: List of one or several report cards.
    """
    folder = importlib.resources.files("reprogram.report.pages")
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=number, cell=_cell)
    template = environment.from_string(
        folder.joinpath("card.md").read_text("utf-8")
    )
    return template.render(**_context(cards, lambda _: [])).rstrip() + "\n"


def shown(result: dict) -> str:
    """Writes a value with its interval.

    Example:
    >>> shown({"value": 0.5, "interval": [0.4, 0.6], "unit": "share"})
    '50.0 % (40.0 to 60.0)'
    """
    value, unit = result["value"], result.get("unit") or ""
    if value is None:
        return "n/a"
    share = unit == "share"
    write = (lambda v: f"{100 * v:.1f}") if share else number
    text = f"{write(value)} %" if share else write(value)
    if result.get("interval") and None not in result["interval"]:
        low, high = map(write, result["interval"])
        text += f" ({low} to {high})"
    return text if share or not unit else f"{text} {unit}"


def named(result: dict) -> str:
    """Names a result with its threat."""
    threat = result.get("threat")
    return f"{result['name']}, {threat}" if threat else result["name"]


def compared(cards: Sequence[dict]) -> list[dict[str, Any]]:
    """Puts the results of several cards side by side.

    Returns:
        Rows of `kind`, `section`, `name` and one `cells` entry a card, empty
        where a card lacks it. Results stay apart by the kind of their section.
    """
    rows: dict[tuple, list[str]] = {}
    for place, card in enumerate(cards):
        for section in card["sections"]:
            for result in section["results"]:
                key = (section["kind"], section["title"], named(result))
                cells = rows.setdefault(key, [""] * len(cards))
                cells[place] = shown(result)
    ordered = sorted(rows, key=lambda key: KINDS.index(key[0]))
    return [
        {"kind": k, "section": s, "name": n, "cells": rows[k, s, n]}
        for k, s, n in ordered
    ]


def _context(
    cards: Sequence[dict], figures: Callable[[dict], list]
) -> dict[str, Any]:
    cards = [completed(card) for card in cards]
    if not cards:
        raise ValueError("There is no card to show. Name one at least.")
    return {
        "views": [_view(card, figures) for card in cards],
        "rows": compared(cards) if len(cards) > 1 else [],
    }


def _view(card: dict, figures: Callable[[dict], list]) -> dict[str, Any]:
    done = [s for s in card["sections"] if s["state"] == "done"]
    parts = [
        {
            "title": HEADINGS[kind],
            "meaning": MEANINGS[kind],
            "sections": [
                {
                    **section,
                    "rows": [_row(result) for result in section["results"]],
                    "figures": figures(section),
                    "notes": [
                        card_figures.listed(one)
                        for one in section.get("bars") or []
                    ],
                    "settings": _known(section.get("settings") or {}),
                }
                for section in done
                if section["kind"] == kind
            ],
        }
        for kind in KINDS
    ]
    about = {"seeds": ", ".join(map(str, card["seeds"]))}
    about["seconds"] = round(card["seconds"])
    return {
        "card": card,
        "parts": [part for part in parts if part["sections"]],
        "missing": [s for s in card["sections"] if s["state"] != "done"],
        "model": _known(card["model"]),
        "data": _known(card["data"], ("classes",)),
        "about": about,
    }


def _row(result: dict) -> list[str]:
    """Returns the cells of a result in the table of its section."""
    counts = [result.get(key) for key in COLUMNS]
    return [
        named(result),
        shown(result),
        result.get("method") or "–",
        *("–" if count is None else number(count) for count in counts),
    ]


def _known(values: dict, skip: Sequence[str] = ()) -> dict[str, Any]:
    return {
        key: value
        for key, value in values.items()
        if key not in skip and value not in (None, "", [])
    }


def _facts(card: dict) -> list[tuple[str, str]]:
    """Returns the headline results with their number of rows."""
    facts = [(shown(r), named(r)) for r in headlines(card).values()]
    rows = f"{card['data']['rows']:,} rows"
    return [*facts, (rows, f"of {card['data']['task']}, suite {card['suite']}")]


def _cell(text: Any) -> str:
    """Escapes a text for a table of Markdown."""
    text = str(text).replace("|", "\\|").replace("<", "&lt;")
    return " ".join(text.split())
