"""Evaluation of a molecular source on held-out molecules."""

import pathlib
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from reprogram.molecules import properties
from reprogram.molecules.featurizers import DESCRIPTOR_NAMES
from reprogram.molecules.featurizers import descriptors
from reprogram.molecules.similarity import paired_tanimoto
from reprogram.molecules.smiles import parse
from reprogram.molecules.smiles import read
from reprogram.parallel import map_chunks
from reprogram.sources.molecular import files
from reprogram.sources.molecular.source import MolecularSource
from reprogram.sources.pretraining import corpus

SAMPLE = 100
NOISE = (0.1, 0.25, 0.5, 0.7, 1.0)
ATTEMPTS = 20
PROPERTIES: dict[str, Callable[[Chem.Mol], float]] = {
    "qed": properties.qed,
    "logp": properties.logp,
    "sa": properties.synthetic_accessibility,
    "weight": properties.weight,
}


def standard(smiles: Sequence[str]) -> list[str | None]:
    """Standardizes molecules on all cores; `None` for invalid ones."""
    return [s for part, _ in map_chunks(read, smiles) for s in part]


def description(source: MolecularSource, smiles: Sequence[str]) -> dict:
    """Compares the descriptors that a source estimates with RDKit's.

    Args:
        source: Molecular source to evaluate.
        smiles: Standardized SMILES strings that the source can read.

    Returns:
        `r2` of every descriptor, of values clipped as the training values
        were, `None` where it does not vary; and `median_r2`.
    """
    from sklearn.metrics import r2_score

    answers = source.describe(smiles)
    answers = (answers - source.scale["mean"]) / source.scale["std"]
    table = descriptors(smiles, jobs=-1)
    defined = np.isfinite(table[:, source.scale["columns"]])
    expected = corpus.scaled(table, source.scale)
    r2: dict[str, float | None] = {
        DESCRIPTOR_NAMES[c]: None for c in source.scale["columns"]
    }
    for k, name in enumerate(r2):
        target = expected[defined[:, k], k]
        if len(target) > 1 and np.ptp(target) > 0:
            found = answers[defined[:, k], k]
            r2[name] = round(float(r2_score(target, found)), 4)
    values = [value for value in r2.values() if value is not None]
    median = round(float(np.median(values)), 4) if values else None
    return {"median_r2": median, "r2": r2}


def reconstruction(
    source: MolecularSource, smiles: Sequence[str], unread: int = 0
) -> dict[str, float]:
    """Encodes and decodes molecules and compares.

    Args:
        source: Molecular source to evaluate.
        smiles: Standardized SMILES strings that the source can read.
        unread: Number of molecules that it cannot read, counted as failures.

    Returns:
        `exact`: share of the same canonical SMILES; `characters`: share of
        equal characters at equal places of the longer string; `tanimoto`:
        mean similarity of ECFP4 bits, 0 where the result is not valid;
        `kl`: mean divergence of the posterior from the standard normal, in
        nats.
    """
    latents = source.encode(smiles)
    written = source.write(latents)
    decoded = source.decode(latents)
    total = len(smiles) + unread
    same = [
        sum(a == b for a, b in zip(row, other)) / max(len(row), len(other), 1)
        for row, other in zip(smiles, written)
    ]
    exact = [row == other for row, other in zip(smiles, decoded)]
    alike = paired_tanimoto(smiles, decoded)
    return {
        "exact": round(sum(exact) / total, 4),
        "characters": round(sum(same) / total, 4),
        "tanimoto": round(float(np.nansum(alike)) / total, 4),
        "kl": round(float(source.divergence(smiles).mean()), 1),
    }


