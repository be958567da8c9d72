"""Covariance matrix adaptation, for programs of few values."""

from collections.abc import Callable

import numpy as np
from keras import ops

from reprogram.blackbox.errors import BudgetSpent
from reprogram.blackbox.forward import mean_losses
from reprogram.blackbox.reprogrammer import BlackBoxReprogrammer
from reprogram.blackbox.training import Pair

LARGE = 500  # values above which the covariance is diagonal


def evolve(
    model: BlackBoxReprogrammer,
    training: Pair,
    validation: Pair,
    deviation: float = 0.3,
    batch_size: int = 20,
    keep: int = 0,
    tell: Callable[[str], None] = print,
) -> dict[str, list[float]]:
    """Trains the program by CMA-ES until the budget is used up.

    Each generation is judged on one batch of training data. Every tenth the
    mean of the population is validated, and the best of these is kept. The
    mapping learns from the first scores and stays.

    Args:
        model: Compiled `BlackBoxReprogrammer`; programs of up to some hundred
            values work best, see `transforms.programs`.
        training: Pair of inputs and class ids.
        validation: Pair of inputs and class ids, used to choose the generation.
        deviation: Standard deviation of the first population.
        batch_size: Number of samples that judge a generation.
        keep: Number of queries to leave at the end, such as for a test.
        tell: Function that is called with lines of progress.

    Returns:
        `val_loss` and `queries` at each validation.

    Raises:
        ImportError: If the package cma is not installed.
        ValueError: If the service has no budget, or there is no program.

    Reference: Hansen, The CMA evolution strategy: a tutorial, 2016.
    """
    try:
        import cma
    except ImportError as error:
        raise ImportError(
            "CMA-ES needs the package cma: pip install reprogram[search]"
        ) from error
    if model.meter.budget is None:
        raise ValueError("CMA-ES runs until the budget ends. Set `budget`.")
    x, y = training
    model.reserve = len(validation[0]) + keep
    model.adapt(x, y)
    start = model.values()
    if not len(start):
        raise ValueError("The transform has no trainable values.")
    strategy = cma.CMAEvolutionStrategy(
        start.astype("float64"),
        deviation,
        {
            "seed": model.seed + 1,
            "verbose": -9,
            "CMA_diagonal": len(start) > LARGE,
        },
    )
    rng = np.random.default_rng(model.seed)
    history: dict[str, list[float]] = {"val_loss": [], "queries": []}
    best = (np.inf, start)

    def validate() -> None:
        nonlocal best
        model.assign(strategy.mean)
        loss = model.evaluate(*validation, verbose=0, return_dict=True)["loss"]
        history["val_loss"].append(loss)
        history["queries"].append(model.meter.bill().queries)
        best = min(best, (loss, np.array(strategy.mean)), key=lambda p: p[0])
        tell(f"{history['queries'][-1]} queries, val_loss {loss:.4g}")

    generation = 0
    try:
        validate()
        while not strategy.stop():
            rows = rng.permutation(len(x))[:batch_size]
            points = np.array(strategy.ask())
            scores = model.scores_at(points, x[rows], "train")
            losses = mean_losses(model.mapping, model.loss, scores, y[rows])
            strategy.tell(points, ops.convert_to_numpy(losses))
            generation += 1
            if generation % 10 == 0:
                validate()
    except BudgetSpent as spent:
        model.stopped = str(spent)
        if model.meter.left() >= len(validation[0]) + keep:
            validate()
    model.assign(best[1])
    return history
