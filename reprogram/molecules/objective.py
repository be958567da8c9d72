"""What is wanted of a molecule."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit import DataStructs
from rdkit.Chem import rdFingerprintGenerator

from reprogram.molecules.smiles import parse

MORGAN = rdFingerprintGenerator.GetMorganGenerator(2, fpSize=2048)
# What chemists would strike out at once: strained or reactive.
IMPLAUSIBLE = tuple(
    (name, Chem.MolFromSmarts(smarts))
    for name, smarts in {
        "small aromatic ring": "[a;r3,r4]",
        "small ring at an aromatic one": "[a]@[r3]@[a]",
        "small ring with a double bond": "[r3]=[r3]",
        "triple bond in a ring": "[R]#[R]",
        "cumulated double bonds": "[#6]=[#6]=*",
        "three fused small rings": "[r3,r4;R3]",
        "two fused triangles": "[r3;R2]@[r3;R2]@[r3]",
        "peroxide": "[#8;!a]-[#8;!a]",
        "halogen on a heteroatom": "[#7,#8,#16X2,#15]-[F,Cl,Br,I]",
        "chain of three heteroatoms": "[N,O,SX2;!a]-[N,O,SX2;!a]-[N,O,SX2;!a]",
        "sulfenyl oxygen or nitrogen": "[#16X2;!a]-[#7,#8;!a]",
        "acyl halide": "[CX3](=O)[F,Cl,Br,I]",
        "heteroatoms and a halogen on one carbon": (
            "[CX4]([N,O,S;!$(*=*)])[Cl,Br,I]"
        ),
        "two hydroxyls or amines on one carbon": (
            "[CX4;!$(C(F)F)]([OX2H,NX3H2])[OX2H,NX3H2]"
        ),
        "radical or carbene": "[#6;v0,v1,v2,v3;+0]",
        "ring of nine or more": "[R;!r3;!r4;!r5;!r6;!r7;!r8]",
    }.items()
)
PENALTY = 10.0  # deviations of the objective for one of a bound


@dataclasses.dataclass(frozen=True)
class Objective:
    """Properties to raise, to lower and to keep within bounds.

    Args:
        maximise: Properties to raise, names that `oracles.get` takes.
        minimise: Properties to lower.
        at_least: Lower bounds by property; it may be one of `maximise`, and
            is then the value that is enough.
        at_most: Upper bounds by property.
        similarity: Least Tanimoto similarity to the start, ECFP4.
        counts: Whether the similarity is of counts, which one cannot game
            by repeating a group, instead of 2,048 bits.
        max_heavy_atoms: Largest molecule; a start that is larger raises it to
            its own size; 0 for no limit.
        alerts: Whether PAINS and Brenk alerts that the start does not have
            are allowed.
        plausible: Whether strained and reactive groups that the start does
            not have are ruled out, see `IMPLAUSIBLE`.

    Raises:
        ValueError: If nothing is wanted, or bounds contradict each other.

    Example:

    >>> wanted = Objective(maximise=["qed"], at_least={"qed": 0.9})
    >>> wanted.properties
    ('qed',)
    >>> wanted.shortfall(np.array([[0.8], [0.95]])).round(2).tolist()
    [0.1, 0.0]
    """

    maximise: Sequence[str] = ()
    minimise: Sequence[str] = ()
    at_least: Mapping[str, float] = dataclasses.field(default_factory=dict)
    at_most: Mapping[str, float] = dataclasses.field(default_factory=dict)
    similarity: float = 0.0
    counts: bool = False
    max_heavy_atoms: int = 38
    alerts: bool = True
    plausible: bool = True

    def __post_init__(self):
        for name in ("maximise", "minimise"):
            value = getattr(self, name)
            value = (value,) if isinstance(value, str) else tuple(value)
            object.__setattr__(self, name, value)
        if not self.properties:
            raise ValueError(
                "Nothing is wanted. Give `maximise`, `minimise`, `at_least` or"
                " `at_most`."
            )
        both = set(self.maximise) & set(self.minimise)
        if both:
            raise ValueError(
                f"{sorted(both)} cannot be raised and lowered at once."
            )
        for name in set(self.at_least) & set(self.at_most):
            if self.at_least[name] > self.at_most[name]:
                raise ValueError(
                    f"{name} cannot be at least {self.at_least[name]} and at"
                    f" most {self.at_most[name]}."
                )
        if not 0 <= self.similarity <= 1:
            raise ValueError(
                "`similarity` must be from 0 to 1. Received:"
                f" {self.similarity}."
            )

    @property
    def properties(self) -> tuple[str, ...]:
        """All properties that must be asked, without repeats."""
        names = (*self.maximise, *self.minimise, *self.at_least, *self.at_most)
        return tuple(dict.fromkeys(names))

    @property
    def enough(self) -> bool:
        """Whether bounds say when every property is good enough."""
        return set(self.maximise) <= set(self.at_least) and set(
            self.minimise
        ) <= set(self.at_most)

    def shortfall(
        self, values: np.ndarray, scale: np.ndarray | None = None
    ) -> np.ndarray:
        """Adds up how far the bounds are missed.

        Args:
            values: `(molecules, properties)`; NaN misses every bound.
            scale: Unit of each property `(properties,)`, by default 1.

        Returns:
            Sums `(molecules,)`, 0 where all bounds are kept.
        """
        scale = np.ones(len(self.properties)) if scale is None else scale
        total = np.zeros(len(values))
        for bounds, sign in ((self.at_least, 1), (self.at_most, -1)):
            for name, bound in bounds.items():
                column = self.properties.index(name)
                missed = sign * (bound - values[:, column]) / scale[column]
                total += np.maximum(missed, 0)
        return np.where(np.isnan(values).any(axis=1), np.inf, total)

    def directions(self, values: np.ndarray) -> np.ndarray:
        """Returns what shall grow, `(molecules, objectives)`."""
        columns = [self.properties.index(n) for n in self.maximise]
        lowered = [self.properties.index(n) for n in self.minimise]
        return np.concatenate([values[:, columns], -values[:, lowered]], axis=1)

    def utility(
        self, values: np.ndarray, weights: np.ndarray | None = None
    ) -> np.ndarray:
        """Makes one number of all properties, for a search to raise.

        Args:
            values: `(molecules, properties)`, of all molecules so far, which
                give the units if there are several properties.
            weights: Of the objectives `(objectives,)`, by default equal.

        Returns:
            Values `(molecules,)`; -infinity where a property is NaN.
        """
        with np.errstate(invalid="ignore"):
            known = values[~np.isnan(values).any(axis=1)]
        if not len(known):
            return np.full(len(values), -np.inf)
        several = len(self.properties) > 1
        scale = known.std(axis=0) + 1e-6 if several else np.ones(1)
        wanted = self.directions(values / scale)
        if weights is None:
            weights = np.ones(wanted.shape[1])
        else:
            # Chebyshev distances reach every corner of a Pareto front.
            top = self.directions(known / scale).max(axis=0)
            worst = (weights * (top - wanted)).max(axis=1, initial=0)
            wanted = 0.05 * wanted - worst[:, None] / len(weights)
            weights = np.ones(len(weights))
        penalty = self._penalty(values, scale)
        total = wanted @ weights - penalty
        return np.where(np.isnan(total), -np.inf, total)

    def _penalty(self, values: np.ndarray, scale: np.ndarray) -> np.ndarray:
        if len(self.properties) == 1 and (self.maximise or self.minimise):
            return np.zeros(len(values))
        factor = PENALTY if self.maximise or self.minimise else 1.0
        missed = self.shortfall(np.nan_to_num(values, nan=0.0), scale)
        return factor * missed


def front(values: np.ndarray) -> np.ndarray:
    """Finds the Pareto front.

    Args:
        values: What shall grow, `(molecules, objectives)`.

    Returns:
        Whether no other molecule is better in one objective and not worse in
        any, `(molecules,)`.

    Example:

    >>> front(np.array([[1, 0], [0, 1], [0, 0]])).tolist()
    [True, True, False]
    """
    values = np.asarray(values)
    return np.array(
        [
            not ((values >= row).all(axis=1) & (values > row).any(axis=1)).any()
            for row in values
        ]
    )


class Frame:
    """What an objective allows near one start, by the drawing alone.

    Args:
        objective: What is wanted.
        start: Canonical SMILES, or `None` if there is none.
    """

    def __init__(self, objective: Objective, start: str | None):
        self.objective, self.start = objective, start
        self.limit = objective.max_heavy_atoms or 10**6
        self.fingerprint, self.known = None, frozenset()
        self.patterns = IMPLAUSIBLE if objective.plausible else ()
        if start:
            molecule = Chem.MolFromSmiles(start)
            self.limit = max(self.limit, molecule.GetNumHeavyAtoms())
            self.fingerprint = self._describe(molecule)
            self.known = _alerts(molecule) if not objective.alerts else ()
            self.patterns = tuple(
                (name, pattern)
                for name, pattern in self.patterns
                if not molecule.HasSubstructMatch(pattern)
            )

    def similarity(self, molecule: Chem.Mol) -> float:
        """Tanimoto similarity to the start; 1 without a start."""
        if self.fingerprint is None:
            return 1.0
        return DataStructs.TanimotoSimilarity(
            self.fingerprint, self._describe(molecule)
        )

    def allows(self, molecule: Chem.Mol, slack: float = 0.0) -> bool:
        """Says whether a molecule may be asked.

        Args:
            molecule: Sanitized.
            slack: How much similarity may be missing.
        """
        objective = self.objective
        if molecule.GetNumHeavyAtoms() > self.limit:
            return False
        if objective.similarity and self.fingerprint is not None:
            # A sum of rounding errors must not lose a limit that is met.
            least = objective.similarity - slack - 1e-12
            if self.similarity(molecule) < least:
                return False
        if any(molecule.HasSubstructMatch(p) for _, p in self.patterns):
            return False
        return objective.alerts or _alerts(molecule) <= set(self.known)

    def _describe(self, molecule: Chem.Mol) -> Any:
        if self.objective.counts:
            return MORGAN.GetSparseCountFingerprint(molecule)
        return MORGAN.GetFingerprint(molecule)


def _alerts(molecule: Chem.Mol) -> set[str]:
    matches = _catalog().GetMatches(molecule)
    return {match.GetDescription() for match in matches}


def _catalog() -> Any:
    if not _CATALOG:
        from rdkit.Chem import FilterCatalog

        kinds = FilterCatalog.FilterCatalogParams.FilterCatalogs
        parameters = FilterCatalog.FilterCatalogParams()
        parameters.AddCatalog(kinds.PAINS)
        parameters.AddCatalog(kinds.BRENK)
        _CATALOG.append(FilterCatalog.FilterCatalog(parameters))
    return _CATALOG[0]


_CATALOG: list = []


def plain(smiles: str, stereo: bool = False) -> str:
    """Writes a molecule as the searches do: canonical, without stereo.

    Args:
        smiles: A SMILES string.
        stereo: Whether to keep stereochemistry.

    Returns:
        Canonical SMILES.

    Raises:
        ValueError: If it is not one connected molecule.
    """
    molecule = parse(smiles)
    if "." in smiles:
        raise ValueError(
            f"{smiles!r} has several parts. Start from one of them, such as"
            " molecules.standardize gives."
        )
    if not stereo:
        Chem.RemoveStereochemistry(molecule)
        molecule = Chem.MolFromSmiles(Chem.MolToSmiles(molecule))
    return Chem.MolToSmiles(molecule)
