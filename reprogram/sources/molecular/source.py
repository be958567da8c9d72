"""A molecular source: one set of weights that reads, describes and writes."""

import dataclasses
import functools
from collections.abc import Sequence

import keras
import numpy as np

from reprogram.molecules.tokenizer import Tokenizer
from reprogram.sources.molecular.batching import batched
from reprogram.sources.molecular.batching import set_seed
from reprogram.sources.molecular.batching import valid
from reprogram.sources.molecular.decoding import Decode
from reprogram.sources.molecular.layers import kl
from reprogram.sources.molecular.reading import read
from reprogram.sources.molecular.writer import Writer
from reprogram.sources.source import Source


@dataclasses.dataclass(frozen=True, kw_only=True)
class MolecularSource(Source):
    """A source with several models on one set of frozen weights.

    `model` reads token ids and describes the molecules, `encoder` gives their
    latents, `decoder` writes token ids from latents, and `language` scores
    each next token without a latent. All are plain Keras models; the methods
    do the same with strings.

    Args:
        tokenizer: Tokenizer from SMILES to the token ids of all models.
        encoder: Model from ids `(batch, length)` to latents
            `(batch, latent_size)`.
        decoder: Model from latents to ids, the likeliest at each place.
        language: Model from ids to scores `(batch, length, vocabulary)`.
        reader: Model from ids to descriptors, latents and the logarithms of
            their variances.
        expander: Model from latents to contexts, see
            `networks.expander`.
        writer: `Writer` layer that writes from contexts.
        scale: Means and standard deviations of the descriptors.
    """

    tokenizer: Tokenizer
    encoder: keras.Model
    decoder: keras.Model
    language: keras.Model
    reader: keras.Model
    expander: keras.Model
    writer: Writer
    scale: dict[str, np.ndarray]

    @property
    def latent_size(self) -> int:
        """Width of a latent."""
        return self.encoder.output_shape[-1]

    @property
    def longest(self) -> int:
        """Largest number of tokens of a molecule that a latent holds."""
        return self.expander.output_shape[1] - 1

    def encode(
        self, smiles: Sequence[str], standardized: bool = True
    ) -> np.ndarray:
        """Reads molecules into latents.

        Args:
            smiles: SMILES strings.
            standardized: Whether the strings are already standardized by
                `molecules.standardize`; if not, they will be.

        Returns:
            Latents `(molecules, latent_size)`, float32. A row of NaN, and a
            warning that names molecule, token and remedy, where the source
            cannot read a molecule.

        Example:
        >>> from reprogram import sources
        >>> source = sources.load("zinc-autoencoder")
        >>> source.decode(source.encode(["CC(=O)Nc1ccc(O)cc1"]))
        ['CC(=O)Nc1ccc(O)cc1']
        """
        return read(
            self.encoder, self.tokenizer, smiles, standardized, self.longest
        )

    def describe(
        self, smiles: Sequence[str], standardized: bool = True
    ) -> np.ndarray:
        """Estimates RDKit's descriptors, in their own units.

        Args:
            smiles: SMILES strings.
            standardized: Whether the strings are already standardized by
                `molecules.standardize`; if not, they will be.

        Returns:
            Values `(molecules, descriptors)`, float32, in the order of
            `class_names`; NaN where the source cannot read a molecule.
        """
        limit = self.tokenizer.max_length
        scores = read(self.model, self.tokenizer, smiles, standardized, limit)
        return scores * self.scale["std"] + self.scale["mean"]

    def decode(
        self,
        latents: np.ndarray,
        temperature: float = 0.0,
        beams: int = 1,
        attempts: int = 1,
        seed: int = 0,
    ) -> list[str | None]:
        """Writes the molecules of latents, many at once.

        Args:
            latents: Latents `(molecules, latent_size)`.
            temperature: Divisor of the scores before a draw; 0 takes the
                likeliest tokens.
            beams: Number of strings kept in a beam search, of which the first
                valid one is returned; 1 for none.
            attempts: Largest number of times that a string is drawn until it
                is valid, each time at a temperature 0.25 higher, up to 1.
            seed: Seed of the draws.

        Returns:
            Canonical SMILES, `None` where no valid one was written.

        Raises:
            ValueError: If the latents have another width, or hold NaN.
        """
        latents = self._checked(latents)
        found = self._written(latents, temperature, beams, seed)
        for attempt in range(1, attempts):
            missing = [i for i, row in enumerate(found) if row is None]
            if not missing:
                break
            warmer = max(temperature, min(1.0, 0.25 * attempt))
            again = self._written(latents[missing], warmer, 1, seed + attempt)
            for i, row in zip(missing, again):
                found[i] = row
        return found

    def write(
        self,
        latents: np.ndarray,
        temperature: float = 0.0,
        beams: int = 1,
        seed: int = 0,
    ) -> list[str] | list[list[str]]:
        """Writes strings from latents without checking their validity.

        Args:
            latents: Latents `(molecules, latent_size)`.
            temperature: Divisor of the scores before a draw; 0 takes the
                likeliest tokens.
            beams: Number of strings that a beam search keeps; 1 for none.
            seed: Seed of the draws.

        Returns:
            A string, or with `beams` a list of strings, of each latent.

        Raises:
            ValueError: If the latents have another width, or hold NaN.
        """
        latents = self._checked(latents)
        model = self.decoder
        if temperature or beams > 1:
            model = self._writers(temperature, beams)
            set_seed(model, seed)
        ids = batched(model, latents)
        if beams == 1:
            return self.tokenizer.detokenize(ids)
        flat = self.tokenizer.detokenize(ids.reshape(-1, ids.shape[-1]))
        return [flat[i : i + beams] for i in range(0, len(flat), beams)]

    def generate(
        self, count: int, temperature: float = 1.0, seed: int = 0
    ) -> list[str | None]:
        """Writes molecules without a latent, as the language model draws them.

        Args:
            count: Number of molecules to write.
            temperature: Divisor of the scores before a draw.
            seed: Seed of the draws.

        Returns:
            Canonical SMILES, `None` where a string is not valid.
        """
        model = self._writers(temperature, 1, free=True)
        set_seed(model, seed)
        nothing = np.zeros((count, self.latent_size), "float32")
        written = self.tokenizer.detokenize(batched(model, nothing))
        return valid([[row] for row in written])

    def sample_latents(
        self, count: int, temperature: float = 0.8, seed: int = 0
    ) -> np.ndarray:
        """Draws latents from the prior that was learned.

        The prior is the mixture of the posteriors of all molecules that
        `generate` writes and `encode` reads.

        Args:
            count: Number of latents to draw.
            temperature: Temperature of the language model, see `generate`.
            seed: Seed of the draws.

        Returns:
            Latents `(count, latent_size)`, float32.

        Raises:
            RuntimeError: If the language model writes no valid molecule.

        Reference: Tomczak and Welling, VAE with a VampPrior, 2018.
        """
        kept: list[str] = []
        for attempt in range(100):
            if len(kept) >= count:
                break
            number = 2 * (count - len(kept)) + 16
            drawn = self.generate(number, temperature, seed + 1000 * attempt)
            kept += [
                row
                for row in drawn
                if row and not self.tokenizer.explain(row, self.longest)
            ]
        if len(kept) < count:
            raise RuntimeError(
                f"Only {len(kept)} of {count} molecules drawn from the"
                f" language model were valid at temperature {temperature}."
                " Lower it, or pretrain the source for longer."
            )
        ids = self.tokenizer(kept[:count], self.longest + 1)
        mean, log_variance = batched(self._posterior, ids)
        noise = np.random.default_rng(seed).normal(size=mean.shape)
        return (mean + np.exp(log_variance / 2) * noise).astype("float32")

    def divergence(self, smiles: Sequence[str]) -> np.ndarray:
        """Measures how much a latent says about each molecule.

        Args:
            smiles: SMILES strings that the source can read.

        Returns:
            Divergences of the posteriors from the standard normal, in nats
            `(molecules,)`.
        """
        ids = self.tokenizer(smiles, self.longest + 1)
        return np.asarray(kl(*batched(self._posterior, ids)))

    @functools.cached_property
    def _models(self) -> dict:
        return {}

    @functools.cached_property
    def _posterior(self) -> keras.Model:
        return keras.Model(self.reader.input, self.reader.outputs[1:])

    def _writers(
        self, temperature: float, beams: int, free: bool = False
    ) -> keras.Model:
        key = temperature, beams, free
        if key not in self._models:
            decode = Decode(self.writer, temperature, beams, read=not free)
            output = decode(self.expander.output)
            self._models[key] = keras.Model(self.expander.input, output)
        return self._models[key]

    def _written(
        self, latents: np.ndarray, temperature: float, beams: int, seed: int
    ) -> list[str | None]:
        written = self.write(latents, temperature, beams, seed)
        return valid([[s] if isinstance(s, str) else s for s in written])

    def _checked(self, latents: np.ndarray) -> np.ndarray:
        latents = np.asarray(latents, "float32")
        if latents.ndim != 2 or latents.shape[1] != self.latent_size:
            raise ValueError(
                "`latents` must have the shape (molecules,"
                f" {self.latent_size}). Received: {latents.shape}."
            )
        bad = np.flatnonzero(~np.isfinite(latents).all(axis=1))
        if len(bad):
            raise ValueError(
                f"`latents` must be finite. Received NaN or infinity in"
                f" {len(bad)} of {len(latents)} rows, the first of them"
                f" {bad[0]}. `encode` gives such rows for molecules that it"
                " cannot read: leave them out."
            )
        return latents
