"""Islands, on which a search without a goal begins again."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from reprogram.molecules.similarity import tanimoto
from reprogram.optimization.search import surrogate
from reprogram.optimization.search.archive import Archive

FIRST = 100  # molecules asked first, of which islands begin
SEEDS = 30  # of them for one island
TOP = 10  # molecules whose mean says whether an island still pays
GAIN = 0.1  # standard deviations of all values that count as growth
ALIKE = 0.85  # similarity of two molecules of which one round asks one
STEPS = 150  # a batch is at most one such part of the calls so far


@dataclasses.dataclass
class Islands:
    """Which molecules may have children.

    An island begins with some of the first molecules and ends when the mean
    of its ten best no longer grows; then another one begins. After each but
    the first, the best of all islands mix until that no longer pays.

    Args:
        patience: Number of calls without growth after which an island ends; at
            least a twentieth of the calls so far.

    Example:
    >>> from reprogram.optimization.objective import Objective
    >>> archive = Archive(Objective(maximise="qed"))
    >>> islands = Islands(patience=150)
    >>> islands.mask(archive, np.ones(200)).sum()
    np.int64(200)
    >>> islands.mask(archive, np.ones(400)).sum()
    np.int64(30)
    """

    patience: int
    seeds: np.ndarray | None = None
    since: int = 0
    at: int = 0
    best: float = -np.inf
    mixed: bool = False
    begins: list[int] = dataclasses.field(default_factory=list)

    def mask(self, archive: Archive, utility: np.ndarray) -> np.ndarray:
        """Returns which molecules are of the island; begins one if needed."""
        count = len(utility)
        known = utility[np.isfinite(utility)]
        top = self._top(utility)
        step = GAIN * known.std() if len(known) else 0.0
        if self.best == -np.inf or top > self.best + step:
            self.best, self.at = top, count
        elif count - self.at > max(self.patience, count // 20):
            self._begin(archive, count)
            self.best, self.at = self._top(utility), count
        return self._mask(count)

    def batch(self, count: int, growth: float) -> int:
        """Returns how many molecules to ask of `count` so far."""
        if not self.begins:
            return int(growth * count)
        return max(int(growth * (count - self.since)), count // STEPS)

    def turns(self, order: np.ndarray) -> np.ndarray:
        """Sorts rows, the best first, so that mixing islands take turns."""
        if not self.mixed:
            return order
        home = np.searchsorted(self.begins, order, side="right")
        turn = np.zeros(len(order), int)
        for island in np.unique(home):
            turn[home == island] = np.arange((home == island).sum())
        return order[np.argsort(turn, kind="stable")]

    def _begin(self, archive: Archive, count: int) -> None:
        self.mixed = bool(self.begins) and not self.mixed
        self.since = count
        if not self.mixed:
            first = min(FIRST, count)
            self.begins.append(count)
            self.seeds = archive.rng.choice(first, min(SEEDS, first), False)

    def _mask(self, count: int) -> np.ndarray:
        found = np.ones(count, bool)
        if self.begins and not self.mixed:
            found[: self.since] = False
            found[self.seeds] = True
        return found

    def _top(self, utility: np.ndarray) -> float:
        return float(np.sort(utility[self._mask(len(utility))])[-TOP:].mean())


def apart(rows: Sequence, molecules: Sequence[Chem.Mol], count: int) -> list:
    """Puts what is too alike to something better at the end.

    Only the first rows, which are the best, are looked at and returned: four
    times as many as are wanted.
    """
    rows, molecules = rows[: 4 * count], molecules[: 4 * count]
    codes = surrogate.features(molecules)[0]
    similar = tanimoto(codes, codes)
    kept: list[int] = []
    late: list[int] = []
    for place in range(len(rows)):
        again = kept and similar[place][kept].max() > ALIKE
        (late if again else kept).append(place)
    return [rows[place] for place in kept + late]


def lessons(utility: np.ndarray, mask: np.ndarray, most: int) -> np.ndarray:
    """Chooses the rows that a surrogate learns from.

    Of the island (`mask`) the best, for half of `most`; the latest, for a
    quarter; the others evenly from the best to the worst.
    """
    known = np.flatnonzero(np.isfinite(utility))
    if len(known) <= most:
        return known
    order = known[np.argsort(-utility[known], kind="stable")]
    chosen = order[mask[order]][: most // 2]
    chosen = np.union1d(chosen, known[-(most // 4) :])
    rest = np.setdiff1d(order, chosen)
    rest = rest[np.argsort(-utility[rest], kind="stable")]
    picks = np.linspace(0, len(rest) - 1, most - len(chosen)).astype(int)
    return np.sort(np.concatenate([chosen, rest[np.unique(picks)]]))
