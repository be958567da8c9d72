"""The default search: proposals of all kinds, ranked by a surrogate."""

import dataclasses
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from scipy import stats

from reprogram.optimization.search.archive import Archive
from reprogram.optimization.search.islands import Islands
from reprogram.optimization.search.islands import apart
from reprogram.optimization.search.islands import lessons
from reprogram.optimization.search.proposers import PROPOSERS
from reprogram.optimization.search.proposers import Proposer
from reprogram.optimization.search.surrogate import Surrogate
from reprogram.optimization.search.surrogate import features

PRIOR = {"edits": 0.85}  # of the first proposals; 0.15 for all others
NEAR = {"rings": 0.05}  # instead, where a start must stay near
FIRST = 20  # molecules that are never forgotten without a start
LEAST = 4  # calls before the surrogate is asked


@dataclasses.dataclass
class Evolution:
    """Evolves molecules on a surrogate and asks for the most promising.

    Each round fits a Gaussian process to the calls so far, evolves a
    population on its expected improvement (or, where bounds say what is
    enough, its probability to reach them) for some generations that cost no
    call, and asks for the best of them. How often each proposer is used
    follows how often its molecules were asked for and were good.

    Args:
        proposers: Proposers by name, as in `proposers.PROPOSERS`.
        generations: Number of generations of the population a round.
        children: Number of new molecules a generation.
        keep: Size of the population.
        growth: Largest size of a round, as a share of the calls so far.
        largest: Largest number of molecules in a round.
        slack: Similarity by which the population may miss the bound.
        patience: Number of calls without a better molecule after which the
            search restarts: from the start where bounds say what is enough,
            otherwise on another island, see `Islands`.
        ranked: Whether the surrogate ranks; if not, this is a plain genetic
            algorithm.
        most: Number of molecules that the surrogate learns from.

    Example:
    >>> from reprogram.optimization.objective import Objective
    >>> archive = Archive(Objective(maximise="qed"), "CCO")
    >>> archive.add(["CCO"], np.array([[0.4]]))
    >>> len(Evolution()([archive], [4])[0])
    4

    Reference: Jensen, A graph-based genetic algorithm, 2019; Tripp et al., A
    fresh look at de novo molecular design benchmarks, 2021.
    """

    proposers: dict[str, Proposer] = dataclasses.field(
        default_factory=lambda: dict(PROPOSERS)
    )
    generations: int = 4
    children: int = 100
    keep: int = 40
    growth: float = 0.05
    largest: int = 100
    slack: float = 0.1
    patience: int = 150
    ranked: bool = True
    most: int = 400

    def __call__(
        self, archives: Sequence[Archive], counts: Sequence[int]
    ) -> list[list[str]]:
        """Proposes up to `counts` molecules for each archive."""
        return [self._one(*pair) for pair in zip(archives, counts)]

    def _one(self, archive: Archive, count: int) -> list[str]:
        weights = self._weights(archive)
        utility = archive.utility(weights)
        mine, share = utility, int(self.growth * len(archive))
        islands = None
        if archive.objective.enough:
            mine = utility = self._forget(archive, utility)
        elif self._roams(archive) and weights is None:
            islands = archive.memory.setdefault(
                "islands", Islands(self.patience)
            )
            mine = np.where(islands.mask(archive, utility), utility, -np.inf)
            share = islands.batch(len(archive), self.growth)
        order = np.argsort(-mine, kind="stable")
        # Where nothing is known yet, all may have children.
        order = (
            order[np.isfinite(mine[order])] if mine.max() > -np.inf else order
        )
        if islands:
            order = islands.turns(order)
        count = min(count, self.largest, max(LEAST, share))
        elite = [archive.molecules[i] for i in order[: self.keep]]
        judge = self._judge(archive, utility, mine)
        population, seen = elite, dict[str, tuple]()
        for _ in range(self.generations if judge else 1):
            new = self._children(archive, population, seen, count)
            if not new:
                break
            molecules = [child[0] for child in new.values()]
            merits = judge(molecules) if judge else archive.rng.random(len(new))
            seen |= {
                row: (*child, merit)
                for (row, child), merit in zip(new.items(), merits)
            }
            ranked = sorted(seen.values(), key=lambda child: -child[-1])
            population = [child[0] for child in ranked[: self.keep]]
            population += elite[:10]
        return self._asked(archive, seen, count)

    def _roams(self, archive: Archive) -> bool:
        """Whether neither a start nor a goal keeps the search in one place."""
        free = archive.start is None and not archive.objective.enough
        return free and self.ranked

    def _forget(self, archive: Archive, utility: np.ndarray) -> np.ndarray:
        """Begins again from the start where nothing better has come for long.

        What was asked before is then as if it were not known, but never
        asked again.
        """
        since = archive.memory.setdefault("since", 0)
        best = since + int(np.argmax(utility[since:]))
        if len(utility) - best > self.patience:
            archive.memory["since"] = since = len(utility)
            archive.memory.pop("surrogate", None)
        kept = np.arange(len(utility)) >= since
        kept[: 1 if archive.start else FIRST] = True
        return np.where(kept, utility, -np.inf)

    def _weights(self, archive: Archive) -> np.ndarray | None:
        objective = archive.objective
        several = len(objective.maximise) + len(objective.minimise)
        if several < 2:
            return None
        return archive.rng.dirichlet(np.ones(several))

    def _judge(
        self, archive: Archive, utility: np.ndarray, mine: np.ndarray
    ) -> Callable[[Sequence[Chem.Mol]], np.ndarray] | None:
        known = np.flatnonzero(np.isfinite(utility))
        if not self.ranked or len(known) < LEAST:
            return None
        model = archive.memory.setdefault("surrogate", Surrogate(self.most))
        if self._roams(archive):
            known = lessons(utility, np.isfinite(mine), self.most)
        inputs = tuple(part[known] for part in archive.features())
        goal, targets = _goal(archive), utility[known]
        best = max(mine.max(), targets.min())
        if self._roams(archive) and archive.rng.random() < 0.5:
            # Ranks tell values apart that are all close to zero.
            targets = stats.norm.ppf(
                (stats.rankdata(targets) - 0.5) / len(targets)
            )
            best = targets[np.argmin(np.abs(utility[known] - best))]
        model.fit(inputs, targets)

        def merit(molecules: Sequence[Chem.Mol]) -> np.ndarray:
            mean, deviation = model.predict(features(molecules))
            if goal is not None:
                return stats.norm.logsf((goal - mean) / deviation)
            z = (mean - best) / deviation
            # The logarithm of the expected improvement, safe far below.
            gain = stats.norm.pdf(z) + z * stats.norm.cdf(z)
            far = stats.norm.logpdf(z) - 2 * np.log(np.maximum(-z, 1))
            log = np.where(z > -5, np.log(np.maximum(gain, 1e-300)), far)
            return np.log(deviation) + log

        return merit

    def _children(
        self, archive: Archive, population: list, seen: dict, count: int
    ) -> dict[str, tuple[Chem.Mol, str, str]]:
        wanted = max(self.children, count)
        found: dict[str, tuple[Chem.Mol, str, str]] = {}
        parents = [Chem.MolToSmiles(molecule) for molecule in population]
        names = list(self.proposers)
        for _ in range(3):
            shares = self._shares(archive, names)
            numbers = archive.rng.multinomial(wanted, shares)
            for name, number in zip(names, numbers):
                if not number:
                    continue
                made = self.proposers[name](population, number, archive.rng)
                for row, place in made:
                    if row in found or row in seen or row in archive.rows:
                        continue
                    molecule = Chem.MolFromSmiles(row)
                    if molecule and archive.frame.allows(molecule, self.slack):
                        found[row] = (molecule, parents[place], name)
            if len(found) >= wanted / 2:
                break
        return found

    def _shares(self, archive: Archive, names: list[str]) -> np.ndarray:
        """How often each proposer is used: as often as it was good so far."""
        good = dict.fromkeys(names, 1.0)
        tried = dict.fromkeys(names, 2.0)
        if len(archive):
            utility = archive.utility()
            line = np.quantile(utility, 0.8)
            for row, name in archive.proposers.items():
                if name in tried and row in archive.rows:
                    tried[name] += 1
                    good[name] += utility[archive.rows[row]] >= line
        rates = np.array([good[n] / tried[n] for n in names])
        rates = np.maximum(rates, 0.3 * rates.max())
        prior = PRIOR | (NEAR if archive.start else {})
        rates *= [prior.get(name, 0.15) for name in names]
        return rates / rates.sum()

    def _asked(self, archive: Archive, seen: dict, count: int) -> list[str]:
        rows = [
            (merit, row, parent, name)
            for row, (molecule, parent, name, merit) in seen.items()
            if archive.frame.allows(molecule)
        ]
        rows.sort(key=lambda found: -found[0])
        # Ancestors that were never asked still show the way. The first parent
        # stays, as a later one may be a descendant.
        for row, (_, parent, _, _) in seen.items():
            archive.parents.setdefault(row, parent)
        if self._roams(archive):
            rows = apart(rows, [seen[r[1]][0] for r in rows], count)
        for _, row, _, name in rows[:count]:
            archive.proposers[row] = name
        return [row for _, row, _, _ in rows[:count]]


def _goal(archive: Archive) -> float | None:
    """The utility that is enough, where there is one objective with a bound."""
    objective = archive.objective
    if not objective.enough or len(objective.properties) > 1:
        return None
    name = objective.properties[0]
    if objective.maximise:
        return objective.at_least[name]
    if objective.minimise:
        return -objective.at_most[name]
    return 0.0
