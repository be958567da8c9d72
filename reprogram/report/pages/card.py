"""The report card of a model: saved, loaded, and shown as a page."""

import importlib.resources
import json
import math
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import jinja2

from reprogram import files
from reprogram.files import write_text
from reprogram.report.card_schema import KINDS
from reprogram.report.card_schema import SCHEMA
from reprogram.report.card_schema import check
from reprogram.report.pages import card_figures
from reprogram.report.pages.run import page_template
from reprogram.report.pages.run_context import number

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


def save(folder: str | os.PathLike, card: dict) -> None:
    """Writes `card.json`, `card.md` and `card.html` into a folder.

    Args:
        folder: Made if there is none.
        card: See `card.schema.json`; `schema` is filled in.

    Raises:
        ValueError: If the card is not complete.
    """
    folder = pathlib.Path(folder)
    card = completed(card)
    text = json.dumps(card, indent=1, allow_nan=False) + "\n"
    write_text(folder / "card.json", text)
    write([card], folder / "card.md")
    write([card], folder / "card.html")


def completed(card: dict) -> dict:
    """Returns a card as JSON can hold it, checked."""
    card = files.plain({"schema": SCHEMA, **card}, "card")
    check(card)
    return card


def load(path: str | os.PathLike) -> dict:
    """Reads and checks a card.

    Args:
        path: A `card.json`, or the folder that holds it.

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
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error


def write(cards: Sequence[dict], path: str | os.PathLike) -> None:
    """Writes one or several cards as a page.

    Args:
        cards: Of several, a comparison comes first.
        path: Ends in `.html` or `.md`.

    Raises:
        ValueError: If a card is not complete, or the path ends otherwise.
    """
    kinds = {".html": html, ".md": markdown}
    suffix = pathlib.Path(path).suffix
    if suffix not in kinds:
        raise ValueError(
            f"A card is written as .html or .md. Received: {path}."
        )
    write_text(path, kinds[suffix](cards))


def html(cards: Sequence[dict]) -> str:
    """Makes a page without scripts that needs no other file.

    Args:
        cards: One or several cards.

    Returns:
        An HTML document; everything from the cards is escaped.
    """
    return page_template("card.html").render(**_context(cards, figures_of))


def markdown(cards: Sequence[dict]) -> str:
    """Makes the same in Markdown, without pictures.

    Args:
        cards: One or several cards.
    """
    folder = importlib.resources.files("reprogram.report.pages")
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        number=number, cell=_cell, entry=_entry, listed=_listed
    )
    text = folder.joinpath("card.md").read_text("utf-8")
    found = environment.from_string(text).render(
        **_context(cards, lambda section: [])
    )
    return found.rstrip() + "\n"


def figures_of(section: dict) -> list[dict[str, str]]:
    """Returns the pictures of a section, with those drawn of its numbers."""
    found = []
    groups: dict[tuple, list] = {}
    for line in section.get("curves") or []:
        groups.setdefault((line["x"], line["y"]), []).append(line)
    for (x, y), lines in groups.items():
        names = ", ".join(line["name"] for line in lines)
        found.append(
            {
                "src": card_figures.curves(lines),
                "title": f"{y[:1].upper()}{y[1:]}",
                "alt": f"{y} over {x}: {names}.",
                "text": "Band: 95 % interval.",
            }
        )
    for one in section.get("bars") or []:
        found.append(
            {
                "src": card_figures.bars(one),
                "title": one["title"],
                "alt": ", ".join(f"{b[0]} {number(b[1])}" for b in one["bars"]),
                "text": f"{one['unit']}. Lines: 95 % intervals.",
            }
        )
    return found + list(section.get("pictures") or [])


def shown(result: dict) -> str:
    """Writes a value with its interval.

    Example:
    >>> shown({"value": 0.5, "interval": [0.4, 0.6], "unit": "share"})
    '50.0 % (40.0 to 60.0)'
    """
    share = result.get("unit") == "share"
    write = _percent if share else number
    text = write(result["value"]) + (" %" if share else "")
    if result["value"] is None:
        return "n/a"
    if result.get("interval") and None not in result["interval"]:
        low, high = map(write, result["interval"])
        text += f" ({low} to {high})"
    unit = result.get("unit") or ""
    return text if share or not unit else f"{text} {unit}"


def compared(cards: Sequence[dict]) -> list[dict[str, Any]]:
    """Puts the results of several cards side by side.

    Returns:
        Rows of `section`, `name` and one `cells` entry a card, empty where a
        card lacks it. Results stay apart by the kind of their section.
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


def _context(cards: Sequence[dict], figures: Any) -> dict[str, Any]:
    cards = [completed(card) for card in cards]
    if not cards:
        raise ValueError("There is no card to show. Name one at least.")
    views = []
    for card in cards:
        parts = []
        for kind in KINDS:
            sections = [s for s in card["sections"] if s["kind"] == kind]
            parts.append(
                {
                    "title": HEADINGS[kind],
                    "meaning": MEANINGS[kind],
                    "sections": [
                        {**s, "figures": figures(s)}
                        for s in sections
                        if s["state"] == "done"
                    ],
                }
            )
        missing = [s for s in card["sections"] if s["state"] != "done"]
        views.append({"card": card, "parts": parts, "missing": missing})
    rows = compared(cards) if len(cards) > 1 else []
    return {"views": views, "rows": rows, "shown": shown, "named": named}


def named(result: dict) -> str:
    """Names a result with its threat."""
    threat = result.get("threat")
    return f"{result['name']}, {threat}" if threat else result["name"]


def _percent(value: float | None) -> str:
    return "n/a" if value is None or math.isnan(value) else f"{100 * value:.1f}"


def _cell(text: Any) -> str:
    """Keeps a text from breaking a table of Markdown, or being markup."""
    text = str(text).replace("|", "\\|").replace("<", "&lt;")
    return " ".join(text.split())


def _entry(result: dict, key: str) -> str:
    value = result.get(key)
    return "–" if value is None else _cell(number(value))


def _listed(found: dict) -> str:
    return ", ".join(f"{bar[0]} {number(bar[1])}" for bar in found["bars"])
