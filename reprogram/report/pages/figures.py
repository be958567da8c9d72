"""The figures of a report, as data URIs of SVG images."""

import base64
import functools
import io
import warnings
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter
from matplotlib.ticker import MaxNLocator

from reprogram.report import statistics

INK, MUTED, RULE = "#1c2733", "#5d6b79", "#d9dfe5"
ACCENT, SECOND = "#0b6b8a", "#d1702b"

# Names are the user's: a dollar sign in one is not mathematics. The value has
# any type because Matplotlib's names are literals for type checkers.
STYLE: Any = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "reprogram",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": RULE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "legend.fontsize": 9,
}


def svg_uri(svg: str) -> str:
    """Packs an SVG image so that `src` of an image element can hold it."""
    data = base64.b64encode(svg.encode("utf-8", "replace")).decode()
    return f"data:image/svg+xml;base64,{data}"


def short(text: str, length: int = 24) -> str:
    """Makes a name fit on an axis: printable, and cut where it is long."""
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= length else f"{text[: length - 1]}…"


# Called with the name and the figure of all that is drawn.
LISTENERS: list[Callable[[str, Figure], None]] = []


def drawn(draw: Callable[..., Figure]) -> Callable[..., str]:
    """Makes a function that draws a figure return its data URI."""

    @functools.wraps(draw)
    def uri(*args: Any, **kwargs: Any) -> str:
        buffer = io.BytesIO()
        with matplotlib.rc_context(STYLE), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")
            figure = draw(*args, **kwargs)
            _label_decades_plainly(figure)
            figure.savefig(
                buffer,
                format="svg",
                dpi=200,
                transparent=True,
                metadata={"Date": None},
            )
            for listen in LISTENERS:
                listen(draw.__name__, figure)
        return svg_uri(buffer.getvalue().decode())

    return uri


def _label_decades_plainly(figure: Figure) -> None:
    """Labels logarithmic axes in plain text: mathematics is not parsed."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_scale() == "log":
                axis.set_major_formatter("{x:g}")
                axis.set_minor_formatter(LogFormatter())


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Returns a figure of a size in inches, and its only axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def row_of(names: Sequence[str]) -> tuple[Figure, list[tuple[str, Axes]]]:
    """Returns a figure with axes for each name, and the pairs of them."""
    size = (4.5 * min(len(names), 3), 3)
    figure = Figure(figsize=size, layout="constrained")
    axes = np.atleast_1d(np.array(figure.subplots(1, len(names))))
    return figure, list(zip(names, axes.ravel()))


@drawn
def intervals(record: dict) -> Figure:
    """Draws each model's seeds, mean and interval in the headline metric."""
    metric, models = record["task"]["metric"], record["models"]
    figure, axes = canvas(5.4, 0.8 + 0.4 * len(models))
    for row, model in enumerate(models):
        values = statistics.scores(model, metric)
        mean, low, high = statistics.ends(record, model, metric)
        color = ACCENT if model is statistics.saved(record) else MUTED
        below = [row + 0.24] * len(values)
        axes.plot(values, below, "o", ms=3.5, c=color, alpha=0.5, mew=0)
        wide = np.array([[mean - low], [high - mean]])
        axes.errorbar(mean, row, xerr=wide, fmt="D", ms=5, c=color, capsize=4)
    names = [short(model["name"], 32) for model in models]
    axes.set_yticks(range(len(models)), names, color=INK)
    axes.set_ylim(len(models) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=RULE, lw=0.6)
    unit = statistics.unit(record, metric)
    axes.set_xlabel(axis_label(statistics.label(metric), unit))
    axes.set_axisbelow(True)
    return figure


def axis_label(name: str, unit: str) -> str:
    """Names an axis with its unit."""
    return f"{short(name, 40)} [{short(unit)}]" if unit else short(name, 40)


