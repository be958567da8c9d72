"""The default predictor of one column of numbers: parts and their shares."""

import warnings
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Self

import joblib
import numpy as np
from scipy import optimize
from sklearn import model_selection
from threadpoolctl import threadpool_limits

from reprogram.predictors.molecules.features import take
from reprogram.predictors.molecules.models import Forest
from reprogram.predictors.molecules.models import Model
from reprogram.predictors.molecules.parts import Part
from reprogram.predictors.molecules.process import Process
from reprogram.predictors.molecules.tables import Features

SMALL = 1024  # rows up to which fits share the cores; larger ones use them all
ROUGH = 50  # trees of a forest that only says how wrong forests are
FOLDS = 5
CHOSEN = ("shares", "errors", "without", "scores")


class Stack:
    """The weighted mean of parts, their weights chosen inside the labels.

    Five-fold cross-validation says what each part predicts of molecules that
    it has not seen. The shares start from the errors there and move, the
    further the more labels there are, to the combination that errs least.

    Args:
        parts: The parts, of which the first one is a `Process`.
        problem: `"regression"` or `"labels"` (0 and 1).
        seed: Seed of the folds and of the parts.

    Reference: Breiman, Stacked Regressions, 1996.
    """

    def __init__(self, parts: Sequence[Part], problem: str, seed: int = 0):
        self.parts, self.problem, self.seed = tuple(parts), problem, seed

    def fit(
        self,
        features: Features,
        y: np.ndarray,
        known: Mapping[str, Any] | None = None,
    ) -> Self:
        """Chooses the shares and fits all parts to all rows.

        Args:
            features: Features of the training molecules, see
                `features.compute`.
            y: Target values of the molecules `(rows,)`.
            known: Earlier choices, as `state` returned them, to use again;
                chosen anew if `None`.

        Returns:
            This stack.
        """
        y = np.asarray(y, float)
        # So small a problem is faster without threads inside of each fit.
        with threadpool_limits(1 if len(y) <= SMALL else None):
            models: dict[str, Model] = {}
            if known:
                for name in CHOSEN:
                    setattr(self, name, np.array(known[name], float))
            else:
                models = self._choose(features, y)
            used = [p for p, share in zip(self.parts, self.shares) if share]
            missing = [part for part in used if part.name not in models]
            thetas = known["thetas"] if known else {}
            models |= self._fit(missing, features, y, thetas)
        self.models = {part.name: models[part.name] for part in used}
        return self

    def _fit(
        self,
        parts: Sequence[Part],
        features: Features,
        y: np.ndarray,
        thetas: Mapping[str, Sequence[float]],
    ) -> dict[str, Model]:
        def fit(part: Part) -> Model:
            model = part.make(self.problem, self.seed)
            if part.name in thetas and isinstance(model, Process):
                return model.fit(features, y, np.array(thetas[part.name]))
            return model.fit(features, y)

        models = _map(fit, [(part,) for part in parts], len(y))
        return dict(zip([part.name for part in parts], models, strict=True))

    def _choose(self, features: Features, y: np.ndarray) -> dict[str, Model]:
        """Chooses the shares; returns the processes, fitted to all rows."""
        processes = [part for part in self.parts if part.kind is Process]
        models = self._fit(processes, features, y, {})
        values, spread = self._leave_out(features, y, models)
        self.errors = np.sqrt(((values - y[:, None]) ** 2).mean(axis=0))
        shares = weigh(values, y, trust(self.errors))
        self.shares = np.where(shares < 0.01, 0, shares)
        self.shares[0] = max(self.shares[0], 1e-6)
        self.shares /= self.shares.sum()
        self.without = values @ self.shares
        self.scores = np.abs(y - self.without) / spread
        return models

    def _leave_out(
        self, features: Features, y: np.ndarray, models: Mapping[str, Any]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Predictions of all parts, and deviations, of rows left out."""
        values = np.full((len(y), len(self.parts)), y.mean())
        spread = np.full(len(y), y.std() or 1.0)

        def leave_out(
            i: int, k: int, rest: np.ndarray, held: np.ndarray
        ) -> None:
            inside, outside = take(features, rest), take(features, held)
            model = self.parts[i].make(self.problem, k)
            if isinstance(model, Process):
                # The choice starts near its end, but is made without the fold.
                start = models[self.parts[i].name].theta
                model.fit(inside, y[rest], start=start)
            elif isinstance(model, Forest):
                model.fit(inside, y[rest], trees=ROUGH)
            else:
                model.fit(inside, y[rest])
            values[held, i] = model.predict(outside)
            if i == 0 and isinstance(model, Process):
                spread[held] = model.deviation(outside)

        deal = folds(y, self.problem, self.seed)
        work = [
            (i, k, rest, held)
            for i in range(len(self.parts))
            for k, (rest, held) in enumerate(deal)
            if len(np.unique(y[rest])) > 1
        ]
        _map(leave_out, work, len(y))
        return values, spread

    def predict(self, features: Features) -> np.ndarray:
        """Returns the value of each row `(rows,)`."""
        values = [model.predict(features) for model in self.models.values()]
        return self.shares[self.shares > 0] @ np.stack(values)

    def deviation(self, features: Features) -> np.ndarray:
        """Returns the uncertainty of each row, in target units `(rows,)`."""
        first = self.models[self.parts[0].name]
        assert isinstance(first, Process)  # see Args
        return first.deviation(features)

    def carried(self) -> dict[str, dict[str, float]]:
        """Says what each part contributed, the largest share first.

        Returns:
            For each part its `share` and its `error` (root mean square) on
            the labels that it was not fitted to.
        """
        return {
            self.parts[i].name: {
                "share": float(self.shares[i]),
                "error": float(self.errors[i]),
            }
            for i in np.argsort(-self.shares, kind="stable")
        }

    def state(self) -> dict[str, Any]:
        """Returns the choices that `fit` can use again, ready for JSON."""
        thetas = {
            name: model.theta.tolist()
            for name, model in self.models.items()
            if isinstance(model, Process)
        }
        chosen = {name: getattr(self, name).tolist() for name in CHOSEN}
        return {"thetas": thetas} | chosen


def _map(function: Callable, work: Sequence[tuple], rows: int) -> list[Any]:
    """Calls a function, for few rows in threads: many need memory."""
    if rows > SMALL:
        return [function(*arguments) for arguments in work]
    calls = [joblib.delayed(function)(*arguments) for arguments in work]
    return joblib.Parallel(require="sharedmem")(calls)


def folds(
    y: np.ndarray, problem: str, seed: int = 0
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Deals rows into five folds or fewer, class by class for labels.

    Returns:
        For each fold the rows outside of it and the rows in it.
    """
    labels = y > 0.5
    largest = max(labels.sum(), (~labels).sum())
    options: dict[str, Any] = {"shuffle": True, "random_state": seed}
    if problem == "regression" or largest < 2:
        deal = model_selection.KFold(min(FOLDS, len(y)), **options)
        return list(deal.split(y))
    deal = model_selection.StratifiedKFold(min(FOLDS, largest), **options)
    with warnings.catch_warnings():
        # Not every fold needs a molecule of a rare class.
        warnings.filterwarnings("ignore", "The least populated class")
        return list(deal.split(y, labels))


def weigh(
    values: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    strength: float = 0.3,
) -> np.ndarray:
    """Finds shares of the parts whose weighted mean is nearest to the truth.

    Args:
        values: Predictions of each part without the row `(rows, parts)`.
        y: True values `(rows,)`.
        start: Prior shares of the parts `(parts,)`.
        strength: Weight of the prior shares, as a number of rows.

    Returns:
        Shares `(parts,)`, none negative, their sum 1.
    """
    errors, parts = values - y[:, None], len(start)
    pull = np.sqrt(strength * (errors**2).sum() / parts)
    one = 1e3 * (np.abs(errors).sum() + pull + 1e-12)  # holds the sum at 1
    rows = np.concatenate(
        [errors, pull * np.eye(parts), np.full((1, parts), one)]
    )
    target = np.concatenate([np.zeros(len(y)), pull * start, [one]])
    shares, _ = optimize.nnls(rows, target)
    return shares / shares.sum()


def trust(errors: np.ndarray, power: float = 16.0) -> np.ndarray:
    """Turns the errors `(parts,)` into shares, the less error the more."""
    floor = max(float(errors.min()), 1e-12)
    shares = (floor / np.maximum(errors, floor)) ** power
    return shares / shares.sum()
