"""A task solved by queries: the ways to train, and their table."""

import dataclasses
import time
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from reprogram import losses
from reprogram import mappings
from reprogram import sources
from reprogram import transforms
from reprogram.blackbox import estimators
from reprogram.blackbox.meter import Meter
from reprogram.blackbox.population import evolve
from reprogram.blackbox.priming import prime
from reprogram.blackbox.reprogrammer import BlackBoxReprogrammer
from reprogram.blackbox.scores import Service
from reprogram.blackbox.training import train
from reprogram.predictors import data as comparison
from reprogram.predictors import recipe as recipes

# Name, scores of the test set and number of parameters of each model.
Found = list[tuple[str, np.ndarray, int]]


@dataclasses.dataclass(frozen=True)
class Options:
    """Choices of training by queries.

    Args:
        method: `"estimate"` (gradients from scores), `"cma"` or `"prime"`.
        estimator: A key of `estimators.ESTIMATORS`.
        program: Parameterization of the frame, a key of
            `transforms.programs`; few numbers need few queries.
        mapping: `"linear"`, or a key of `mappings.MAPPINGS` that counts.
        window: Share of the frame that the data take.
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


def build(
    meter: Meter, service: Service, options: Options, classes: int, seed: int
) -> BlackBoxReprogrammer:
    """Builds and compiles a frame around a service.

    Args:
        meter: The service, metered.
        service: The service, with what it reads.
        options: Choices of training.
        classes: Number of classes of the task.
        seed: Seed of the estimates.
    """
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
        data: A classification task; its first draw is used.
        service: The service that is asked.
        model: The frame around it.
        options: Choices of training.
        encoder: A local source, for priming.
        tell: Called with lines of progress.
    """

    data: comparison.Data
    service: Service
    model: BlackBoxReprogrammer
    options: Options
    encoder: sources.Source | None
    tell: Callable[[str], None]

    def part(self, number: int, ready: bool = True) -> tuple:
        """Inputs and class ids to fit on (0) or to validate on (1)."""
        rows = next(iter(self.data.draws.values()))[number]
        inputs = self.data.inputs[rows]
        inputs = self.service.prepare(inputs) if ready else inputs
        return inputs, self.data.targets[rows]

    def asked(self, name: str) -> Found:
        """The scores of the test set, from the service."""
        inputs = self.service.prepare(self.data.inputs[self.data.test])
        scores = ops.softmax(self.model.predict(inputs, verbose=0))
        weights = self.model.trainable_weights
        count = sum(int(np.prod(weight.shape)) for weight in weights)
        return [(name, ops.convert_to_numpy(scores), count)]


def _estimate(job: Job) -> tuple[Found, dict]:
    options = job.options
    history = train(
        job.model,
        job.part(0),
        job.part(1),
        options.epochs,
        options.batch_size,
        len(job.data.test),
        job.tell,
    )
    return job.asked("reprogrammed by queries"), history


def _evolve(job: Job) -> tuple[Found, dict]:
    history = evolve(
        job.model,
        job.part(0),
        job.part(1),
        batch_size=job.options.batch_size,
        keep=len(job.data.test),
        tell=job.tell,
    )
    return job.asked("reprogrammed by CMA-ES"), history


def _prime(job: Job) -> tuple[Found, dict]:
    if job.encoder is None:
        raise ValueError("Priming needs a local encoder: name a source.")
    primed = prime(
        job.model,
        job.encoder,
        job.part(0, ready=False),
        job.part(1, ready=False),
        prepare=job.service.prepare,
    )
    job.tell(f"Accuracy on validation data: {primed.accuracies}")
    inputs = job.data.inputs[job.data.test]
    found = [
        (
            f"{name} student, no queries",
            recipes.predict(
                model, primed.sources[name], job.data.problem, inputs
            ),
            model.count_params() - model.source.count_params(),
        )
        for name, model in primed.models.items()
    ]
    found += job.asked("service, mapping alone")
    return found, {"validation": primed.accuracies, "winner": primed.winner}


METHODS = {"estimate": _estimate, "cma": _evolve, "prime": _prime}


def run(job: Job) -> dict:
    """Trains by queries and tests.

    Args:
        job: The task, the service and the choices.

    Returns:
        Parts of a record: `models`, the majority class first, and `history`.

    Raises:
        ValueError: If the task is no classification, or an encoder is
            missing.
        BudgetSpent: If the budget does not cover the least that is needed,
            the test set included; nothing was asked then.
    """
    data = job.data
    if data.problem != "classification":
        raise ValueError(
            "Training by queries needs a classification task. Received:"
            f" {data.problem}."
        )
    labels = job.part(0)[1]
    trivial = np.bincount(labels, minlength=len(data.names)) / len(labels)
    trivial = np.tile(trivial, (len(data.test), 1))
    start = time.perf_counter()
    found, history = METHODS[job.options.method](job)
    spent = time.perf_counter() - start
    return {
        "models": [
            comparison.entry("majority class", data, trivial, 0, 0.0),
            *(
                comparison.entry(name, data, scores, count, spent)
                for name, scores, count in found
            ),
        ],
        "history": history,
    }


def record(job: Job, found: dict) -> dict:
    """Returns the parts of a record that training by queries decides.

    Args:
        job: The job that was run.
        found: Parts of the record that `run` returned.
    """
    bill = job.model.meter.bill()
    history = found["history"]
    losses_ = {k: history[k] for k in ("loss", "val_loss") if k in history}
    seed = next(iter(job.data.draws))
    return {
        "seeds": [seed],
        "source": {
            "name": job.service.name,
            # Its weights are out of reach.
            "fingerprint_before": None,
            "fingerprint_after": None,
        },
        "recipe": dataclasses.asdict(job.options),
        "trainable_parameters": found["models"][-1]["parameters"],
        "models": [
            {
                **entry,
                "seconds": [entry["seconds"]],
                "metrics": {k: [v] for k, v in entry["metrics"].items()},
            }
            for entry in found["models"]
        ],
        "history": [{"seed": seed, **losses_}],
        "queries": dataclasses.asdict(bill),
        "seconds": found["models"][-1]["seconds"],
    }
