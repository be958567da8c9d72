"""Matched pairs and activity cliffs: edits that must change a prediction.

Reference: van Tilborg, Alenicheva and Grisoni, Exposing the Limitations of
Molecular Machine Learning with Activity Cliffs, 2022.
"""

import collections
import dataclasses
import itertools
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from rdkit.Chem import rdMMPA

from reprogram.metrics import share_interval
from reprogram.molecules.smiles import parse
from reprogram.robustness.shifts.molecules import scores_of


@dataclasses.dataclass(frozen=True)
class Sensitivity:
    """Predictions for pairs whose measured values differ.

    Args:
        pairs: Number of pairs.
        right_order: Share of pairs whose values the model orders rightly; of
            classes, the share of pairs with both classes right.
        interval: 95 % interval of that share. Pairs share molecules, so it is
            narrower than it should be.
        error: Root mean squared error on the molecules of the pairs; `None` for
            classes.
        other_error: Root mean squared error on all other molecules; `None` if
            there is none.
        change: Predicted difference over the measured one, by least squares;
            ideally 1, and 0 if the model does not see the edit.
    """

    pairs: int
    right_order: float
    interval: tuple[float, float]
    error: float | None = None
    other_error: float | None = None
    change: float | None = None


def matched_pairs(
    smiles: Sequence[str], largest: int = 8
) -> list[tuple[int, int]]:
    """Finds molecules that differ in one substituent at one bond.

    Args:
        smiles: SMILES of the molecules.
        largest: Largest number of atoms of a substituent, which must be the
            smaller part.

    Returns:
        Pairs of positions, each pair once.

    Raises:
        ValueError: If a string is no molecule.

    Example:
    >>> matched_pairs(["Cc1ccccc1", "Clc1ccccc1", "CCCCCC"])
    [(0, 1)]

    Reference: Hussain and Rea, Computationally Efficient Algorithm to Identify
    Matched Molecular Pairs (MMPs) in Large Data Sets, 2010.
    """
    cores: dict[str, dict[int, str]] = collections.defaultdict(dict)
    for place, text in enumerate(smiles):
        for core, substituent in _cuts(text, largest):
            cores[core][place] = substituent
    found = set()
    for members in cores.values():
        for first, second in itertools.combinations(sorted(members), 2):
            if members[first] != members[second]:
                found.add((first, second))
    return sorted(found)


def cliffs(
    smiles: Sequence[str], labels: np.ndarray, gap: float = 1.0
) -> list[tuple[int, int]]:
    """Finds matched pairs whose measured values differ.

    Args:
        smiles: SMILES of the molecules.
        labels: Values, such as pEC50, or class ids, `(n,)`.
        gap: Least difference; 1 is a factor of ten in activity for pEC50.

    Returns:
        Pairs of positions.

    Example:
    >>> cliffs(["Cc1ccccc1", "Clc1ccccc1", "Fc1ccccc1"],
    ...        np.array([5.0, 7.0, 5.5]))
    [(0, 1), (1, 2)]
    """
    labels = _checked(smiles, labels)
    pairs = matched_pairs(smiles)
    return [(i, j) for i, j in pairs if abs(labels[i] - labels[j]) >= gap]


def sensitivity(
    predict: Callable[[list[str]], np.ndarray],
    smiles: Sequence[str],
    labels: np.ndarray,
    pairs: Sequence[tuple[int, int]] | None = None,
) -> Sensitivity:
    """Measures a model on pairs of molecules with different labels.

    Args:
        predict: Function from SMILES strings to scores `(n, classes)`, or to
            values `(n,)` or `(n, 1)` of a regression.
        smiles: SMILES of the molecules.
        labels: Class ids or values, `(n,)`.
        pairs: Pairs of positions; `None` takes the `cliffs`.

    Returns:
        The measured order and errors.

    Raises:
        ValueError: If there is no pair, or the inputs do not fit.

    Example:
    >>> found = sensitivity(lambda s: np.array([len(t) for t in s]),
    ...                     ["Cc1ccccc1", "Clc1ccccc1"], np.array([5., 7.]))
    >>> found.right_order, found.change
    (1.0, 0.5)
    """
    labels = _checked(smiles, labels)
    chosen = cliffs(smiles, labels) if pairs is None else pairs
    known = np.array([(i, j) for i, j in chosen if labels[i] != labels[j]])
    if not len(known):
        raise ValueError(
            f"No matched pair of these {len(smiles)} molecules differs in its"
            " labels. Pass more molecules, or `pairs` of your own."
        )
    values = scores_of(predict, list(smiles))
    first, second = known.T
    if values.shape[1] > 1:
        right = values.argmax(axis=1) == labels
        hits = right[first] & right[second]
        return Sensitivity(
            len(known),
            float(hits.mean()),
            share_interval(hits.sum(), len(hits)),
        )
    values = values[:, 0]
    told = values[first] - values[second]
    measured = labels[first] - labels[second]
    hits = told * measured > 0
    member = np.isin(np.arange(len(values)), known)
    squared = (values - labels) ** 2
    return Sensitivity(
        len(known),
        float(hits.mean()),
        share_interval(hits.sum(), len(hits)),
        float(np.sqrt(squared[member].mean())),
        None if member.all() else float(np.sqrt(squared[~member].mean())),
        float(told @ measured / (measured @ measured)),
    )


def _cuts(smiles: str, largest: int) -> list[tuple[str, str]]:
    """Returns pairs of core and substituent, for each bond that may be cut."""
    found = []
    for _, parts in rdMMPA.FragmentMol(
        parse(smiles), maxCuts=1, resultsAsMols=False
    ):
        sizes = {part: _size(part) for part in parts.split(".")}
        if len(sizes) < 2:  # both parts are the same
            continue
        substituent, core = sorted(sizes, key=lambda part: sizes[part])
        if sizes[substituent] <= min(largest, sizes[core] - 1):
            found.append((core, substituent))
    return found


def _size(part: str) -> int:
    molecule = parse(part)
    return sum(atom.GetAtomicNum() > 0 for atom in molecule.GetAtoms())


def _checked(smiles: Sequence[str], labels: np.ndarray) -> np.ndarray:
    labels = np.asarray(labels, "float64")
    if labels.shape != (len(smiles),) or not np.isfinite(labels).all():
        raise ValueError(
            f"`labels` holds one number a molecule, ({len(smiles)},). Received"
            f" shape {labels.shape}, {np.sum(~np.isfinite(labels))} missing."
        )
    return labels
