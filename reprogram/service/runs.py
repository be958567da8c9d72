"""Services by name, and the runs that were trained in front of them."""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from reprogram.blackbox import experiment
from reprogram.blackbox.ledger import Ledger
from reprogram.blackbox.meter import Meter
from reprogram.blackbox.reprogrammer import BlackBoxReprogrammer
from reprogram.blackbox.scores import Service
from reprogram.blackbox.scores import metered
from reprogram.service.client import remote


def connect(
    name: str,
    value_range: Sequence[float | str] = (0.0, 1.0),
    classes: int | None = None,
    key_variable: str | None = None,
    restriction: tuple[str, int] = ("", 0),
) -> Service:
    """Finds a service without paying a query.

    Args:
        name: Address of a model, as for `HttpService`, or name of a source.
        value_range: Lowest and highest value of the inputs of an address.
        classes: Number of classes, where an address gives labels only.
        key_variable: Environment variable that holds the key of an address.
        restriction: Pair of kind and number for `blackbox.restrict`, for a
            source.

    Raises:
        ValueError: If there is no such service, or the range is invalid.
    """
    if "://" not in name:
        return metered(name, *restriction)
    try:
        low, high = map(float, value_range)
    except ValueError:
        low = high = np.nan
    if not low < high:
        raise ValueError(
            "The range of inputs must be two numbers, the lower first."
            f" Received: {', '.join(map(str, value_range))}."
        )
    return remote(name, (low, high), classes, key_variable)


class Queried:
    """A trained program in front of a service, which asks for every input.

    Args:
        model: `BlackBoxReprogrammer` with the trained program.
        service: Service with the format of its inputs.
        name: Name of the predictor in its record.
    """

    def __init__(
        self, model: BlackBoxReprogrammer, service: Service, name: str
    ):
        self.model, self.service, self.name = model, service, name

    @property
    def parameters(self) -> int:
        """Number of trained values."""
        weights = self.model.trainable_weights
        return sum(int(np.prod(weight.shape)) for weight in weights)

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts class probabilities `(samples, classes)`; costs queries.

        Args:
            inputs: Raw inputs `(samples, ...)`.
        """
        prepared = self.service.prepare(inputs)
        logits = self.model.predict(prepared, verbose=0)
        return ops.convert_to_numpy(ops.softmax(logits))

    @classmethod
    def load(
        cls,
        folder: pathlib.Path,
        record: dict[str, Any],
        address: str | None = None,
    ) -> "Queried":
        """Loads a run of `scripts.train_blackbox`, and counts in its ledger.

        An address stands for the same service where it has moved.

        Raises:
            ValueError: If the ledger of the run is not there.
        """
        flags = record["flags"]
        service = connect(
            address or flags["service"],
            flags["value_range"],
            flags["classes"],
            flags["key_variable"],
            (flags["answers"], flags["answers_number"]),
        )
        if not (folder / "ledger.db").exists():
            raise ValueError(
                f"There is no ledger.db in {folder}. Copy the whole folder of"
                " the run."
            )
        name = record["source"]["name"]
        meter = Meter(service.ask, Ledger(folder / "ledger.db"), name=name)
        meter.classes = int(meter.ledger.fact("classes", "0"))
        options = experiment.Options(**record["recipe"])
        task = record["task"]
        model = experiment.build(
            meter, service, options, len(task["target_names"]), 0
        )
        example = np.zeros((1, *task["input_shape"]), "float32")
        model.build((None, *service.prepare(example).shape[1:]))
        model.load_program(str(folder / "program.weights.h5"))
        return cls(model, service, record["predictor"])
