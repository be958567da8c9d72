"""A service behind a meter: budget, ledger, retries, and checked scores."""

import dataclasses
import hashlib
import math
import time
from collections.abc import Callable

import numpy as np

from reprogram.blackbox import ledger as ledgers
from reprogram.blackbox.errors import BudgetSpent
from reprogram.blackbox.errors import Lost
from reprogram.blackbox.errors import Refused
from reprogram.blackbox.errors import ServiceError
from reprogram.blackbox.ledger import Ledger

PURPOSES = ("train", "validation", "inference", "check")


class Meter:
    """Asks a model that only answers queries, and counts.

    Args:
        service: Function from a NumPy batch `(rows, ...)` to scores `(rows,
            classes)`, or an object such as `HttpService` whose `send(batch,
            key)` raises `Refused`, `Lost` or `ServiceError`.
        ledger: Ledger of queries and scores; by default in memory.
        budget: Largest number of paid queries in all; `None` for no limit.
        price: Price of a query.
        batch_size: Number of inputs in a batch.
        attempts: Number of times that a batch is sent before giving up.
        rate: Largest number of queries a second.
        name: Name of the service; a ledger belongs to one.

    Attributes:
        watch: Function that is called with the number of queries so far, after
            each batch.

    Raises:
        ValueError: If a number is out of range, or the ledger belongs to
            another service.

    Example:
    >>> meter = Meter(lambda x: x.mean(axis=1), budget=3)
    >>> meter.query(np.ones((2, 5, 4), "float32"), "train").shape
    (2, 4)
    >>> meter.bill().queries  # the second input is the same as the first
    1
    """

    def __init__(
        self,
        service: Callable,
        ledger: Ledger | None = None,
        budget: int | None = None,
        price: float = 0.0,
        batch_size: int = 64,
        attempts: int = 6,
        rate: float | None = None,
        name: str = "",
    ):
        self.service = service
        self.ledger = ledger or Ledger()
        self.budget, self.price = budget, price
        self.batch_size, self.attempts = batch_size, attempts
        self.rate = rate or math.inf
        self.name = name or getattr(service, "name", "service")
        self.classes: int | None = None
        numbers = {"budget": budget or 1, "price": price + 1}
        numbers |= {"batch_size": batch_size, "attempts": attempts}
        for key, value in {**numbers, "rate": self.rate}.items():
            if not value > 0:
                raise ValueError(f"`{key}` must be positive: {value}.")
        owner = self.ledger.fact("service", self.name)
        if owner != self.name:
            raise ValueError(
                f"The ledger {self.ledger.path} belongs to the service"
                f" {owner!r}. Received: {self.name!r}. Choose another file."
            )
        self.watch: Callable[[int], None] | None = None
        self._free_at = 0.0

    def bill(self) -> ledgers.Bill:
        """Returns what was paid so far, earlier runs included."""
        bill = self.ledger.bill()
        purposes = dict.fromkeys(PURPOSES, 0) | bill.purposes
        return dataclasses.replace(bill, purposes=purposes)

    def left(self) -> float:
        """Returns the queries that the budget still covers."""
        if self.budget is None:
            return math.inf
        return self.budget - self.bill().queries

    def query(
        self, inputs: np.ndarray, purpose: str, reserve: int = 0
    ) -> np.ndarray:
        """Queries the service for inputs whose scores are not known yet.

        Args:
            inputs: Inputs of the service `(rows, ...)`.
            purpose: `"train"`, `"validation"`, `"inference"` or `"check"`.
            reserve: Number of queries to leave afterwards.

        Returns:
            Scores `(rows, classes)`, float32.

        Raises:
            BudgetSpent: If the budget does not cover the inputs; nothing was
                sent then.
            ServiceError: If the service cannot be used; all scores so far
                are kept.
        """
        if purpose not in PURPOSES:
            raise ValueError(
                f"`purpose` must be one of {', '.join(PURPOSES)}. Received:"
                f" {purpose!r}."
            )
        inputs = np.asarray(inputs, "float32")
        if not np.isfinite(inputs).all():
            raise ValueError(
                "A query contains NaN or infinite values; nothing was sent."
                " Look at the transform and its learning rate."
            )
        keys = digests(inputs)
        known = self.ledger.find(keys)
        rows = list(
            {k: i for i, k in enumerate(keys) if k not in known}.values()
        )
        if rows and len(rows) > self.left() - reserve:
            raise BudgetSpent(self._short(len(rows), reserve))
        for start in range(0, len(rows), self.batch_size):
            part = rows[start : start + self.batch_size]
            names = [keys[i] for i in part]
            known.update(zip(names, self._ask(inputs[part], names, purpose)))
        scores = np.stack([known[key] for key in keys])
        self._check_classes(scores)
        return scores

    def deterministic(self, inputs: np.ndarray) -> bool:
        """Asks the first of some inputs twice; says whether both agree.

        This costs two queries. The ledger keeps the first scores of every
        input, so what follows is repeatable anyway.
        """
        row = np.asarray(inputs[:1], "float32")
        if self.left() < 2:
            raise BudgetSpent(self._short(2, 0))
        key = digests(row)
        first, second = (self._ask(row, key, "check") for _ in range(2))
        return bool(np.array_equal(first, second))

    def _ask(
        self, inputs: np.ndarray, keys: list[bytes], purpose: str
    ) -> np.ndarray:
        """Sends one batch, again if need be."""
        name = hashlib.sha256(b"".join(keys)).hexdigest()[:32]
        for attempt in range(self.attempts):
            self._wait_for_rate(len(inputs))
            if len(inputs) > self.left():
                raise BudgetSpent(self._short(len(inputs), 0))
            price = self.price * len(inputs)
            batch = self.ledger.begin(name, purpose, len(inputs), price)
            problem: Exception
            try:
                scores = self._send(inputs, name)
            except Refused as error:
                self.ledger.close(batch, ledgers.REFUSED, str(error))
                problem = error
            except Lost as error:
                self.ledger.close(batch, ledgers.LOST, str(error))
                problem = error
            except ServiceError as error:
                self.ledger.close(batch, ledgers.LOST, str(error))
                raise
            else:
                self.ledger.answer(batch, keys, scores)
                if self.watch:
                    self.watch(self.bill().queries)
                return scores
            if attempt + 1 < self.attempts:
                wait = getattr(problem, "wait", None)
                time.sleep(
                    min(2.0**attempt, 60) * 0.5 if wait is None else wait
                )
        raise ServiceError(
            f"{self.name}: {self.attempts} attempts failed, the last with:"
            f" {problem} All scores so far are in {self.ledger.path}; the"
            " same command goes on from there."
        )

    def _send(self, inputs: np.ndarray, name: str) -> np.ndarray:
        if hasattr(self.service, "send"):
            scores = self.service.send(inputs, name)
        else:
            scores = self.service(inputs)
        scores = np.asarray(scores, "float32")
        if scores.ndim != 2 or len(scores) != len(inputs):
            raise Lost(
                f"Expected scores of shape ({len(inputs)}, classes). Received:"
                f" {scores.shape}."
            )
        if not np.isfinite(scores).all():
            raise Lost("The answer holds NaN or infinite scores.")
        self._check_classes(scores)
        return scores

    def _check_classes(self, scores: np.ndarray) -> None:
        classes = scores.shape[1]
        if self.classes is None:
            self.classes = int(self.ledger.fact("classes", str(classes)))
        if classes != self.classes:
            raise ServiceError(
                f"{self.name} gave scores of {self.classes} classes before and"
                f" {classes} now: it is another model. Start with a new ledger."
            )

    def _wait_for_rate(self, rows: int) -> None:
        now = time.monotonic()
        time.sleep(max(0.0, self._free_at - now))
        self._free_at = max(now, self._free_at) + rows / self.rate

    def _short(self, rows: int, reserve: int) -> str:
        kept = f" and {reserve} are reserved" if reserve else ""
        return (
            f"{rows} queries are needed, {self.left():.0f} of the budget of"
            f" {self.budget} are left{kept}. Raise the budget to go on; what"
            " was answered is not paid again."
        )


def digests(inputs: np.ndarray) -> list[bytes]:
    """Returns a key for each input `(rows, ...)`: a hash of its values."""
    inputs = np.ascontiguousarray(inputs, "float32")
    shape = str(inputs.shape[1:]).encode()
    return [hashlib.sha256(shape + row.data).digest()[:16] for row in inputs]
