"""Query-based molecule optimization: zeroth-order descent in a latent.

Reference: Hoffman et al., Optimizing molecules using efficient queries from
property evaluations, 2022.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from reprogram.molecules.smiles import read
from reprogram.optimization.search.archive import Archive

BOX = 4.0  # deviations of the prior; the published box is that of a tanh


@dataclasses.dataclass
class _State:
    """The latent of one start, with the moments of Adam."""

    origin: np.ndarray
    latent: np.ndarray
    step: int = 0
    restart: int = 0
    mean: Any = 0.0
    square: Any = 0.0
    directions: np.ndarray | None = None
    written: list[str | None] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class QMO:
    """Descends a loss of decoded molecules by one-sided estimates.

    At each step the loss of the latent and of `directions` neighbors on a
    sphere of radius `radius` gives the estimate. The loss is what is to be
    lowered plus `1 / weight` times the hinge of every bound, similarity
    included; a latent that writes no molecule counts as similarity 0 and as
    a small loss of the property. All starts are decoded in one batch.

    Args:
        source: A molecular source with a latent.
        directions: Number of neighbors a step.
        radius: Radius of the sphere.
        learning_rate: Learning rate of Adam, or of the sign.
        steps: Number of steps before a restart at the start.
        restarts: Number of restarts; then the search has nothing new.
        weight: Weight of the hinges beside the objective.
        sign: Whether to follow the sign of the estimate instead of Adam.

    Raises:
        ValueError: If a start cannot be read by the source, or is missing.
    """

    source: Any
    directions: int = 50
    radius: float = 10.0
    learning_rate: float = 0.2
    steps: int = 20
    restarts: int = 50
    weight: float = 4.0
    sign: bool = False

    def __call__(
        self, archives: Sequence[Archive], counts: Sequence[int]
    ) -> list[list[str]]:
        """Returns the molecules around the latent of each start."""
        self._begin([a for a in archives if "qmo" not in a.memory])
        states = [archive.memory["qmo"] for archive in archives]
        for archive, state in zip(archives, states):
            if state.directions is not None:
                self._move(archive, state)
        latents, sizes = [], []
        for archive, state in zip(archives, states):
            if state.restart >= self.restarts:
                sizes.append(0)
                continue
            shape = self.directions, len(state.latent)
            drawn = archive.rng.normal(size=shape)
            drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
            state.directions = drawn
            near = state.latent + self.radius * drawn
            latents += [state.latent[None], np.clip(near, -BOX, BOX)]
            sizes.append(len(drawn) + 1)
        if not latents:
            return [[] for _ in archives]
        written = self.source.decode(np.concatenate(latents))
        ends = np.cumsum(sizes)
        for state, end, size in zip(states, ends, sizes):
            state.written = written[end - size : end]
        return [[row for row in state.written if row] for state in states]

    def _begin(self, archives: Sequence[Archive]) -> None:
        if not archives:
            return
        starts = [archive.start for archive in archives if archive.start]
        if len(starts) < len(archives):
            raise ValueError("QMO needs start molecules. Give some.")
        latents = self.source.encode(read(starts)[0])
        for archive, start, latent in zip(archives, starts, latents):
            if np.isnan(latent).any():
                raise ValueError(
                    f"The source cannot read the start {start!r}. Search by"
                    " edits, which can: --search=evolution without --source."
                )
            archive.memory["qmo"] = _State(latent, latent.copy())

    def _move(self, archive: Archive, state: _State) -> None:
        losses = self._losses(archive, state.written)
        change = (losses[1:] - losses[0]) @ state.directions
        size = len(state.latent) / (self.radius * self.directions)
        gradient = size * change
        state.step += 1
        if self.sign:
            step = np.sign(gradient)
        else:
            state.mean = 0.9 * state.mean + 0.1 * gradient
            state.square = 0.999 * state.square + 0.001 * gradient**2
            mean = state.mean / (1 - 0.9**state.step)
            square = state.square / (1 - 0.999**state.step)
            step = mean / (np.sqrt(square) + 1e-8)
        moved = state.latent - self.learning_rate * step
        state.latent = np.clip(moved, -BOX, BOX).astype("float32")
        if state.step >= self.steps:
            state.latent = state.origin.copy()
            state.step, state.restart = 0, state.restart + 1
            state.mean, state.square = 0.0, 0.0

    def _losses(
        self, archive: Archive, written: Sequence[str | None]
    ) -> np.ndarray:
        objective = archive.objective
        start = archive.values[archive.rows[archive.start or ""]]
        losses = []
        for row in written:
            place = archive.rows.get(row or "")
            values, similar = start, 0.0
            if place is not None:
                values = archive.values[place]
                similar = archive.frame.similarity(archive.molecules[place])
            values = np.nan_to_num(values, nan=0.0)[None]
            wanted = -objective.directions(values).sum()
            wanted += 0.1 if place is None else 0.0
            missed = max(objective.similarity - similar, 0.0)
            bounds = {**objective.at_least, **objective.at_most}
            others = set(bounds) - {*objective.maximise, *objective.minimise}
            if others:
                missed += objective.shortfall(values)[0]
            losses.append(wanted + missed * self.weight)
        return np.array(losses)
