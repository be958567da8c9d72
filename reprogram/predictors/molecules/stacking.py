"""The default predictor of one column of numbers: parts and their weights."""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from reprogram.predictors.molecules.features import Rows
from reprogram.predictors.molecules.features import take
from reprogram.predictors.molecules.parts import Part
from reprogram.predictors.molecules.weighing import folds
from reprogram.predictors.molecules.weighing import trust
from reprogram.predictors.molecules.weighing import weigh

SMALL = 512


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
            if known:
                self._restore(known)
            else:
                self._choose(features, y)
            self.models = {
                part.name: self._fit(part, features, y, self.seed, self.thetas)
                for part, share in zip(self.parts, self.shares, strict=True)
                if share
            }
        return self

    def _fit(
        self,
        part: Part,
        features: Mapping[str, Rows],
        y: np.ndarray,
        seed: int,
        thetas: Mapping[str, Sequence[float]],
    ) -> object:
        model = part.make(self.problem, seed)
        if part.name in thetas:
            return model.fit(features, y, np.array(thetas[part.name]))
        return model.fit(features, y)

    def _choose(self, features: Mapping[str, Rows], y: np.ndarray) -> None:
        answers, spread = self._left_out(features, y)
        self.errors = np.sqrt(((answers - y[:, None]) ** 2).mean(axis=0))
        shares = weigh(answers, y, trust(self.errors))
        self.shares = np.where(shares < 0.01, 0, shares)
        self.shares[0] = max(self.shares[0], 1e-6)
        self.shares /= self.shares.sum()
        self.without = answers @ self.shares
        self.scores = np.abs(y - self.without) / spread
        self.thetas = {}

    def _left_out(
        self, features: Mapping[str, Rows], y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Answers of all parts, and deviations, about rows left out."""
        fold = folds(y, self.problem, self.count, self.seed)
        answers = np.full((len(y), len(self.parts)), y.mean())
        spread = np.full(len(y), y.std() or 1.0)
        for k in range(self.count):
            held, rest = fold == k, fold != k
            if not held.any() or len(np.unique(y[rest])) < 2:
                continue
            inside, outside = take(features, rest), take(features, held)
            for i, part in enumerate(self.parts):
                model = self._fit(part, inside, y[rest], k, {})
                answers[held, i] = model.predict(outside)
                if i == 0:
                    spread[held] = model.deviation(outside)
        return answers, spread

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