def prior(
    source: MolecularSource,
    reference: Sequence[str],
    count: int = 10_000,
    seed: int = 0,
) -> dict[str, float]:
    """Decodes latents drawn from the prior.

    Args:
        source: Molecular source to evaluate.
        reference: Standardized SMILES strings, such as the training set.
        count: Number of latents to draw.
        seed: Seed of the draws.

    Returns:
        `validity` of the first strings, and `validity_redrawn` where one is
        drawn up to 20 times until it is valid; `uniqueness` and `novelty`
        of the latter; `language_validity` of strings that the language model
        draws; and the Wasserstein distance of each of `PROPERTIES` to as
        many molecules of the reference.
    """
    from scipy.stats import wasserstein_distance

    free = source.generate(count, 0.8, seed)
    latents = source.sample_latents(count, seed=seed)
    first = source.decode(latents)
    redrawn = source.decode(latents, attempts=ATTEMPTS, seed=seed)
    valid = [row for row in redrawn if row]
    known = set(reference)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(reference), min(count, len(reference)), False)
    found: dict[str, float | np.floating] = {
        "samples": count,
        "validity": np.mean([row is not None for row in first]),
        "validity_redrawn": len(valid) / count,
        "uniqueness": len(set(valid)) / max(len(valid), 1),
        "novelty": np.mean([row not in known for row in set(valid)]),
        "language_validity": np.mean([row is not None for row in free]),
    }
    mine = [parse(row) for row in valid]
    theirs = [parse(reference[i]) for i in chosen]
    for name, value in PROPERTIES.items():
        distance = wasserstein_distance(
            *([value(m) for m in molecules] for molecules in (mine, theirs))
        )
        found[f"wasserstein_{name}"] = distance
    return {key: round(float(value), 4) for key, value in found.items()}


def neighborhoods(
    source: MolecularSource,
    smiles: Sequence[str],
    scales: Sequence[float] = NOISE,
    seed: int = 0,
) -> list[dict[str, float]]:
    """Decodes latents of molecules with noise added.

    Args:
        source: Molecular source to evaluate.
        smiles: Standardized SMILES strings that the source can read.
        scales: Standard deviations of the noise; that of the prior is 1.
        seed: Seed of the noise.

    Returns:
        For each scale: `validity` of the first strings, and
        `validity_redrawn`, see `prior`; of the latter `tanimoto`, the mean
        similarity of the valid ones to their origin, and `new_and_similar`,
        the share of all that are other molecules of similarity 0.4 or more.
    """
    rng = np.random.default_rng(seed)
    latents, rows = source.encode(smiles), []
    for scale in scales:
        noise = scale * rng.normal(size=latents.shape)
        first = source.decode(latents + noise)
        decoded = source.decode(latents + noise, attempts=ATTEMPTS, seed=seed)
        alike = paired_tanimoto(smiles, decoded)
        other = np.array([a != b for a, b in zip(smiles, decoded)])
        found = {
            "scale": scale,
            "validity": np.mean([row is not None for row in first]),
            "validity_redrawn": np.mean(np.isfinite(alike)),
            "tanimoto": np.nanmean(alike),
            "new_and_similar": np.mean(other & (alike >= 0.4)),
        }
        rows.append({k: round(float(v), 4) for k, v in found.items()})
    return rows


def measure(folder: pathlib.Path, smiles: Sequence[str]) -> dict:
    """Evaluates the float16 weights of a folder, in float32.

    Args:
        folder: Path of the folder that `files.save` wrote.
        smiles: Held-out SMILES strings.

    Returns:
        `test`: see `evaluate`; `sample`: the same of the first 100 strings,
        with the strings, so that anyone can check it.

    Raises:
        ValueError: If none of the molecules can be read.
    """
    source = files.load(folder, "pretrained")
    sample = list(smiles[:SAMPLE])
    return {
        "test": evaluate(source, smiles),
        "sample": evaluate(source, sample) | {"smiles": sample},
    }


def evaluate(source: MolecularSource, smiles: Sequence[str]) -> dict:
    """Measures description and reconstruction.

    Args:
        source: Molecular source to evaluate.
        smiles: SMILES strings.

    Returns:
        `molecules` and `unread`: how many were used, and how many are no
        molecules or cannot be read; what `description` returns, and what
        `reconstruction` returns.

    Raises:
        ValueError: If none of the molecules can be read.
    """
    rows = standard(smiles)
    limit = source.longest
    known = [s for s in rows if s and not source.tokenizer.explain(s, limit)]
    if not known:
        raise ValueError(
            f"The model reads none of the {len(rows)} molecules to measure"
            " it on. Give a file of molecules made of the tokens"
            f" {' '.join(source.tokenizer.vocabulary)}."
        )
    unread = len(rows) - len(known)
    return {
        "molecules": len(known),
        "unread": unread,
        **description(source, known),
        **reconstruction(source, known, unread),
    }
