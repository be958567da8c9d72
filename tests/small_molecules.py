"""A molecular source without a network, for tests of searches."""

import types

import numpy as np

ALPHABET = ("C", "N", "O", "S", "Cl", "F", "CC", "CO")


class ChainSource:
    """Reads a chain of atoms as numbers, one for each place."""

    latent_size = 6
    longest = 6
    tokenizer = types.SimpleNamespace(
        explain=lambda row, longest=None: (
            "" if set(row) <= set("CNOSFl") else "has a ring or a bond"
        )
    )

    def encode(self, smiles):
        latents = np.zeros((len(smiles), self.latent_size), "float32")
        for latent, row in zip(latents, smiles):
            if row is None or self.tokenizer.explain(row):
                latent[:] = np.nan
        return latents

    def decode(self, latents):
        found = []
        for latent in np.asarray(latents):
            places = np.clip(np.abs(latent) * 3, 0, len(ALPHABET) - 1)
            text = "".join(ALPHABET[int(p)] for p in places)
            text = text.replace("Cl", "C").replace("F", "C")
            found.append(text if latent.sum() > -3 else None)
        return found

    def generate(self, count, temperature=1.0, seed=0):
        rng = np.random.default_rng(seed)
        rows = rng.integers(1, 9, count)
        return ["C" * n if n % 2 else "C" * n + "O" for n in rows]

    def sample_latents(self, count, temperature=0.8, seed=0):
        rng = np.random.default_rng(seed)
        return rng.normal(size=(count, self.latent_size)).astype("float32")
