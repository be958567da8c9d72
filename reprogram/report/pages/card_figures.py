"""The figures of a report card."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from reprogram.report.pages.base import number as text_of
from reprogram.report.pages.figures import ACCENT
from reprogram.report.pages.figures import MUTED
from reprogram.report.pages.figures import RULE
from reprogram.report.pages.figures import SECOND
from reprogram.report.pages.figures import drawn
from reprogram.report.pages.figures import short
from reprogram.report.pages.molecules import drawing

COLORS = (ACCENT, SECOND, MUTED, "#5a3d8a", "#1c7a4a")


@drawn
def curves(lines: Sequence[dict]) -> Figure:
    """Draws curves of one pair of axes, with bands where there are intervals.

    Args:
        lines: Entries of `curves` of a section, see `card.schema.json`.
    """
    figure = Figure(figsize=(5.4, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for number, line in enumerate(lines):
        color = COLORS[number % len(COLORS)]
        points = np.array([p[:2] for p in line["points"]], "float64")
        axes.plot(*points.T, "o-", ms=3.5, c=color, label=short(line["name"]))
        ends = [p for p in line["points"] if len(p) == 4 and None not in p]
        if ends:
            x, _, low, high = np.array(ends, "float64").T
            axes.fill_between(x, low, high, color=color, alpha=0.15, lw=0)
    axes.set(xlabel=short(lines[0]["x"], 60), ylabel=short(lines[0]["y"], 40))
    if "share" in lines[0]["y"] or "accuracy" in lines[0]["y"]:
        axes.set_ylim(-0.02, 1.02)
    axes.grid(color=RULE, lw=0.6)
    axes.legend()
    return figure


@drawn
def bars(found: dict) -> Figure:
    """Draws bars with their intervals, in the order that they are given.

    Args:
        found: Entry of `bars` of a section, see `card.schema.json`.
    """
    rows = found["bars"]
    figure = Figure(figsize=(5.4, 0.9 + 0.26 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for place, (name, value, *ends) in enumerate(rows):
        color = MUTED if name == "clean" else ACCENT
        axes.barh(place, value, color=color, height=0.7)
        if len(ends) == 2 and None not in ends:
            axes.plot(ends, [place, place], c=SECOND, lw=1.6)
    axes.set_yticks(range(len(rows)), [short(row[0], 28) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(short(found["unit"], 60))
    axes.grid(axis="x", color=RULE, lw=0.6)
    axes.set_axisbelow(True)
    return figure


@drawn
def worst_images(
    clean: np.ndarray, moved: np.ndarray, captions: Sequence[str]
) -> Figure:
    """Draws images, the same under attack, and the difference.

    Args:
        clean: Images in [0, 1], `(n, height, width, channels)`.
        moved: Values under attack, in the same shape.
        captions: Texts above the pictures, such as predicted classes.
    """
    figure = Figure(figsize=(1.5 * len(clean), 4.9), layout="constrained")
    axes = figure.subplots(3, len(clean), squeeze=False)
    change = moved - clean
    most = max(float(np.abs(change).max()), 1e-9)
    rows = clean, moved, 0.5 + change / (2 * most)
    for line, images in zip(axes, rows):
        for axis, image in zip(line, images):
            gray = image.mean(-1) if image.shape[-1] != 3 else image
            axis.imshow(np.clip(gray, 0, 1), cmap="gray", vmin=0, vmax=1)
            axis.set_axis_off()
    for axis, caption in zip(axes[1], captions):
        axis.set_title(caption, fontsize=8, loc="center", weight="normal")
    return figure


@drawn
def worst_series(
    clean: np.ndarray, moved: np.ndarray, captions: Sequence[str]
) -> Figure:
    """Draws series, the same under attack above them.

    Args:
        clean: Series `(n, steps, channels)`; the first channel is drawn.
        moved: Values under attack, in the same shape.
        captions: Texts above the pictures, such as predicted classes.
    """
    figure = Figure(figsize=(5.4, 1.5 * len(clean)), layout="constrained")
    axes = figure.subplots(len(clean), 1, squeeze=False)[:, 0]
    for axis, first, second, text in zip(axes, clean, moved, captions):
        axis.plot(second[:, 0], c=SECOND, lw=1.0)
        axis.plot(first[:, 0], c=ACCENT, lw=1.0)
        axis.set_title(text, fontsize=9)
    return figure


def of_section(section: dict) -> list[dict[str, str]]:
    """Draws the curves and bars of a section, and adds its pictures."""
    figures = []
    groups: dict[tuple, list] = {}
    for line in section.get("curves") or []:
        groups.setdefault((line["x"], line["y"]), []).append(line)
    for (x, y), lines in groups.items():
        names = ", ".join(line["name"] for line in lines)
        figures.append(
            {
                "src": curves(lines),
                "title": f"{y[:1].upper()}{y[1:]}",
                "alt": f"{y} over {x}: {names}.",
                "text": "Band: 95 % interval.",
            }
        )
    for one in section.get("bars") or []:
        figures.append(
            {
                "src": bars(one),
                "title": one["title"],
                "alt": listed(one),
                "text": f"{one['unit']}. Lines: 95 % intervals.",
            }
        )
    return figures + pictures(section)


def pictures(section: dict) -> list[dict[str, str]]:
    """Returns the pictures of a section, and those of its examples."""
    pictures = list(section.get("pictures") or [])
    for example in section.get("examples") or []:
        texts = {name: example[name] for name in ("title", "alt", "text")}
        pictures.append({"src": _drawn(example), **texts})
    return [picture for picture in pictures if picture["src"]]


def _drawn(example: dict) -> str:
    if "smiles" in example:
        return drawing(example["smiles"]) or ""
    clean, moved = (np.array(example[n]) for n in ("clean", "moved"))
    kinds = {4: worst_images, 3: worst_series}
    return kinds[clean.ndim](clean, moved, example["captions"])


def listed(one: dict) -> str:
    """Writes the bars of a figure as text."""
    bars = ", ".join(f"{bar[0]} {text_of(bar[1])}" for bar in one["bars"])
    return f"{one['title']}: {bars}."