@drawn
def learning_curves(history: list[dict]) -> Figure:
    """Draws the loss over the epochs: thin a seed, thick their mean."""
    figure, axes = canvas(5.4, 3.2)
    lines = (("loss", "training", MUTED), ("val_loss", "validation", ACCENT))
    extent = []
    for key, label, color in lines:
        curves = [np.array(h.get(key) or [], "float64") for h in history]
        curves = [curve for curve in curves if np.isfinite(curve).any()]
        if curves:
            _seed_curves(axes, curves, label, color)
            extent += [f(c) for c in curves for f in (np.nanmin, np.nanmax)]
    if min(extent) > 0 and max(extent) / min(extent) > 100:
        axes.set_yscale("log")
    axes.set(xlabel="epoch (0: before training)", ylabel="loss")
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.grid(axis="y", color=RULE, lw=0.6)
    axes.legend()
    return figure


def _seed_curves(
    axes: Axes, curves: list[np.ndarray], label: str, color: str
) -> None:
    for curve in curves:
        axes.plot(curve, c=color, lw=0.8, alpha=0.45)
    shared = min(map(len, curves))
    mean = np.mean([curve[:shared] for curve in curves], axis=0)
    label = f"{label}, mean of {len(curves)}" if len(curves) > 1 else label
    marker = "o" if shared == 1 else ""
    axes.plot(mean, c=color, lw=2.2, label=label, marker=marker)


@drawn
def parity(
    targets: np.ndarray, predictions: np.ndarray, names: list[str], unit: str
) -> Figure:
    """Draws predictions over targets, both `(rows, k)`, one panel a column."""
    k = targets.shape[1]
    columns = min(k, 3)
    rows = -(-k // columns)
    side = 5.0 if k == 1 else 3.4
    figure = Figure((side * columns, side * rows), layout="constrained")
    for i, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, i + 1)
        x, y = targets[:, i], predictions[:, i]
        kept = np.isfinite(x) & np.isfinite(y)
        x, y = x[kept], y[kept]
        both = np.concatenate([x, y]) if len(x) else np.array([0.0, 1.0])
        margin = 0.05 * (np.ptp(both) or 1.0)
        limits = both.min() - margin, both.max() + margin
        axes.plot(limits, limits, c=MUTED, lw=1, ls="--")
        axes.scatter(
            x, y, s=18, c=ACCENT, alpha=0.55, lw=0, rasterized=len(x) > 2000
        )
        axes.set(xlim=limits, ylim=limits, aspect="equal")
        axes.set_title(short(name) if k > 1 else "")
        axes.locator_params(nbins=4 if k > 1 else 7)
        axes.set_xlabel(axis_label("measured", unit))
        axes.set_ylabel(axis_label("predicted", unit))
        axes.grid(color=RULE, lw=0.6)
    return figure


@drawn
def roc(curves: list[tuple[str, np.ndarray, np.ndarray, float]]) -> Figure:
    """Draws ROC curves, each a name, false and true positive rate, area."""
    figure, axes = canvas(4.6, 4.4)
    axes.plot([0, 1], [0, 1], c=MUTED, lw=1, ls="--")
    for i, (name, false, true, area) in enumerate(curves):
        color = ACCENT if len(curves) == 1 else f"C{i % 10}"
        label = f"{area:.3f}  {short(name)}"
        axes.plot(false, true, c=color, lw=1.8, label=label)
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.grid(color=RULE, lw=0.6)
    axes.legend(loc="lower right", title="area under the curve")
    return figure


@drawn
def confusion(counts: np.ndarray, names: list[str]) -> Figure:
    """Draws the confusion matrix `(true class, predicted class)`."""
    k = len(names)
    figure, axes = canvas(4.8, 4.4)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.tick_params(length=0)
    ticks = [short(name, 14) for name in names] if k <= 30 else []
    wide = max(map(len, ticks), default=0) * k > 40
    axes.set_xticks(range(len(ticks)), ticks, rotation=90 if wide else 0)
    axes.set_yticks(range(len(ticks)), ticks)
    for (i, j), count in np.ndenumerate(counts):
        if k <= 12 and count:
            color = "white" if shares[i, j] > 0.6 else INK
            axes.text(j, i, count, ha="center", va="center", color=color)
    return figure
