"""The default predictor of one column of numbers: parts and their weights."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from reprogram.predictors.molecules.features import Rows
from reprogram.predictors.molecules.features import take
from reprogram.predictors.molecules.parts import Part
from reprogram.predictors.molecules.process import Process
from reprogram.predictors.molecules.weighing import folds
from reprogram.predictors.molecules.weighing import trust
from reprogram.predictors.molecules.weighing import weigh

SMALL = 1024


class Stack:
    """The weighted mean of parts, their weights chosen inside the labels.

    Five-fold cross-validation says what each part answers about molecules
    that it has not seen. The shares start from the errors there and move, the
    further the more labels there are, to the combination that errs least.

    Args:
        parts: See `parts.Part`.
        problem: `"regression"` or `"labels"` (0 and 1).
        seed: Seed of the folds and of the parts.
        count: Number of folds.

    Reference: Breiman, Stacked Regressions, 1996.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        problem: str,
        seed: int = 0,
        count: int = 5,
    ):
        self.parts, self.problem = tuple(parts), problem
        self.seed, self.count = seed, count

    def fit(
        self,
        features: Mapping[str, Rows],
        y: np.ndarray,
        known: Mapping[str, object] | None = None,
    ) -> "Stack":
        """Chooses the shares and fits all parts to all rows.

        Args:
            features: Of the training molecules, see `features.compute`.
            y: Their values `(rows,)`.
            known: What `state` returned, to fit again without choosing again.

        Returns:
            Itself.
        """
        y = np.asarray(y, float)
        # So small a problem is faster without threads.
        with threadpool_limits(1 if len(y) <= SMALL else None):
            self.models: dict = {}
            if known:
                self._restore(known)
            else:
                self._choose(features, y)
            missing = [
                part
                for part, share in zip(self.parts, self.shares, strict=True)
                if share and part.name not in self.models
            ]
            self.models |= self._whole(missing, features, y)
        return self

    def _whole(
        self, parts: Sequence[Part], features: Mapping[str, Rows], y: np.ndarray
    ) -> dict[str, object]:
        """Fits parts to all rows."""

        def fit(part: Part) -> object:
            model = part.make(self.problem, self.seed)
            if part.name in self.thetas:
                return model.fit(features, y, np.array(self.thetas[part.name]))
            return model.fit(features, y)

        models = self._map(fit, [(part,) for part in parts], len(y))
        return {p.name: m for p, m in zip(parts, models, strict=True)}

    def _choose(self, features: Mapping[str, Rows], y: np.ndarray) -> None:
        self.thetas = {}
        processes = [
            part
            for part in self.parts
            if isinstance(part.make(self.problem, 0), Process)
        ]
        self.models = self._whole(processes, features, y)
        answers, spread = self._left_out(features, y)
        self.errors = np.sqrt(((answers - y[:, None]) ** 2).mean(axis=0))
        shares = weigh(answers, y, trust(self.errors))
        self.shares = np.where(shares < 0.01, 0, shares)
        self.shares[0] = max(self.shares[0], 1e-6)
        self.shares /= self.shares.sum()
        self.without = answers @ self.shares
        self.scores = np.abs(y - self.without) / spread

    def _left_out(
        self, features: Mapping[str, Rows], y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Answers of all parts, and deviations, about rows left out."""
        fold = folds(y, self.problem, self.count, self.seed)
        answers = np.full((len(y), len(self.parts)), y.mean())
        spread = np.full(len(y), y.std() or 1.0)

        def leave_out(k: int, i: int) -> None:
            held, rest = fold == k, fold != k
            inside, outside = take(features, rest), take(features, held)
            model = self.parts[i].make(self.problem, k)
            if isinstance(model, Process):
                # All labels choose where the choice starts, not where it ends.
                start = self.models[self.parts[i].name].theta
                model.fit(inside, y[rest], start=start)
            else:
                model.rough = True
                model.fit(inside, y[rest])
            answers[held, i] = model.predict(outside)
            if i == 0:
                spread[held] = model.deviation(outside)

        used = [
            k
            for k in range(self.count)
            if (fold == k).any() and len(np.unique(y[fold != k])) > 1
        ]
        work = [(k, i) for i in range(len(self.parts)) for k in used]
        self._map(leave_out, work, len(y))
        return answers, spread

    def _map(
        self, function: Callable, work: Sequence[tuple], rows: int
    ) -> list[Any]:
        """Calls a function, for few rows in threads: many need memory."""
        if rows > SMALL:
            return [function(*arguments) for arguments in work]
        jobs = [joblib.delayed(function)(*arguments) for arguments in work]
        return joblib.Parallel(require="sharedmem")(jobs)

    def predict(self, features: Mapping[str, Rows]) -> np.ndarray:
        """Returns the value of each row `(rows,)`."""
        return sum(
            share * self.models[part.name].predict(features)
            for part, share in zip(self.parts, self.shares, strict=True)
            if share
        )

    def deviation(self, features: Mapping[str, Rows]) -> np.ndarray:
        """Returns how unsure each row is, in units of the target `(rows,)`."""
        first = self.models[self.parts[0].name]
        return first.deviation(features)

    def carried(self) -> dict[str, dict[str, float]]:
        """Says what each part contributed, the largest share first.

        Returns:
            For each part its `share` and its `error` (root mean square) on
            the labels that it was not fitted to.
        """
        order = np.argsort(-self.shares, kind="stable")
        return {
            self.parts[i].name: {
                "share": float(self.shares[i]),
                "error": float(self.errors[i]),
            }
            for i in order
        }

    def state(self) -> dict[str, object]:
        """Returns what `fit` needs to fit again, as JSON can hold it."""
        chosen = {
            name: model.theta.tolist()
            for name, model in self.models.items()
            if hasattr(model, "theta")
        }
        names = ("shares", "errors", "without", "scores")
        return {"thetas": chosen} | {
            name: getattr(self, name).tolist() for name in names
        }

    def _restore(self, known: Mapping[str, object]) -> None:
        self.thetas = known["thetas"]
        for name in ("shares", "errors", "without", "scores"):
            setattr(self, name, np.array(known[name], float))
