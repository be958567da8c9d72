"""Forests for GSK3b and JNK3, fitted again on the public training sets.

The published pickles cannot be loaded by today's scikit-learn, so these are
not numerically the oracles of the literature: report them as refitted.

Reference: Li, Zhang and Liu, Multi-objective de novo drug design with
conditional graph generative model, 2018.
"""

import os
import pathlib
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from reprogram.molecules.featurizers import count_fingerprints


def fit_kinase(
    smiles: Sequence[str],
    active: np.ndarray,
    path: str | os.PathLike,
    trees: int = 100,
    seed: int = 0,
) -> None:
    """Fits a forest on ECFP4 bits and keeps it as plain arrays.

    Args:
        smiles: Valid SMILES strings.
        active: Labels `(molecules,)`, 1 for active molecules, otherwise 0.
        path: Path of the `.npz` to write; `optimization.oracles.get` reads it.
        trees: Number of trees.
        seed: Seed of the forest.

    Raises:
        ValueError: If only one class is there.

    Example:
    >>> path = getfixture("tmp_path") / "oracle.npz"
    >>> fit_kinase(["CCO", "CCN", "CCC", "CCCl"] * 5, [1, 0, 0, 0] * 5, path)
    >>> values = load(path)(["CCO", "CCN"])
    >>> values[0] > 0.9 > values[1]
    np.True_
    """
    from sklearn.ensemble import RandomForestClassifier

    active = np.asarray(active).astype("int64")
    if set(active) != {0, 1}:
        raise ValueError(
            f"`active` must hold 0 and 1. Received: {sorted(set(active))}."
        )
    forest = RandomForestClassifier(trees, random_state=seed, n_jobs=-1)
    forest.fit(count_fingerprints(smiles) > 0, active)
    trees_ = [tree.tree_ for tree in forest.estimators_]
    starts = np.cumsum([0, *(tree.node_count for tree in trees_)])
    values = [t.value[:, 0, 1] / t.value[:, 0].sum(axis=1) for t in trees_]
    np.savez_compressed(
        pathlib.Path(path),
        starts=starts,
        left=np.concatenate([t.children_left for t in trees_]).astype("int32"),
        right=np.concatenate([t.children_right for t in trees_]).astype(
            "int32"
        ),
        feature=np.concatenate([t.feature for t in trees_]).astype("int32"),
        value=np.concatenate(values).astype("float32"),
    )


def load(
    path: str | os.PathLike,
) -> Callable[[Sequence[str]], np.ndarray]:
    """Reads a forest that `fit_kinase` wrote: from SMILES to probabilities."""
    with np.load(path, allow_pickle=False) as arrays:
        forest = dict(arrays)

    def ask(smiles: Sequence[str]) -> np.ndarray:
        bits = count_fingerprints(smiles) > 0
        rows = np.arange(len(bits))
        total = np.zeros(len(bits))
        for start in forest["starts"][:-1]:
            node = np.zeros(len(bits), "int64")
            while True:
                here = start + node
                inner = forest["left"][here] >= 0
                if not inner.any():
                    break
                up = bits[rows, np.maximum(forest["feature"][here], 0)]
                side = np.where(up, forest["right"][here], forest["left"][here])
                node = np.where(inner, side, node)
            total += forest["value"][start + node]
        return total / (len(forest["starts"]) - 1)

    return ask
