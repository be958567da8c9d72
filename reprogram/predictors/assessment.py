"""Predictions and how far they can be trusted."""

from typing import NamedTuple

import numpy as np


class Assessment(NamedTuple):
    """Predictions with what is needed to judge them, a row a molecule.

    Args:
        prediction: Values or probabilities `(molecules, columns)`.
        lower: Lower ends of the intervals of a regression, in that shape.
        upper: Upper ends of the intervals.
        sets: Whether a class, or 0 and 1 of each label, may be true; `None`
            for a regression. `(molecules, columns, 2)`, or
            `(molecules, classes)`.
        nearest: SMILES strings of the nearest training molecules.
        similarity: MinMax-Tanimoto similarities to them `(molecules,)`.
        in_domain: Whether each molecule is inside the domain, bool
            `(molecules,)`.
        nearest_row: Row numbers of the nearest training molecules, as they
            were given to `fit`, int `(molecules,)`.
    """

    prediction: np.ndarray
    lower: np.ndarray | None
    upper: np.ndarray | None
    sets: np.ndarray | None
    nearest: list[str]
    similarity: np.ndarray
    in_domain: np.ndarray
    nearest_row: np.ndarray
