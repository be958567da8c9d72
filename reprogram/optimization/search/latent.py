"""Searches in the latent of a source: CMA-ES and a Gaussian process."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats
from sklearn.gaussian_process.kernels import Matern

from reprogram.molecules.smiles import read
from reprogram.optimization.search.archive import Archive
from reprogram.predictors.gaussian_process import Posterior

NOISE = 0.05  # variance of a judgement, in a scale where all have variance 1


def origin(archive: Archive, source: Any) -> np.ndarray:
    """Returns the latent of a start, or one of the prior without a start.

    Args:
        archive: Archive of one search.
        source: A molecular source with a latent.

    Returns:
        A latent `(latent_size,)`.

    Raises:
        ValueError: If the source cannot read the start.
    """
    if archive.start is None:
        return source.sample_latents(1, seed=archive.seed)[0]
    latent = source.encode(read([archive.start])[0])[0]
    if np.isnan(latent).any():
        raise ValueError(
            f"The source cannot read the start {archive.start!r}. Search by"
            " edits, which can: --search=evolution --source=none."
        )
    return latent


def merit(archive: Archive, written: Sequence[str | None]) -> np.ndarray:
    """Judges written molecules; what is not one is the worst so far."""
    utility = archive.utility()
    known = utility[np.isfinite(utility)]
    worst = known.min() - known.std() - 1e-3 if len(known) else 0.0
    spread = known.std() + 1e-3 if len(known) else 1.0
    merits = np.full(len(written), worst)
    for i, row in enumerate(written):
        place = archive.rows.get(row or "")
        if place is not None:
            value = utility[place] if np.isfinite(utility[place]) else worst
            similar = archive.frame.similarity(archive.molecules[place])
            missed = max(archive.objective.similarity - similar, 0.0)
            merits[i] = value - 10 * spread * missed
    return merits


class LatentEvolution:
    """CMA-ES in the latent, with a diagonal covariance.

    Args:
        source: A molecular source with a latent.
        deviation: Standard deviation of the first population.
        population: Number of latents a generation.

    Raises:
        ImportError: If the package cma is not installed.

    Reference: Hansen, The CMA evolution strategy: a tutorial, 2016.
    """

    def __init__(
        self, source: Any, deviation: float = 0.4, population: int = 20
    ):
        try:
            import cma
        except ImportError as error:
            raise ImportError(
                "CMA-ES needs the package cma: pip install reprogram[search]"
            ) from error
        self.source, self.deviation = source, deviation
        self.population, self._make = population, cma.CMAEvolutionStrategy

    def __call__(
        self, archives: Sequence[Archive], counts: Sequence[int]
    ) -> list[list[str]]:
        """Proposes a generation for every start."""
        for archive in archives:
            if "pending" in archive.memory:
                latents, written = archive.memory["pending"]
                strategy = archive.memory["strategy"]
                strategy.tell(latents, list(-merit(archive, written)))
            else:
                archive.memory["strategy"] = self._make(
                    origin(archive, self.source).astype("float64"),
                    self.deviation,
                    {
                        "seed": archive.seed + 1,
                        "verbose": -9,
                        "CMA_diagonal": True,
                        "popsize": self.population,
                    },
                )
        asked = [a.memory["strategy"].ask() for a in archives]
        written = self.source.decode(np.concatenate(asked))
        molecules = []
        for archive, latents in zip(archives, asked, strict=True):
            rows, written = written[: len(latents)], written[len(latents) :]
            archive.memory["pending"] = latents, rows
            molecules.append([row for row in rows if row])
        return molecules


class LatentBayes:
    """Bayesian optimization in the latent, within a box around the best.

    A Gaussian process with a Matern kernel learns from all decoded latents;
    of the noisy neighbors of the best one those of the highest expected
    improvement are decoded.

    Args:
        source: A molecular source with a latent.
        deviation: Standard deviation of the neighbors, which is multiplied
            by 0.3 to 1.5 for each of them.
        batch: Number of molecules a round.
        candidates: Number of neighbors that are compared.

    Reference: Eriksson et al., Scalable global optimization via local
    Bayesian optimization, 2019.
    """

    def __init__(
        self,
        source: Any,
        deviation: float = 0.4,
        batch: int = 10,
        candidates: int = 500,
    ):
        self.source, self.deviation = source, deviation
        self.batch, self.candidates = batch, candidates

    def __call__(
        self, archives: Sequence[Archive], counts: Sequence[int]
    ) -> list[list[str]]:
        """Proposes the next molecules."""
        return [self._one(archive) for archive in archives]

    def _one(self, archive: Archive) -> list[str]:
        if "tried" not in archive.memory:
            first = origin(archive, self.source)
            archive.memory["tried"] = [(first, archive.start)]
        tried = archive.memory["tried"]
        latents = np.array([latent for latent, _ in tried])
        values = merit(archive, [row for _, row in tried])
        center = latents[int(np.argmax(values))]
        shape = self.candidates, len(center)
        wide = self.deviation * archive.rng.uniform(0.3, 1.5, (shape[0], 1))
        near = center + wide * archive.rng.normal(size=shape)
        if len(tried) > self.batch:
            near = near[np.argsort(-_improvement(latents, values, near))]
        chosen = near[: self.batch].astype("float32")
        written = self.source.decode(chosen)
        tried += zip(chosen, written)
        return [row for row in written if row]


def _improvement(
    latents: np.ndarray, values: np.ndarray, near: np.ndarray, most: int = 300
) -> np.ndarray:
    """The expected improvement over the best value, at each neighbor."""
    keep = np.union1d(
        np.argsort(-values)[: most // 2], np.arange(len(values))[-most // 2 :]
    )
    latents, values = latents[keep].astype("float64"), values[keep]
    scaled = (values - values.mean()) / (values.std() + 1e-9)
    width = np.sqrt(latents.shape[1]) * max(latents.std(axis=0).mean(), 0.1)
    kernel = Matern(width, nu=2.5)
    process = Posterior(kernel(latents) + NOISE * np.eye(len(latents)), scaled)
    cross = kernel(near, latents)
    variance = process.variance(cross, np.ones(len(near))) + NOISE
    deviation = np.sqrt(variance)
    z = (process.mean(cross) - scaled.max()) / deviation
    return deviation * (stats.norm.pdf(z) + z * stats.norm.cdf(z))
