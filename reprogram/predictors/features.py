"""Features of inputs, computed once for a whole experiment."""

import dataclasses
import time
from collections.abc import Hashable
from typing import Any

import numpy as np
from scipy import sparse

from reprogram import series
from reprogram.sources.source import Source

Table = Any  # an array or a sparse matrix, a row for each input
FRAGMENTS = tuple(
    f"counts {name}"
    for name in ("ecfp4", "ecfp6", "fcfp4", "atom pairs", "torsions")
)
SHORTEST = 9  # length of MiniRocket's kernels
BATCH = 256
SHORT = 128  # of strings, so that few of a batch are padded far


class Features:
    """Features of inputs, each kind computed once and kept.

    The first question about a kind computes it for all `inputs`, which are
    kept. Others are computed whenever they are asked for.

    Args:
        source: The frozen source; `None` if no feature of it is needed.
        inputs: Raw inputs whose features are kept `(samples, ...)`.
    """

    def __init__(self, source: Source | None, inputs: np.ndarray):
        self.source, self.inputs = source, inputs
        self.seconds: dict[str, float] = {}
        self._tables: dict[str, Table] = {}
        self._rows = {_key(item): row for row, item in enumerate(inputs)}

    def __call__(self, kind: str, inputs: np.ndarray) -> Table:
        """Returns the features of some inputs, a row each.

        Args:
            kind: `"source"` for the features of the source, `"scores"` for
                its outputs; otherwise see `compute`.
            inputs: Raw inputs `(samples, ...)`.
        """
        rows = [self._rows.get(_key(item), -1) for item in inputs]
        new = np.flatnonzero(np.array(rows) < 0)
        if len(new) == len(inputs) or (len(new) and kind in FRAGMENTS):
            return self._compute(kind, inputs)[kind]
        if kind not in self._tables:
            start = time.perf_counter()
            self._tables |= self._compute(kind, self.inputs)
            self.seconds[kind] = time.perf_counter() - start
        table = self._tables[kind]
        if len(new):
            for place, row in enumerate(new):
                rows[row] = table.shape[0] + place
            table = _join(table, self._compute(kind, inputs[new])[kind])
        return table[np.array(rows)]

    def _compute(self, kind: str, inputs: np.ndarray) -> dict[str, Table]:
        if kind in ("source", "scores"):
            return read_source(self.source, inputs)
        if kind.startswith("front "):
            _, layer, view = kind.split()
            return {kind: read_front(self.source, layer, int(view), inputs)}
        table = compute(kind, inputs)
        if kind in FRAGMENTS:
            from reprogram.predictors.molecules.tables import Fragments

            table = Fragments(table, np.arange(len(inputs)), {})
        return {kind: table}


def _key(item: np.ndarray | str) -> Hashable:
    return item.tobytes() if isinstance(item, np.ndarray) else str(item)


def _join(first: Table, second: Table) -> Table:
    if first.ndim == 3:
        return join([first, second])
    if sparse.issparse(first):
        return sparse.vstack([first, second]).tocsr()
    return np.concatenate([first, second])


def join(parts: list[np.ndarray]) -> np.ndarray:
    """Puts batches of sequences into one, zeros behind the shorter ones.

    Args:
        parts: Arrays `(samples, length, ...)`.

    Returns:
        An array `(all samples, longest length, ...)`.
    """
    longest = max(part.shape[1] for part in parts)
    if all(part.shape[1] == longest for part in parts):
        return np.concatenate(parts)
    return np.concatenate(
        [
            np.pad(
                part,
                [(0, 0), (0, longest - part.shape[1])]
                + [(0, 0)] * (part.ndim - 2),
            )
            for part in parts
        ]
    )


def compute(kind: str, inputs: np.ndarray) -> Table:
    """Computes features that need no source.

    Args:
        kind: `"none"`, `"raw"`, `"series"`, `"ecfp4"`, `"descriptors"`, or
            `"counts NAME"` with a key of `molecules.fingerprints.GENERATORS`.
        inputs: SMILES `(samples,)` or arrays `(samples, ...)`.

    Returns:
        A float array `(samples, columns)`; for `"series"` `(samples,
        channels, length)`, with zeros in front of series shorter than 9; for
        `"counts NAME"` a sparse matrix. Where a series has ended stands its
        mean. Descriptors that are not defined are NaN.
    """
    if kind == "none":
        return np.zeros((len(inputs), 1), "float32")
    if kind in ("raw", "series"):
        x = series.filled(np.asarray(inputs, "float32"))
        if kind == "raw":
            return x.reshape(len(inputs), -1)
        x = np.swapaxes(x, 1, 2)
        missing = max(0, SHORTEST - x.shape[-1])
        return np.pad(x, ((0, 0), (0, 0), (missing, 0)))
    from reprogram import molecules
    from reprogram.molecules import fingerprints

    smiles = list(map(str, inputs))
    if kind == "ecfp4":
        return molecules.count_fingerprints(smiles)
    if kind == "descriptors":
        return molecules.descriptors(smiles, jobs=-1)
    return fingerprints.unfolded_counts(smiles, kind.removeprefix("counts "))


