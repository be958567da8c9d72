"""Proposers of new molecules: a row in `PROPOSERS` each.

A proposer takes molecules, likeliest first, and a number, and returns new
canonical SMILES with the place of the molecule each was made of.
"""

import functools
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np
from rdkit import Chem

from reprogram.molecules.smiles import read
from reprogram.optimization.search import edits
from reprogram.optimization.search.changes import CHANGES
from reprogram.optimization.search.changes import Change
from reprogram.optimization.search.rings import RING_CHANGES

Proposal = tuple[str, int]
Proposer = Callable[
    [Sequence[Chem.Mol], int, np.random.Generator], list[Proposal]
]


def _place(count: int, rng: np.random.Generator) -> int:
    return min(int(rng.exponential(count / 3)), count - 1)


def edited(
    molecules: Sequence[Chem.Mol],
    count: int,
    rng: np.random.Generator,
    kinds: dict[Change, float] = CHANGES,
) -> list[Proposal]:
    """Changes molecules a little, see `edits.mutations`."""
    places = [_place(len(molecules), rng) for _ in range(count)]
    return [
        (row, int(place))
        for place, number in zip(*np.unique(places, return_counts=True))
        for row in edits.mutations(
            molecules[int(place)], number, rng, kinds=kinds
        )
        if row
    ]


def crossed(
    molecules: Sequence[Chem.Mol], count: int, rng: np.random.Generator
) -> list[Proposal]:
    """Joins parts of two molecules, see `edits.cross`."""
    found: list[Proposal] = []
    for _ in range(count):
        place = _place(len(molecules), rng)
        other = molecules[int(rng.integers(len(molecules)))]
        if row := edits.cross(molecules[place], other, rng):
            found.append((row, place))
    return found


def around(source: Any, deviations: Sequence[float] = (0.5, 0.7)) -> Proposer:
    """Makes a proposer that decodes noisy latents.

    Args:
        source: A molecular source with a latent.
        deviations: Standard deviations of the noise, in units of the prior.

    Returns:
        The proposer. A molecule that the source cannot read has no neighbors
        by this way.
    """

    def propose(
        molecules: Sequence[Chem.Mol], count: int, rng: np.random.Generator
    ) -> list[Proposal]:
        places = np.array([_place(len(molecules), rng) for _ in range(count)])
        used, where = np.unique(places, return_inverse=True)
        texts = read([Chem.MolToSmiles(molecules[i]) for i in used])[0]
        explain, longest = source.tokenizer.explain, source.longest
        good = np.array([bool(t) and not explain(t, longest) for t in texts])
        if not good.any():
            return []
        latents = np.zeros((len(used), source.latent_size), "float32")
        latents[good] = source.encode([t for t, g in zip(texts, good) if g])
        keep = good[where]
        places, latents = places[keep], latents[where[keep]]
        scale = rng.choice(deviations, len(latents))[:, None]
        noise = scale * rng.normal(size=latents.shape)
        written = source.decode(latents + noise)
        return [(row, int(i)) for row, i in zip(written, places) if row]

    return propose


PROPOSERS: dict[str, Proposer] = {
    "edits": edited,
    "crossover": crossed,
    "rings": functools.partial(edited, kinds=RING_CHANGES),
}
