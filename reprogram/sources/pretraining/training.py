"""Pretraining of the molecular source: batches, schedule, heads."""

import json
import math
import os
import pathlib
import time
from collections.abc import Sequence
from typing import Any

import keras

from reprogram import files
from reprogram.sources.molecular import networks
from reprogram.sources.molecular.layers import Posterior
from reprogram.sources.pretraining.batches import Batches

LEAST_BETA, BITS = 1e-4, 1024


class Balance(keras.callbacks.Callback):
    """Weighs the divergence so that the reconstruction loss meets a target.

    After each epoch the weight rises where the loss is below the target and
    falls where it is above.

    Args:
        layer: `Posterior` layer whose weight is changed.
        target: Target of the loss, in nats a molecule.
        rate: Largest change of the logarithm of the weight in an epoch.

    Reference: Rezende and Viola, Taming VAEs, 2018.
    """

    def __init__(
        self, layer: keras.layers.Layer, target: float, rate: float = 0.5
    ) -> None:
        super().__init__()
        self.layer, self.target, self.rate = layer, target, rate

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        off = 1 - logs["reconstruction_loss"] / self.target
        beta = max(float(self.layer.beta), LEAST_BETA)
        beta = beta * math.exp(self.rate * min(1.0, max(-1.0, off)))
        self.layer.beta.assign(min(1.0, max(LEAST_BETA, beta)))
        logs["beta"] = float(self.layer.beta)


class Budget(keras.callbacks.Callback):
    """Anneals the learning rate over a budget and stops after it.

    A budget of minutes is kept over interruptions; one of steps makes a run
    reproducible. The epoch in which it ends is finished.

    Args:
        path: Path of the JSON file with the seconds used and the steps done.
        minutes: Training time in minutes, over all resumptions.
        peak: Highest learning rate, reached after 300 steps.
        steps: Budget in steps; if positive, `minutes` has no effect.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        minutes: float,
        peak: float,
        steps: int = 0,
    ) -> None:
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

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        state = self.state()
        self.used, self.clock = state["seconds"], time.time()
        if state["steps"] and not int(self.model.optimizer.iterations):
            raise ValueError(
                f"{self.path} counts {state['steps']} steps of training, but"
                " their checkpoint is gone. Put it back, or train anew in"
                " another folder."
            )

    def on_train_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        state = self._now()
        rate = 0.5 * (1 + math.cos(math.pi * self.spent(state)))
        rate = rate * min(1.0, state["steps"] / 300)
        self.model.optimizer.learning_rate = self.peak * max(rate, 1e-3)

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        state = self._now()
        files.write_text(self.path, json.dumps(state))
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
        model: Model made by `pretraining_model`, which receives the trained
            weights.
        data: Batches of the corpus.
        budget: Budget of time or steps that ends the training.
        folder: Path of the folder with the checkpoints and `log.csv`.
        callbacks: Keras callbacks besides checkpoints, budget and log.

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
            validation_data=data.sample(512),
            callbacks=[*callbacks, backup, budget, log],
            verbose=2,
        )
    return budget.state()


def pretraining_model(
    parts: Sequence[keras.Model | keras.layers.Layer],
) -> keras.Model:
    """Joins reader, expander and writer to a compiled model.

    Args:
        parts: Reader, expander and writer, as returned by `networks.parts`.

    Returns:
        A model from `tokens` and `known` to the targets of `Batches`.
    """
    reader, expander, writer = parts
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    known = keras.Input((1,), name="known")
    hidden = reader.get_layer("hidden").output
    whole = keras.Model(reader.input, [*reader.outputs, hidden])
    scores, mean, log_variance, hidden = whole(tokens)
    latent = Posterior(name="posterior")(mean, log_variance, known)
    bits = keras.layers.Dense(BITS, name="ecfp4", dtype="float32")
    written = writer(expander(latent), tokens, known)
    outputs = {
        "descriptors": scores,
        "fingerprints": bits(hidden),
        "reconstruction": written,
        "language": keras.layers.Identity(dtype="float32")(written),
    }
    model = keras.Model([tokens, known], outputs)
    model.compile(
        keras.optimizers.AdamW(1e-3, weight_decay=0.01, clipnorm=1.0),
        loss={
            "descriptors": "mean_squared_error",
            "fingerprints": keras.losses.BinaryCrossentropy(True),
            "reconstruction": networks.sequence_loss,
            "language": networks.sequence_loss,
        },
        loss_weights={
            "descriptors": 2.0,
            "fingerprints": 3.0,
            "reconstruction": 0.1,
            "language": 0.03,
        },
        weighted_metrics={"reconstruction": [networks.exact]},
        steps_per_execution=10,
    )
    return model
