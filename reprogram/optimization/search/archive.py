"""The molecules that one search evaluated, with their values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from rdkit import Chem

from reprogram.optimization.constraints import Frame
from reprogram.optimization.objective import Objective
from reprogram.optimization.search import surrogate


class Archive:
    """The molecules of one search in the order of their evaluation.

    Args:
        objective: Objective of the search.
        start: Canonical SMILES of the start, or `None` without one.
        seed: Seed of the search.

    Example:
    >>> archive = Archive(Objective(maximise="qed"), "CCO")
    >>> archive.add(["CCO", "CCN"], np.array([[0.4], [0.5]]))
    >>> archive.smiles[archive.best()]
    'CCN'
    """

    def __init__(
        self, objective: Objective, start: str | None = None, seed: int = 0
    ):
        self.objective, self.start, self.seed = objective, start, seed
        self.frame = Frame(objective, start)
        self.rng = np.random.default_rng(seed)
        self.smiles: list[str] = []
        self.molecules: list[Chem.Mol] = []
        self.parents: dict[str, str] = {}
        self.proposers: dict[str, str] = {}
        self.rows: dict[str, int] = {}
        self.values = np.zeros((0, len(objective.properties)))
        self.allowed = np.zeros(0, bool)
        # What a search keeps between its rounds.
        self.memory: dict[str, Any] = {}
        self._features: list[tuple[np.ndarray, ...]] = []

    def __len__(self) -> int:
        return len(self.smiles)

    def add(self, smiles: Sequence[str], values: np.ndarray) -> None:
        """Adds new molecules with their values `(molecules, properties)`."""
        molecules = [Chem.MolFromSmiles(row) for row in smiles]
        for row, molecule in zip(smiles, molecules):
            self.rows[row] = len(self.smiles)
            self.smiles.append(row)
            self.molecules.append(molecule)
        self.values = np.concatenate([self.values, values])
        allowed = [self.frame.allows(molecule) for molecule in molecules]
        self.allowed = np.concatenate([self.allowed, allowed]).astype(bool)

    def features(self) -> tuple[np.ndarray, ...]:
        """Computes `surrogate.features` of all molecules."""
        done = sum(len(part[0]) for part in self._features)
        if done < len(self):
            self._features.append(surrogate.features(self.molecules[done:]))
        if len(self._features) > 1:
            parts = zip(*self._features)
            self._features = [tuple(map(np.concatenate, parts))]
        return self._features[0]

    def utility(self, weights: np.ndarray | None = None) -> np.ndarray:
        """Values that the search raises; -infinity where none is known."""
        return self.objective.utility(self.values, weights)

    def feasible(self) -> np.ndarray:
        """Says of each molecule whether it keeps all bounds."""
        return self.allowed & (self.objective.shortfall(self.values) == 0)

    def best(self) -> int | None:
        """Row of the best molecule that keeps all bounds.

        With nothing to raise or lower it is the first one.
        """
        rows = np.flatnonzero(self.feasible())
        if not len(rows):
            return None
        return int(rows[np.argmax(self.utility()[rows])])

    def solved(self) -> bool:
        """Says whether a molecule is good enough, where bounds say so."""
        return self.objective.enough and bool(self.feasible().any())

    def path(self, row: int) -> list[str]:
        """Returns the molecules from the start, or first ancestor, to a row."""
        path = [self.smiles[row]]
        while path[-1] in self.parents:
            path.append(self.parents[path[-1]])
        return path[::-1]
