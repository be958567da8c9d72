"""Features of molecules for the parts of a predictor."""

import functools
import os
from collections.abc import Callable
from collections.abc import Sequence
from concurrent import futures
from typing import TYPE_CHECKING

import joblib
import numpy as np

from reprogram.molecules import featurizers
from reprogram.molecules import fingerprints
from reprogram.molecules.smiles import parse
from reprogram.molecules.smiles import randomize
from reprogram.molecules.smiles import read
from reprogram.parallel import map_chunks
from reprogram.predictors.molecules.tables import Features
from reprogram.predictors.molecules.tables import Rows

if TYPE_CHECKING:
    import keras

    from reprogram.sources import Source

SOURCE = ("source", "answers")
BATCH = 256
AT_ONCE = 4096  # molecules up to which a source reads beside the chemistry


def compute(
    smiles: Sequence[str],
    views: Sequence[str],
    source: str = "",
    cache: str | os.PathLike | None = None,
    jobs: int = 1,
    random: int = 0,
) -> dict[str, Rows]:
    """Computes the views of some molecules.

    Args:
        smiles: Valid SMILES strings; a source reads their standard form.
        views: `"descriptors"`; `"source"`, the layer before the head of a
            source, and `"answers"`, its outputs; keys of
            `fingerprints.GENERATORS`.
        source: Name or path of the source of its views, for `sources.load`:
            one of molecules, of text that reads SMILES, or of images, which
            sees drawings. Not needed for other views.
        cache: Folder that keeps the results from call to call.
        jobs: Number of processes; -1 for all cores.
        random: Number of random SMILES of each molecule that a source reads;
            its outputs are averaged. 0 for the canonical one alone.

    Returns:
        For each view a row a molecule: sparse counts of fragments, or float32
        numbers, NaN where they are not defined or the source cannot read.

    Raises:
        ValueError: If a string is not a molecule, a view is unknown or the
            source reads something else.

    Example:
    >>> table = compute(["CCO", "CO"], ["ecfp4", "descriptors"])
    >>> table["ecfp4"].shape[0], table["descriptors"].shape[0]
    (2, 2)
    """
    view, rows = _view, tuple(smiles)
    if cache:
        view = joblib.Memory(cache, verbose=0).cache(_view, ignore=["jobs"])
    backend, _ = joblib.parallel.get_active_backend()

    def describe() -> dict[str, Rows]:
        chemistry = [name for name in views if name not in SOURCE]
        with joblib.parallel_config(backend):  # the one of this thread
            return {name: view(name, rows, "", jobs, 0) for name in chemistry}

    # Other processes compute the chemistry while this one reads the source.
    outputs = [name for name in views if name in SOURCE]
    beside = jobs != 1 and len(outputs) > 0 and len(rows) <= AT_ONCE
    with futures.ThreadPoolExecutor(1) as pool:
        work = pool.submit(describe) if beside else None
        own = 1 if beside else jobs
        tables = {n: view(n, rows, source, own, random) for n in outputs}
        return tables | (work.result() if work else describe())


def _view(
    name: str, smiles: tuple, source: str, jobs: int, random: int
) -> Rows:
    if name == "descriptors":
        table = featurizers.descriptors(smiles, jobs=jobs)
        return np.clip(table, -1e6, 1e6).astype("float32")
    if name in SOURCE:
        return _read_layers(smiles, source, jobs, random)[SOURCE.index(name)]
    return fingerprints.unfolded_counts(smiles, name, jobs)


def take(features: Features, rows: np.ndarray) -> dict[str, Rows]:
    """Takes some molecules of all views.

    Args:
        features: A table for each view, from `compute`.
        rows: Row numbers, or true and false for each row.

    Returns:
        The same views of these molecules.
    """
    return {name: table[rows] for name, table in features.items()}


# One pass gives both, and both are asked for one after the other.
@functools.lru_cache(2)
def _read_layers(
    smiles: tuple[str, ...], source: str, jobs: int, random: int
) -> tuple[np.ndarray, np.ndarray]:
    """Reads molecules with a source: the layer before the head, the outputs."""
    model, preprocess, explain = _reader(source)
    parts = map_chunks(read, smiles, jobs)
    rows = [row for part, _ in parts for row in part]
    good = [i for i, row in enumerate(rows) if row and not explain(row)]
    # Strings of similar length together need little padding.
    good.sort(key=lambda i: len(rows[i]))
    sizes = [int(np.prod(out.shape[1:])) for out in model.outputs]
    tables = [np.full((len(rows), n), np.nan, "float32") for n in sizes]
    for start in range(0, len(good), BATCH):
        part = good[start : start + BATCH]
        texts = _written([rows[i] for i in part], random, explain)
        values = [model.predict_on_batch(preprocess(text)) for text in texts]
        for table, layer in zip(tables, zip(*values), strict=True):
            mean = np.mean(layer, axis=0)
            table[part] = mean.reshape(len(part), -1)
    return tables[0], tables[-1]


def _written(
    rows: Sequence[str], random: int, explain: Callable[[str], str]
) -> list[np.ndarray]:
    """Writes each molecule as several SMILES that a source reads."""
    canonical = np.array(rows, object)
    ways = []
    for seed in range(random):
        other = np.array([randomize(row, seed) for row in rows], object)
        fits = np.array([not explain(row) for row in other])
        ways.append(np.where(fits, other, canonical))
    return ways or [canonical]


@functools.lru_cache(4)
def _reader(name: str) -> tuple["keras.Model", Callable, Callable[[str], str]]:
    import keras

    from reprogram import sources
    from reprogram.sources.slicing import slice_source

    source = sources.load(name)
    if source.modality not in ("molecule", "token", "image"):
        raise ValueError(
            f"The source {name!r} reads {source.modality} inputs. Choose one"
            " of molecules, of text or of images."
        )
    preprocess = source.preprocess
    if source.modality == "image":
        preprocess = functools.partial(_drawn, source)
    _, features = slice_source(source.model, None, source.feature_layer)
    outputs = [features.outputs[0], source.model.outputs[0]]
    both = keras.Model(source.model.inputs, outputs)
    return both, preprocess, source.explain or (lambda row: "")


def _drawn(source: "Source", smiles: Sequence[str]) -> np.ndarray:
    """Draws molecules as chemists do, for a source of images."""
    from rdkit.Chem import Draw

    shape = source.model.inputs[0].shape[1:3]
    height, width = (size or 224 for size in shape)
    side = max(height, width, 64)
    images = [Draw.MolToImage(parse(row), (side, side)) for row in smiles]
    images = [image.convert("RGB").resize((width, height)) for image in images]
    return source.preprocess(np.stack([np.float32(image) for image in images]))
