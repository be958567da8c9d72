"""Pretraining of the molecular source: batches, schedule, heads."""

import functools
import itertools
import json
import math
import os
import pathlib
import time
from collections.abc import Iterator
from collections.abc import Sequence

import keras
import numpy as np

from reprogram.molecules.smiles import randomize
from reprogram.molecules.tokenizer import MASK
from reprogram.molecules.tokenizer import TOKEN
from reprogram.molecules.tokenizer import Tokenizer
from reprogram.report import record
from reprogram.sources.corpus import corpus as corpus
from reprogram.sources.corpus import descriptor_scale as descriptor_scale
from reprogram.sources.corpus import fingerprint_bits as fingerprint_bits
from reprogram.sources.corpus import fit_tokenizer as fit_tokenizer
from reprogram.sources.corpus import read_smiles as read_smiles
from reprogram.sources.corpus import scaled as scaled


class Batches:
    """Batches of masked, half of them randomized SMILES, of similar length.

    A batch depends on `seed` and its number alone, so that an interrupted run
    goes on as if nothing had happened.

    Args:
        smiles: Standard SMILES.
        targets: Scaled descriptors `(molecules, outputs)`.
        bits: Packed fingerprints, see `fingerprint_bits`.
        tokenizer: The tokenizer of the model.
        steps: Batches an epoch.
        batch_size: Molecules a batch.
        seed: Seed of order, randomization and masks.
    """

    def __init__(
        self,
        smiles: Sequence[str],
        targets: np.ndarray,
        bits: np.ndarray,
        tokenizer: Tokenizer,
        steps: int,
        batch_size: int = 256,
        seed: int = 0,
    ):
        self.smiles, self.targets, self.bits = smiles, targets, bits
        self.tokenizer = tokenizer
        self.steps, self.batch_size, self.seed = steps, batch_size, seed
        self.lengths = np.array([len(TOKEN.findall(s)) for s in smiles])

    def stream(self, epoch: int = 0) -> Iterator[tuple]:
        """Yields the batches from the start of an epoch on, without end."""
        for number in itertools.count(epoch * self.steps):
            yield self[number]

    def __getitem__(self, number: int) -> tuple:
        rng = np.random.default_rng([self.seed, number])
        pool = rng.choice(len(self.smiles), 16 * self.batch_size)
        pool = pool[np.argsort(self.lengths[pool])]
        start = self.batch_size * ((9 * number) % 16)
        rows = pool[start : start + self.batch_size]
        seeds = rng.integers(0, 2**30, len(rows))
        written = [
            randomize(self.smiles[row], int(seed))
            if seed % 2
            else self.smiles[row]
            for row, seed in zip(rows, seeds)
        ]
        # A random order can need a ring digit that no other molecule has.
        written = [
            self.smiles[row] if self.tokenizer.explain(s) else s
            for row, s in zip(rows, written)
        ]
        limit = self.tokenizer.max_length
        longest = max(len(TOKEN.findall(s)) for s in written)
        # Keras fixes each size that its first two batches share.
        length = (
            limit
            if number % self.steps == 0
            else min(limit, -(-longest // 16) * 16)
        )
        ids = self.tokenizer(written, length)
        hidden = (rng.random(ids.shape) < 0.15) & (ids > 0)
        masked = np.where(hidden, MASK, ids)
        targets = {
            "descriptors": self.targets[rows],
            "fingerprints": np.unpackbits(self.bits[rows], axis=1),
            "tokens": ids,
        }
        known = {key: np.ones(len(rows), "float32") for key in targets}
        known["tokens"] = hidden.astype("float32") / 0.15
        return masked, targets, known


class Budget(keras.callbacks.Callback):
    """Anneals the learning rate over a budget and stops after it.

    A budget of minutes is kept over interruptions; one of steps makes a run
    reproducible. The epoch in which it ends is finished.

    Args:
        path: JSON file that keeps the seconds used and the steps done.
        minutes: The budget.
        peak: Highest learning rate, reached after 300 steps.
        steps: The budget in steps; if positive, `minutes` has no effect.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        minutes: float,
        peak: float,
        steps: int = 0,
    ):
        super().__init__()
        self.path = pathlib.Path(path)
        self.minutes, self.peak, self.steps = minutes, peak, steps

    def state(self) -> dict[str, float]:
        """Reads the seconds and steps of all runs so far."""
        if self.path.exists():
            return json.loads(self.path.read_text())
        return {"seconds": 0.0, "steps": 0}

    def spent(self, state: dict[str, float]) -> float:
        """Returns the share of the budget that is used, at most 1."""
        if self.steps > 0:
            return min(1.0, state["steps"] / self.steps)
        return min(1.0, state["seconds"] / max(60 * self.minutes, 1e-9))

    def on_train_begin(self, logs=None):
        state = self.state()
        self.used, self.clock = state["seconds"], time.time()
        if state["steps"] and not int(self.model.optimizer.iterations):
            raise ValueError(
                f"{self.path} counts {state['steps']} steps of training, but"
                " their checkpoint is gone. Put it back, or train anew in"
                " another folder."
            )

    def on_train_batch_begin(self, batch, logs=None):
        state = self._now()
        rate = 0.5 * (1 + math.cos(math.pi * self.spent(state)))
        rate = rate * min(1.0, state["steps"] / 300)
        self.model.optimizer.learning_rate = self.peak * max(rate, 1e-3)

    def on_epoch_end(self, epoch, logs=None):
        state = self._now()
        record.write_text(self.path, json.dumps(state))
        if self.spent(state) >= 1.0:
            self.model.stop_training = True

    def _now(self) -> dict[str, float]:
        return {
            "seconds": self.used + time.time() - self.clock,
            "steps": int(self.model.optimizer.iterations),
        }


def train(
    model: keras.Model,
    data: Batches,
    budget: Budget,
    folder: pathlib.Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> dict[str, float]:
    """Trains until the budget is used, from the last checkpoint on.

    Args:
        model: A `pretraining_model`; in the end it has the trained weights,
            also where no budget was left.
        data: The batches.
        budget: What ends the training.
        folder: Keeps the checkpoints and `log.csv`.
        callbacks: Further callbacks.

    Returns:
        The seconds and steps of all runs, see `Budget.state`.

    Raises:
        ValueError: If steps were trained and their checkpoint is gone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    backup = keras.callbacks.BackupAndRestore(
        folder / "backup", double_checkpoint=True, delete_checkpoint=False
    )
    for callback in (backup, budget):
        callback.set_model(model)
        callback.on_train_begin()
    # An epoch ends at an execution, and a checkpoint at an epoch.
    model.steps_per_execution = math.gcd(10, data.steps)
    if budget.spent(budget.state()) < 1.0:
        epoch = int(model.optimizer.iterations) // data.steps
        log = keras.callbacks.CSVLogger(folder / "log.csv", append=True)
        model.fit(
            data.stream(epoch),
            steps_per_epoch=data.steps,
            epochs=10**6,
            shuffle=False,
            callbacks=[backup, budget, log, *callbacks],
            verbose=2,
        )
    return budget.state()


def pretraining_model(encoder: keras.Model, size: int) -> keras.Model:
    """Adds the heads for tokens and fingerprints and compiles all three."""
    hidden = encoder.get_layer("sequence").output
    pooled = encoder.get_layer("features").output
    dense = functools.partial(keras.layers.Dense, dtype="float32")
    outputs = {
        "descriptors": encoder.output,
        "fingerprints": dense(1024, name="ecfp4")(pooled),
        "tokens": dense(size, name="masked_tokens")(hidden),
    }
    model = keras.Model(encoder.input, outputs)
    model.compile(
        keras.optimizers.AdamW(1e-3, weight_decay=0.01, clipnorm=1.0),
        loss={
            "descriptors": "mean_squared_error",
            "fingerprints": keras.losses.BinaryCrossentropy(True),
            "tokens": keras.losses.SparseCategoricalCrossentropy(True),
        },
        loss_weights={"descriptors": 1.0, "fingerprints": 10.0, "tokens": 0.5},
        steps_per_execution=10,
    )
    return model
