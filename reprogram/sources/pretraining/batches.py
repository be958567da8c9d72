"""Training batches of the molecular source."""

import itertools
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np

from reprogram.molecules.smiles import randomize
from reprogram.molecules.tokenizer import TOKEN
from reprogram.sources.pretraining.corpus import Corpus


class Batches:
    """Batches of molecules of similar length with their targets.

    Half of a batch are canonical SMILES that the model reads and writes
    again, three eighths are canonical and written without being read, and an
    eighth are randomized and only described. A batch depends on `seed` and
    its number alone, so that an interrupted run goes on as if nothing had
    happened.

    Args:
        corpus: Corpus of molecules shorter than `longest`.
        longest: Number of tokens that the latent holds, a multiple of 16.
        steps: Number of batches an epoch.
        batch_size: Number of molecules a batch.
        seed: Random seed of order and randomized SMILES.
    """

    def __init__(
        self,
        corpus: Corpus,
        longest: int,
        steps: int,
        batch_size: int = 128,
        seed: int = 0,
    ):
        self.corpus, self.longest = corpus, longest
        self.steps, self.batch_size, self.seed = steps, batch_size, seed
        lengths = [len(TOKEN.findall(s)) for s in corpus.smiles]
        self.lengths = np.array(lengths)

    def stream(self, epoch: int = 0) -> Iterator[tuple]:
        """Yields the batches from the start of an epoch on, without end."""
        for number in itertools.count(epoch * self.steps):
            yield self[number]

    def __getitem__(self, number: int) -> tuple:
        rng = np.random.default_rng([self.seed, number])
        pool = rng.choice(len(self.corpus.smiles), 16 * self.batch_size)
        pool = pool[np.argsort(self.lengths[pool])]
        start = self.batch_size * ((9 * number) % 16)
        rows = pool[start : start + self.batch_size]
        rng.shuffle(rows)
        part = max(1, len(rows) // 8)
        written = [self.corpus.smiles[row] for row in rows]
        for i, seed in enumerate(rng.integers(0, 2**30, part)):
            other = randomize(written[i], int(seed))
            # A random order can need a ring digit that no other molecule has.
            written[i] = self._readable(other) or written[i]
        longest = 1 + max(len(TOKEN.findall(s)) for s in written)
        # Keras fixes each size that its first two batches share.
        length = (
            self.longest
            if number % self.steps == 0
            else min(self.longest, -(-longest // 16) * 16)
        )
        roles = np.zeros((2, len(rows)), "float32")
        roles[0, 4 * part :] = roles[1, part : 4 * part] = 1.0
        return self.batch(rows, written, roles, length)

    def batch(
        self,
        rows: np.ndarray,
        written: Sequence[str],
        roles: np.ndarray,
        length: int,
    ) -> tuple:
        """Makes inputs, targets and weights of some molecules.

        Args:
            rows: Indices of the molecules in the corpus `(batch,)`.
            written: SMILES strings of these molecules.
            roles: Weights 0 or 1 `(2, batch)`: whether each molecule is written
                from its latent, and whether without it.
            length: Number of columns of token ids, more than the longest
                molecule has.
        """
        ids = self.corpus.tokenizer(written, length)
        inputs = {"tokens": ids, "known": roles[0][:, None]}
        targets = {
            "descriptors": self.corpus.targets[rows],
            "fingerprints": np.unpackbits(self.corpus.bits[rows], axis=1),
            "reconstruction": ids,
            "language": ids,
        }
        weights = {key: np.ones(len(rows), "float32") for key in targets}
        for key, role in zip(("reconstruction", "language"), roles):
            weights[key] = role / max(float(role.mean()), 1e-6)
        return inputs, targets, weights

    def sample(self, count: int) -> tuple:
        """Makes one batch of canonical molecules, to monitor the training."""
        rng = np.random.default_rng(self.seed)
        rows = rng.choice(
            len(self.corpus.smiles), min(count, len(self.corpus.smiles))
        )
        written = [self.corpus.smiles[row] for row in rows]
        roles = np.stack([np.ones(len(rows)), np.zeros(len(rows))])
        return self.batch(rows, written, roles, self.longest)

    def _readable(self, smiles: str) -> str:
        short = len(TOKEN.findall(smiles)) < self.longest
        return smiles * (short and not self.corpus.tokenizer.explain(smiles))
