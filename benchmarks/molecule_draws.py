"""The rows and the features that `benchmarks.molecules` works on."""

import functools
import os
import pathlib

import numpy as np


def scaffold_parts(smiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Training (80 %) and test (last 10 %) rows of the usual scaffold split.

    Groups of one scaffold in descending order of size, then of their first
    row, fill the training, the validation and the test part.
    """
    from reprogram.molecules.featurizers import scaffold

    groups: dict[str, list[int]] = {}
    for row, text in enumerate(smiles):
        groups.setdefault(scaffold(text), []).append(row)
    parts: tuple[list[int], ...] = ([], [], [])
    ends = (0.8 * len(smiles), 0.9 * len(smiles), len(smiles))
    order = sorted(groups.values(), key=lambda g: (len(g), g[0]), reverse=True)
    for group in order:
        used = len(parts[0])
        place = 0
        if used + len(group) > ends[0]:
            used += len(parts[1])
            place = 1 if used + len(group) <= ends[1] else 2
        parts[place].extend(group)
    return np.sort(parts[0]), np.sort(parts[2])


def draw(y: np.ndarray, rows: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Draws training rows, class by class, two of a class at least."""
    if not size or size >= len(rows):
        return rows
    rng = np.random.default_rng(seed)
    rows = rng.permutation(rows)
    if y.dtype.kind != "i":
        return rows[:size]
    found = []
    for label in np.unique(y[rows]):
        members = rows[y[rows] == label]
        found.append(members[: max(2, round(size * len(members) / len(rows)))])
    return np.concatenate(found)


@functools.lru_cache(2)
def load(suite: str, name: str, data_dir: str) -> tuple:
    """The task, its training and its test rows."""
    from reprogram import tasks

    prefix = {"tdc": "tdc-", "moleculeace": "moleculeace-"}.get(suite, "")
    task = tasks.load(prefix + name, data_dir=data_dir)
    if task.split is None:
        return task, *scaffold_parts(task.inputs)
    test = task.split == "test"
    return task, np.flatnonzero(~test), np.flatnonzero(test)


@functools.lru_cache(4)
def random_source(folder: str) -> str:
    """Writes a source of random weights; returns its folder."""
    import keras

    from reprogram.sources.molecular import files
    from reprogram.sources.molecular import networks

    path = pathlib.Path(folder) / "random-weights"
    if not (path / "weights.npz").exists():
        keras.utils.set_random_seed(0)
        known = files.restore(files.WEIGHTS / "zinc-autoencoder")
        _, tokenizer, config = known
        fresh = networks.parts(**config["sizes"])
        scale = files.scale(config)
        files.save(path, fresh, config["sizes"], tokenizer, scale)
    return str(path)


@functools.lru_cache(64)
def view(task: object, name: str, source: str, folder: str) -> object:
    """One view of all molecules of a task, kept in a folder."""
    from reprogram.predictors.molecules import features

    if source == "random":
        source = random_source(folder)
    cache = os.path.join(folder, "features")
    found = features.compute(task.inputs, [name], source, cache, 1)
    return found[name]
