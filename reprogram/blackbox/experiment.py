"""A task solved by queries: the ways to train, and their table."""

import dataclasses
import pathlib
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram import losses
from reprogram import mappings
from reprogram import metrics
from reprogram import transforms
from reprogram.blackbox import estimators
from reprogram.blackbox.meter import Meter
from reprogram.blackbox.population import evolve
from reprogram.blackbox.priming import prime
from reprogram.blackbox.reprogrammer import BlackBoxReprogrammer
from reprogram.blackbox.scores import SMALLEST
from reprogram.blackbox.scores import Service
from reprogram.blackbox.training import train
from reprogram.predictors.data import Data
from reprogram.program import fingerprint
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import Source


@dataclasses.dataclass(frozen=True)
class Options:
    """Choices of training by queries.

    Args:
        method: `"estimate"` (gradients from scores), `"cma"` or `"prime"`.
        estimator: Name of an estimator, a key of `estimators.ESTIMATORS`.
        program: Parameterization of the frame, a key of
            `transforms.programs`; few numbers need few queries.
        mapping: `"linear"`, or a key of `mappings.MAPPINGS` that counts.
        window: Share of the frame that the data fill.
        learning_rate: Learning rate of Adam.
        batch_size: Number of samples a step.
        epochs: Largest number of epochs; the budget ends training before.
    """

    method: str = "estimate"
    estimator: str = "orthogonal"
    program: str = "cosine"
    mapping: str = "linear"
    window: float = 0.75
    learning_rate: float = 0.03
    batch_size: int = 20
    epochs: int = 1000

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(
                f"`method` must be one of {', '.join(METHODS)}. Received:"
                f" {self.method!r}."
            )
        estimators.get(self.estimator)


def check(data: Data, service: Service) -> None:
    """Checks that a task fits a service, without a query.

    Raises:
        ValueError: If they do not.
    """
    if data.problem != "classification":
        raise ValueError(
            "Training by queries needs a classification task. Received:"
            f" {data.problem}."
        )
    if np.ndim(data.inputs) != len(service.shape) + 1:
        raise ValueError(
            f"The service {service.name!r} reads arrays {service.shape}."
            f" Received: a task of the modality {data.modality!r} with inputs"
            f" {data.inputs.shape[1:]}. Choose another task or service."
        )


def build(
    meter: Meter, service: Service, options: Options, classes: int, seed: int
) -> BlackBoxReprogrammer:
    """Builds and compiles a frame around a service that is metered."""
    sizes = service.shape[:-1]
    window = tuple(max(1, int(n * options.window)) for n in sizes)
    frame = transforms.Padding(
        service.shape,
        window,
        value_range=service.value_range,
        program=options.program,
    )
    if options.mapping == "linear":
        mapping = mappings.LinearMapping(classes)
    else:
        mapping = mappings.get(options.mapping, classes=classes)
    model = BlackBoxReprogrammer(
        meter, frame, mapping, estimators.get(options.estimator), seed
    )
    model.compile(
        keras.optimizers.Adam(options.learning_rate),
        losses.get(""),
        metrics=["accuracy"],
    )
    return model


@dataclasses.dataclass(frozen=True)
class Job:
    """One draw of a task in front of a service.

    Args:
        data: Classification task; its first draw is used.
        service: Service that is queried.
        model: `BlackBoxReprogrammer` around the service.
        options: Choices of training by queries.
        encoder: Local source for priming.
        tell: Function that is called with lines of progress.
    """

    data: Data
    service: Service
    model: BlackBoxReprogrammer
    options: Options
    encoder: Source | None
    tell: Callable[[str], None]

    def part(self, number: int, ready: bool = True) -> tuple:
        """Returns inputs and class ids to fit on (0) or to validate on (1)."""
        rows = next(iter(self.data.draws.values()))[number]
        inputs = self.data.inputs[rows]
        inputs = self.service.prepare(inputs) if ready else inputs
        return inputs, self.data.targets[rows]

    def tested(self, name: str) -> "Tested":
        """Asks the service about the test set."""
        inputs = self.service.prepare(self.data.inputs[self.data.test])
        scores = ops.softmax(self.model.predict(inputs, verbose=0))
        weights = self.model.trainable_weights
        count = sum(int(np.prod(weight.shape)) for weight in weights)
        return Tested(name, ops.convert_to_numpy(scores), count)


@dataclasses.dataclass(frozen=True)
class Tested:
    """A model and its class probabilities `(samples, classes)` of the test set.

    `model` is the model itself, where it needs no service.
    """

    name: str
    scores: np.ndarray
    parameters: int
    model: Reprogrammer | None = None


