"""Votes over the ways to write a molecule, and what they certify.

A model that reads SMILES may tell two writings of one molecule apart.
The vote over all of them depends on the molecule alone. Over a finite set it
is counted; over random writings it is bounded, as in randomized smoothing.
"""

import collections
import dataclasses
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from reprogram.molecules.smiles import parse
from reprogram.robustness.certification.smoothing import ABSTAIN
from reprogram.robustness.certification.smoothing import lower_bound


@dataclasses.dataclass(frozen=True)
class VoteCertificate:
    """Certificates of the vote, one for each molecule.

    However the molecule is written, the vote gives this class; and it still
    does if the predictions change, in any way, on less than the tolerated
    share of the writings. An exact certificate cannot be wrong; a sampled one
    is with probability `alpha` for each molecule.

    Args:
        classes: Class ids `(n,)`; -1 where the vote abstains.
        counts: Votes `(n, classes)`; of a sampled vote those of the second
            draw.
        shares: Share of the votes for the class, or its lower confidence
            bound, `(n,)`.
        tolerated: Share of the writings whose predictions may change, `(n,)`; 0
            where it abstains.
        queries: Number of different SMILES that were predicted, `(n,)`.
        alpha: Probability of an error; 0 of an exact certificate.
    """

    classes: np.ndarray
    counts: np.ndarray
    shares: np.ndarray
    tolerated: np.ndarray
    queries: np.ndarray
    alpha: float

    def certified_accuracy(
        self, labels: np.ndarray, share: float = 0.0
    ) -> float:
        """Returns the share of molecules that are right and tolerate a share.

        Args:
            labels: Class ids, `(n,)`.
            share: Share of the writings whose predictions may change.
        """
        right = self.classes == np.asarray(labels)
        return float(np.mean(right & (self.tolerated >= share)))


def writings(smiles: str) -> list[str]:
    """Writes a molecule from each of its atoms on, in canonical order.

    The set depends on the molecule only, not on how it comes in.

    Args:
        smiles: A SMILES string.

    Returns:
        Different SMILES of the molecule, one for each atom at most, sorted.

    Raises:
        ValueError: If the string is not a molecule.

    Example:
    >>> writings("OCC")
    ['C(C)O', 'CCO', 'OCC']
    """
    molecule = _canonical(smiles)
    roots = range(molecule.GetNumAtoms())
    return sorted({Chem.MolToSmiles(molecule, rootedAtAtom=i) for i in roots})


def vote(
    predict: Callable[[list[str]], np.ndarray],
    smiles: Sequence[str],
    batch_size: int = 256,
) -> VoteCertificate:
    """Counts the votes over the finite set of `writings`.

    Nothing is drawn, so the certificate is exact: no writing of the molecule
    gives the vote another class.

    Args:
        predict: Function from SMILES strings to scores `(n, classes)`.
        smiles: SMILES strings of the molecules, in any form.
        batch_size: Number of SMILES in a batch.

    Returns:
        Classes, and the share of writings that each vote tolerates. A tie
        abstains.

    Raises:
        ValueError: If a string is no molecule, or the scores do not fit.

    Example:
    >>> def predict(smiles):
    ...     return np.array([[s[0] == "C", s[0] == "O"] for s in smiles])
    >>> found = vote(predict, ["CCCO", "OCCC"])
    >>> found.classes.tolist(), found.counts[0].tolist()
    ([0, 0], [3, 1])
    """
    sets = [collections.Counter(writings(text)) for text in smiles]
    counts = _counted(predict, sets, batch_size)
    total = counts.sum(axis=1)
    second, first = np.sort(counts, axis=1)[:, -2:].T
    # The largest number of changes after which the first is still ahead.
    changes = np.maximum(np.ceil((first - second) / 2) - 1, 0)
    return VoteCertificate(
        np.where(first > second, counts.argmax(axis=1), ABSTAIN),
        counts,
        first / total,
        changes / total,
        np.array([len(forms) for forms in sets]),
        0.0,
    )


