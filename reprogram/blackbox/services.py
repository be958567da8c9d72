"""What is asked, and what it reads: a remote service, or a source of ours."""

import dataclasses
from collections.abc import Callable

import numpy as np

from reprogram import sources
from reprogram.blackbox.answers import restrict
from reprogram.service.client import HttpService
from reprogram.service.client import local


@dataclasses.dataclass(frozen=True)
class Service:
    """A service, and what it reads.

    Args:
        ask: What `Meter` asks.
        shape: Of an input, without the batch.
        value_range: Lowest and highest value of an input.
        prepare: From raw inputs of a task to arrays in that range.
        name: Of the service.
    """

    ask: object
    shape: tuple[int, ...]
    value_range: tuple[float, float]
    prepare: Callable[[np.ndarray], np.ndarray]
    name: str


def remote(
    url: str,
    value_range: tuple[float, float] = (0.0, 1.0),
    classes: int | None = None,
    key_variable: str | None = None,
) -> Service:
    """Returns the service behind an address, with what it says it reads.

    Args:
        url: See `HttpService`.
        value_range: Of its inputs; pixels of 0 to 255 are brought there.
        classes: See `HttpService`.
        key_variable: See `HttpService`.

    Raises:
        ValueError: If the service does not tell the size of its inputs.
    """
    ask = HttpService(url, classes, key_variable)
    shape = tuple(ask.metadata().get("shape", ()))[1:]
    if not shape or min(shape) < 1:
        raise ValueError(
            f"{url} does not tell the size of its inputs: {shape}. Make the"
            " model in Python: reprogram.blackbox.Meter and"
            " BlackBoxReprogrammer."
        )
    low, high = value_range

    def prepare(raw: np.ndarray) -> np.ndarray:
        raw = np.asarray(raw, "float32")
        return low + raw * (high - low) / 255 if len(shape) == 3 else raw

    return Service(ask, shape, value_range, prepare, ask.name)


def metered(name: str, answers: str = "", number: int = 0) -> Service:
    """Returns a source of ours as a service, to measure queries with.

    Args:
        name: See `sources.load`.
        answers: What it tells, see `restrict`; empty for everything.
        number: See `restrict`.
    """
    source = sources.load(name)
    ask = local(source.model)
    if answers:
        ask = restrict(ask, answers, number)
    return Service(
        ask,
        tuple(source.model.inputs[0].shape[1:]),
        source.input_range or (-1.0, 1.0),
        source.preprocess,
        f"{name} ({answers}{number or ''})" if answers else name,
    )