def _estimate(job: Job) -> tuple[list[Tested], dict]:
    options = job.options
    history = train(
        *(job.model, job.part(0), job.part(1)),
        *(options.epochs, options.batch_size, len(job.data.test)),
        tell=job.tell,
    )
    return [job.tested("reprogrammed by queries")], history


def _evolve(job: Job) -> tuple[list[Tested], dict]:
    history = evolve(
        *(job.model, job.part(0), job.part(1)),
        batch_size=job.options.batch_size,
        keep=len(job.data.test),
        tell=job.tell,
    )
    return [job.tested("reprogrammed by CMA-ES")], history


def _prime(job: Job) -> tuple[list[Tested], dict]:
    if job.encoder is None:
        raise ValueError("Priming needs a local encoder: name a source.")
    primed = prime(
        *(job.model, job.encoder, job.part(0, False), job.part(1, False)),
        prepare=job.service.prepare,
    )
    job.tell(f"Accuracy on validation data: {primed.accuracies}")
    inputs = job.data.inputs[job.data.test]
    models = {
        name: Tested(
            f"{name} student, no queries",
            primed.scores(name, inputs),
            model.count_params() - model.source.count_params(),
            model,
        )
        for name, model in primed.models.items()
    }
    models["service"] = job.tested("service, mapping alone")
    about = {"validation": primed.accuracies, "winner": primed.winner}
    return list(models.values()), about


METHODS = {"estimate": _estimate, "cma": _evolve, "prime": _prime}


def run(job: Job, folder: pathlib.Path) -> dict[str, Any]:
    """Trains by queries, tests, and saves the program.

    `program.weights.h5` is for the service. Where no service is needed any
    more, as it is a local model or as a student has won, `model.keras` is
    written as well.

    Args:
        job: Job with the task, the service and the choices.
        folder: Path of the folder of the run.

    Returns:
        The parts of a record that training by queries decides.

    Raises:
        ValueError: If an encoder is missing.
        BudgetSpent: If the budget does not cover the least that is needed,
            the test set included; nothing was asked then.
    """
    data = job.data
    labels = job.part(0)[1]
    trivial = np.bincount(labels, minlength=len(data.names)) / len(labels)
    trivial = np.tile(trivial, (len(data.test), 1))
    start = time.perf_counter()
    models, history = METHODS[job.options.method](job)
    seconds = time.perf_counter() - start
    winner = history.get("winner", "")
    kept = [model for model in models if model.name.startswith(winner)][-1]
    job.model.save_program(str(folder / "program.weights.h5"))
    local = kept.model or local_copy(job)
    if local is not None:
        local.save(folder / "model.keras")
    entries = [(Tested("majority class", trivial, 0), 0.0)]
    entries += [(model, seconds) for model in models]
    seed = next(iter(data.draws))
    curves = {k: history[k] for k in ("loss", "val_loss") if k in history}
    # The weights of a service are out of reach.
    weights = job.service.model and fingerprint(job.service.model)
    return {
        "seeds": [seed],
        "predictor": kept.name,
        "source": {
            "name": job.service.name,
            "fingerprint_before": weights,
            "fingerprint_after": weights,
        },
        "recipe": dataclasses.asdict(job.options),
        "trainable_parameters": kept.parameters,
        "models": [_entry(data, *entry) for entry in entries],
        "history": [{"seed": seed, **curves}],
        "queries": dataclasses.asdict(job.model.meter.bill()),
        "seconds": seconds,
    }


def _entry(data: Data, model: Tested, seconds: float) -> dict[str, Any]:
    truth = data.targets[data.test]
    scores = dict(metrics.evaluate(data.problem, truth, model.scores))
    return {
        "name": model.name,
        "parameters": model.parameters,
        "seconds": [seconds],
        "metrics": {name: [value] for name, value in scores.items()},
    }


@keras.saving.register_keras_serializable("reprogram")
class LogScores(keras.layers.Layer):
    """Turns probabilities into log-probabilities, as mappings read them."""

    def call(self, inputs: Any) -> Any:
        return ops.log(ops.maximum(inputs, SMALLEST))


def local_copy(job: Job) -> Reprogrammer | None:
    """Puts the program of a job around the model behind its service.

    The copy asks no service and gives the same scores. It is `None` if the
    service is not a local model.
    """
    source = job.service.model
    if source is None:
        return None
    if not job.model.forward.logits:
        inputs = keras.Input(job.service.shape)
        source = keras.Sequential([inputs, source, LogScores()])
    copy = Reprogrammer(source, job.model.transform, job.model.mapping)
    copy.predict_on_batch(job.part(0)[0][:1])
    return copy
