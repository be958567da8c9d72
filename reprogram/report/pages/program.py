"""Pictures of a program: inputs, transformed inputs and trained changes."""

from typing import Any
from typing import Protocol

import numpy as np
from matplotlib.figure import Figure

from reprogram.report.pages.figures import ACCENT
from reprogram.report.pages.figures import MUTED
from reprogram.report.pages.figures import drawn

MOST = 3


class Reprogrammed(Protocol):
    """The attributes of a `Reprogrammer` that the pictures need."""

    transform: Any  # a Keras layer


def of_program(
    model: Reprogrammed, start: list[np.ndarray], inputs: np.ndarray
) -> list[dict[str, str]]:
    """Draws inputs, what the source sees of them, and what training changed.

    Args:
        model: Trained Reprogrammer of images or series.
        start: Weights of the transform before training.
        inputs: Preprocessed inputs `(samples, height, width, channels)` or
            `(samples, length, channels)`; a few of them are drawn.

    Returns:
        Figures for a report, each `src` (a data URI), `title`, `alt` and
        `text`; none for other inputs.
    """
    inputs = np.asarray(inputs)[:MOST]
    if inputs.ndim not in (3, 4) or not len(inputs):
        return []
    seen = np.asarray(model.transform(inputs, training=False))
    if seen.ndim != inputs.ndim:
        return []
    trained = model.transform.get_weights()
    model.transform.set_weights(start)
    before = np.asarray(model.transform(inputs, training=False))
    model.transform.set_weights(trained)
    draw = program if seen.ndim == 4 else program_of_series
    change = float(np.abs(seen - before).max())
    return [
        {
            "src": draw(np.nan_to_num(inputs), seen, seen - before),
            "title": "The program",
            "alt": f"{len(inputs)} inputs, what the source sees of each, and"
            f" what training changed, by {change:.3g} at most.",
            "text": "Left: inputs. Middle: what the frozen source sees. Right:"
            f" what training changed of it, at most {change:.3g}.",
        }
    ]


def _grid(rows: int) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(6.4, 2.1 * rows), layout="constrained")
    axes = figure.subplots(rows, 3, squeeze=False)
    for axis, title in zip(axes[0], ("input", "seen", "changed")):
        axis.set_title(title)
    return figure, axes


@drawn
def program(inputs: np.ndarray, seen: np.ndarray, change: np.ndarray) -> Figure:
    """Draws images, what the source sees of each, and what changed."""
    figure, axes = _grid(len(inputs))
    most = max(float(np.abs(change).max()), 1e-9)
    spans = [(a.min(), a.max()) for a in (inputs, seen)]
    spans.append((-most, most))
    for row, images in zip(axes, zip(inputs, seen, change)):
        for axis, image, (low, high) in zip(row, images, spans):
            shown = (image - low) / max(float(high - low), 1e-9)
            if image.shape[-1] != 3:
                shown = shown.mean(axis=-1)
            axis.imshow(np.clip(shown, 0, 1), cmap="gray", vmin=0, vmax=1)
            axis.set_axis_off()
    return figure


@drawn
def program_of_series(
    inputs: np.ndarray, seen: np.ndarray, change: np.ndarray
) -> Figure:
    """Draws series, what the source sees of each, and what changed."""
    figure, axes = _grid(len(inputs))
    for row, lines in zip(axes, zip(inputs, seen, change)):
        for axis, line in zip(row, lines):
            step = max(1, len(line) // 2000)
            color = ACCENT if axis is not row[0] else MUTED
            axis.plot(line[::step].mean(axis=-1), color=color, linewidth=0.6)
    return figure
