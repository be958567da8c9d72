"""Objectives: properties to raise, to lower and to keep within bounds."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

PENALTY = 10.0  # deviations of the objective for one of a bound


@dataclasses.dataclass(frozen=True)
class Objective:
    """Properties to raise, to lower and to keep within bounds.

    Args:
        maximise: Names of properties to raise, as in `oracles.get`.
        minimise: Names of properties to lower.
        at_least: Lower bounds by property; for one of `maximise` it is the
            value that is enough.
        at_most: Upper bounds by property.
        similarity: Least Tanimoto similarity to the start, ECFP4.
        counts: Whether the similarity uses counts, which repeating a group
            cannot game, instead of 2,048 bits.
        max_heavy_atoms: Largest number of heavy atoms, at least that of the
            start; 0 for no limit.
        alerts: Whether PAINS and Brenk alerts that the start does not have
            are allowed.
        plausible: Whether strained and reactive groups that the start does
            not have are ruled out, see `constraints.IMPLAUSIBLE`.

    Raises:
        ValueError: If nothing is wanted, or bounds contradict each other.

    Example:
    >>> wanted = Objective(maximise=["qed"], at_least={"qed": 0.9})
    >>> wanted.properties
    ('qed',)
    >>> wanted.describe()
    'Wanted: raise qed, qed at least 0.9, at most 38 heavy atoms.'
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

    def __post_init__(self) -> None:
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
        """All properties that must be evaluated, without repeats."""
        names = (*self.maximise, *self.minimise, *self.at_least, *self.at_most)
        return tuple(dict.fromkeys(names))

    @property
    def enough(self) -> bool:
        """Whether bounds say when every property is good enough."""
        return set(self.maximise) <= set(self.at_least) and set(
            self.minimise
        ) <= set(self.at_most)

    def describe(self) -> str:
        """Says what is wanted in a sentence."""
        parts = [f"raise {name}" for name in self.maximise]
        parts += [f"lower {name}" for name in self.minimise]
        parts += [f"{n} at least {v:g}" for n, v in self.at_least.items()]
        parts += [f"{n} at most {v:g}" for n, v in self.at_most.items()]
        if self.similarity:
            kind = "counts" if self.counts else "bits"
            text = f"similarity to the start at least {self.similarity:g}"
            parts.append(f"{text} (ECFP4 {kind})")
        if self.max_heavy_atoms:
            parts.append(f"at most {self.max_heavy_atoms} heavy atoms")
        return f"Wanted: {', '.join(parts)}."

    def shortfall(
        self, values: np.ndarray, scale: np.ndarray | None = None
    ) -> np.ndarray:
        """Adds up how far the bounds are missed.

        Args:
            values: Property values `(molecules, properties)`; NaN misses every
                bound.
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
        """Returns the values to maximize, `(molecules, objectives)`."""
        columns = [self.properties.index(n) for n in self.maximise]
        lowered = [self.properties.index(n) for n in self.minimise]
        return np.concatenate([values[:, columns], -values[:, lowered]], axis=1)

    def utility(
        self, values: np.ndarray, weights: np.ndarray | None = None
    ) -> np.ndarray:
        """Makes one number of all properties, for a search to raise.

        Args:
            values: Property values `(molecules, properties)` of all molecules
                so far, which give the units if there are several properties.
            weights: Weights of the objectives `(objectives,)`, by default
                equal.

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


def bounds(
    texts: Sequence[str], properties: Sequence[str], name: str = "A bound"
) -> dict[str, float]:
    """Reads bounds that are written as `property:value`.

    Args:
        texts: Bounds as text; a value alone is for the only property.
        properties: Names of the properties to raise or to lower.
        name: Name of the bounds in error messages.

    Returns:
        The bounds by property.

    Raises:
        ValueError: If a bound has no number, names no property where there
            are several, or comes twice.

    Example:
    >>> bounds(["0.9", "sa:4"], ["qed"])
    {'qed': 0.9, 'sa': 4.0}
    """
    limits: dict[str, float] = {}
    for text in texts:
        key, _, value = text.rpartition(":")
        if not key and len(properties) != 1:
            raise ValueError(
                f"{name}={text} must say which property: {name}=qed:0.9"
            )
        key = key or properties[0]
        try:
            limit = float(value)
        except ValueError:
            limit = np.nan
        if not np.isfinite(limit) or key in limits:
            raise ValueError(
                f"{name} must be property:value with a number, once a"
                f" property. Received: {text}"
            )
        limits[key] = limit
    return limits


def front(values: np.ndarray) -> np.ndarray:
    """Finds the Pareto front.

    Args:
        values: Values to maximize `(molecules, objectives)`.

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