def read_source(
    source: Source | None, inputs: np.ndarray
) -> dict[str, np.ndarray]:
    """Reads inputs with a frozen source in one pass.

    Args:
        source: The frozen source.
        inputs: Raw inputs `(samples, ...)`.

    Returns:
        `"source"`, the features for a linear head, and `"scores"`, the
        outputs of the source, as arrays `(samples, columns)`.

    Raises:
        ValueError: If there is no source.
    """
    import keras

    from reprogram.sources.slicing import slice_source

    if source is None:
        raise ValueError(
            "Features of a source need one. Received: None. Name a source."
        )
    source = plain(source)
    _, reader = slice_source(source.model, None, source.feature_layer)
    outputs = [reader.outputs[0], source.model.outputs[0]]
    both = keras.Model(source.model.inputs, outputs)
    order = np.arange(len(inputs))
    if source.modality in ("molecule", "token"):
        order = _by_length(inputs)
    parts: list[list[np.ndarray]] = []
    for start in range(0, len(order), BATCH):
        batch = source.preprocess(inputs[order[start : start + BATCH]])
        parts.append([np.asarray(p) for p in both.predict_on_batch(batch)])
    back = np.argsort(order)
    return {
        name: np.concatenate(table).reshape(len(inputs), -1)[back]
        for name, table in zip(("source", "scores"), zip(*parts))
    }


def read_front(
    source: Source | None, layer: str, view: int, inputs: np.ndarray
) -> np.ndarray:
    """Reads one view of inputs with the layers in front of a program.

    Args:
        source: The frozen source.
        layer: Layer behind which the program enters.
        view: Number of the view; 0 for the inputs as they are.
        inputs: Raw inputs `(samples, ...)`.

    Returns:
        Outputs of the layer, with the mask as a last channel
        `(samples, length, width + 1)`.
    """
    from reprogram.sources.slicing import slice_source

    if source is None:
        raise ValueError("A program needs a source. Received: None.")
    if view and source.augment is not None:
        inputs = source.augment(inputs, view - 1)
    enter, _ = slice_source(source.model, layer, source.feature_layer)
    assert enter is not None  # a layer was named
    order, parts = _by_length(inputs), []
    for start in range(0, len(inputs), SHORT):
        batch = source.preprocess(inputs[order[start : start + SHORT]])
        # Called, not compiled: each length would be compiled anew.
        x, mask = map(np.asarray, enter(batch, training=False))
        parts.append(np.concatenate([x, mask[..., None]], axis=-1))
    return join(parts)[np.argsort(order)]


def _by_length(strings: np.ndarray) -> np.ndarray:
    """Orders strings so that those of like length need little padding."""
    return np.argsort([len(str(row)) for row in strings], kind="stable")


def plain(source: Source) -> Source:
    """Returns a source that brings data to its own size without training.

    Baselines need it where the size is left to the input transform: series
    are repeated as often as they fit, or thinned out if they are longer, and
    averaged over channels.

    Args:
        source: Frozen source of any modality.

    Returns:
        The source itself, or for series one with another `preprocess`.
    """
    if source.modality != "series":
        return source
    length, channels = source.model.inputs[0].shape[1:]

    def preprocess(raw: np.ndarray) -> np.ndarray:
        x = np.nan_to_num(source.preprocess(raw))
        if x.shape[1:] == (length, channels) or length is None:
            return x
        if x.shape[-1] != channels:
            x = np.repeat(x.mean(axis=-1, keepdims=True), channels, axis=-1)
        if x.shape[1] > length:
            steps = np.linspace(0, x.shape[1] - 1, length)
            return x[:, steps.round().astype(int)]
        x = np.tile(x, (1, length // x.shape[1], 1))
        return np.pad(x, ((0, 0), (0, length - x.shape[1]), (0, 0)))

    return dataclasses.replace(source, preprocess=preprocess)