def sampled_vote(
    predict: Callable[[list[str]], np.ndarray],
    smiles: Sequence[str],
    votes: int = 1000,
    first_votes: int = 100,
    alpha: float = 0.001,
    batch_size: int = 256,
    seed: int = 0,
) -> VoteCertificate:
    """Bounds the vote over all random writings of a molecule.

    Args:
        predict: Function from SMILES strings to scores `(n, classes)`.
        smiles: SMILES strings of the molecules, in any form.
        votes: Number of random SMILES that are counted.
        first_votes: Number of random SMILES that choose the class beforehand.
        alpha: Probability of a wrong certificate, for each molecule.
        batch_size: Number of SMILES in a batch.
        seed: Seed of the random SMILES.

    Returns:
        Classes, and the share of writings that each vote tolerates. It
        abstains where no class has the majority for sure.

    Raises:
        ValueError: If a string is no molecule, the scores do not fit, or a
            number is out of range.

    Example:
    >>> def predict(smiles):
    ...     return np.array([[1.0, 0.0] for s in smiles])
    >>> found = sampled_vote(predict, ["CCO"], votes=100, alpha=0.05)
    >>> found.classes.tolist(), round(float(found.tolerated[0]), 2)
    ([0], 0.47)

    References: Bjerrum, SMILES enumeration as data augmentation, 2017; Cohen,
    Rosenfeld and Kolter, Certified Adversarial Robustness via Randomized
    Smoothing, 2019.
    """
    if votes < 1 or first_votes < 1 or not 0 < alpha < 1:
        raise ValueError(
            "Expected 0 < alpha < 1 and at least one vote. Received:"
            f" alpha={alpha}, votes={votes}, first_votes={first_votes}."
        )
    # Different draws: the class must not be chosen by the votes that count.
    chosen, counted = (
        _counted(
            predict, [_drawn(text, k, part) for text in smiles], batch_size
        )
        for k, part in ((first_votes, 2 * seed), (votes, 2 * seed + 1))
    )
    guess = chosen.argmax(axis=1)
    hits = counted[np.arange(len(guess)), guess]
    lower = np.array([lower_bound(int(k), votes, alpha) for k in hits])
    queries = [
        len(
            _drawn(text, first_votes, 2 * seed)
            | _drawn(text, votes, 2 * seed + 1)
        )
        for text in smiles
    ]
    return VoteCertificate(
        np.where(lower > 0.5, guess, ABSTAIN),
        counted,
        lower,
        np.maximum(lower - 0.5, 0.0),
        np.array(queries),
        alpha,
    )


def _canonical(smiles: str) -> Chem.Mol:
    """Reads a molecule independently of how it was written."""
    text = Chem.MolToSmiles(parse(smiles))
    for _ in range(3):  # rarely, one more reading changes the string
        again = Chem.MolToSmiles(parse(text))
        if again == text:
            break
        text = again
    return parse(text)


def _drawn(smiles: str, count: int, seed: int) -> collections.Counter:
    molecule = _canonical(smiles)
    return collections.Counter(
        Chem.MolToRandomSmilesVect(molecule, count, seed + 1)
    )


def _counted(
    predict: Callable, sets: list[collections.Counter], batch_size: int
) -> np.ndarray:
    """Predicts each different SMILES once; counts votes `(n, classes)`."""
    if not sets or batch_size < 1:
        raise ValueError(
            "Expected one molecule and a batch size of 1 at least. Received:"
            f" {len(sets)} molecules, batch_size={batch_size}."
        )
    forms = [form for counter in sets for form in counter]
    parts = []
    for first in range(0, len(forms), batch_size):
        part = forms[first : first + batch_size]
        scores = np.asarray(predict(part), "float64")
        if scores.ndim != 2 or len(scores) != len(part) or scores.shape[1] < 2:
            raise ValueError(
                "`predict` returns (n, classes) scores for n SMILES, of two"
                f" classes or more. Received {scores.shape} for {len(part)}."
            )
        if np.isnan(scores).any():
            raise ValueError(
                "`predict` returns NaN, such as for"
                f" {part[int(np.isnan(scores).any(axis=1).argmax())]!r}."
            )
        parts.append(scores)
    scores = np.concatenate(parts)
    votes = np.array([n for counter in sets for n in counter.values()])
    owners = np.repeat(np.arange(len(sets)), [len(c) for c in sets])
    counts = np.zeros((len(sets), scores.shape[1]), "int64")
    np.add.at(counts, (owners, scores.argmax(axis=1)), votes)
    return counts
