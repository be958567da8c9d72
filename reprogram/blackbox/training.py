"""Training by queries from start to end: progress, best program, resume."""

import time
from collections.abc import Callable

import keras
import numpy as np

from reprogram.blackbox.errors import BudgetSpent
from reprogram.blackbox.reprogrammer import BlackBoxReprogrammer

Pair = tuple[np.ndarray, np.ndarray]


class Spending(keras.callbacks.Callback):
    """Reports queries, cost, quality and the time left after every epoch.

    Args:
        tell: Function that is called with a line of text.
    """

    def __init__(self, tell: Callable[[str], None] = print):
        super().__init__()
        self.tell = tell

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._start = time.perf_counter()
        self._before = self.model.meter.bill().queries

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.model.idle = True

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        bill, budget = self.model.meter.bill(), self.model.meter.budget
        if logs is not None:
            logs["queries"] = bill.queries
        if self.model.idle:
            return
        of = f" of {budget}" if budget else ""
        line = f"epoch {epoch + 1}: {bill.queries}{of} queries"
        if bill.price:
            line += f", cost {bill.price:.2f}"
        for name, value in (logs or {}).items():
            if name != "queries":
                line += f", {name} {value:.4g}"
        new = bill.queries - self._before
        if budget and new > 0:
            spent = time.perf_counter() - self._start
            left = spent / new * (budget - bill.queries)
            line += f", about {left / 60:.1f} min left"
        self.tell(line)


def train(
    model: BlackBoxReprogrammer,
    training: Pair,
    validation: Pair,
    epochs: int = 1000,
    batch_size: int = 20,
    keep: int = 0,
    tell: Callable[[str], None] = print,
) -> dict[str, list[float]]:
    """Trains until the budget or the epochs are used up; keeps the best.

    The mapping learns from the first scores, which count. Of all epochs the
    program with the lowest validation loss is kept, the start included.
    Started again with the same ledger and seeds, it repeats for free what was
    paid and goes on.

    Args:
        model: Compiled `BlackBoxReprogrammer`.
        training: Pair of inputs and class ids.
        validation: Pair of inputs and class ids, used to choose the epoch.
        epochs: Largest number of epochs.
        batch_size: Number of samples a step.
        keep: Number of queries to leave at the end, such as for a test.
        tell: Function that is called with lines of progress.

    Returns:
        `loss`, `val_loss`, `queries` and the metrics of each epoch.

    Raises:
        BudgetSpent: If the budget does not cover the mapping's queries, the
            first validation and one step; nothing was asked then.
    """
    keras.utils.set_random_seed(model.seed)
    held = len(validation[0])
    check_budget(model, len(training[0]), held, batch_size, keep)
    model.reserve = held + keep
    model.adapt(*training)
    start = model.evaluate(*validation, verbose=0, return_dict=True)
    warm = model.get_weights()
    best = keras.callbacks.EarlyStopping(
        patience=epochs, restore_best_weights=True
    )
    history = model.fit(
        *training,
        batch_size=batch_size,
        validation_data=validation,
        epochs=epochs,
        callbacks=[Spending(tell), best],
        verbose=0,
    ).history
    if not min(history.get("val_loss", [np.inf])) < start["loss"]:
        model.set_weights(warm)
    if model.idle:  # stopped before the first step of an epoch
        history = {name: values[:-1] for name, values in history.items()}
    if model.stopped:
        tell(f"Stopped: {model.stopped}")
    return history


def check_budget(
    model: BlackBoxReprogrammer,
    rows: int,
    held: int,
    batch_size: int,
    keep: int = 0,
) -> None:
    """Checks that a budget covers the least that training needs.

    Raises:
        BudgetSpent: If it does not.
    """
    step = model.step_queries(min(rows, batch_size))
    needed, budget = rows + 2 * held + step + keep, model.meter.budget
    if budget is not None and needed > budget:
        raise BudgetSpent(
            f"Training needs at least {needed} queries: {rows} for the"
            f" mapping, {held} to validate the start, {step} for a step,"
            f" {held} to validate it and {keep} kept. The budget is {budget}:"
            " raise it, lower `batch_size`, or use fewer directions or"
            " samples."
        )
