"""The answers of a predictor as cells of a table."""

import dataclasses
from collections.abc import Collection
from collections.abc import Sequence

import numpy as np

from reprogram.molecules import alerts as structural
from reprogram.predictors.assessment import Assessment
from reprogram.predictors.molecules.predictor import MoleculePredictor


@dataclasses.dataclass(frozen=True)
class Answers:
    """Writes predictions into the rows of a table.

    Args:
        model: The predictor.
        names: Names of its target columns, or of its classes.
        confidence: See `MoleculePredictor.assess`.
        alerts: Catalogs of structural alerts, see `alerts.CATALOGS`.
    """

    model: MoleculePredictor
    names: tuple[str, ...]
    confidence: float = 0.9
    alerts: tuple[str, ...] = ()

    def columns(self, taken: Collection[str] = ()) -> list[str]:
        """Names the columns, with an ending if some are taken.

        Args:
            taken: Names that are in use.

        Returns:
            `prediction`, `lower` and `upper`, or probabilities and `set`;
            then `in_domain`, `nearest`, `similarity`, a column for each
            catalog of alerts, and `reason`.
        """
        found = []
        for _, ending in self._endings():
            found.append(f"prediction{ending}")
            if self.model.problem == "regression":
                found += [f"lower{ending}", f"upper{ending}"]
            elif self.model.problem == "multilabel":
                found += [f"probability{ending}", f"set{ending}"]
        if self.model.problem == "classification":
            found += [f"probability_{name}" for name in self.names] + ["set"]
        found += ["in_domain", "nearest", "similarity"]
        found += [f"alerts_{name}" for name in self.alerts] + ["reason"]
        number, free = 1, found
        while not set(free).isdisjoint(taken):
            number += 1
            free = [f"{name}_{number}" for name in found]
        return free

    def _endings(self) -> list[tuple[int, str]]:
        count = len(self.model.stacks)
        if self.model.problem == "classification":
            return [(0, "")]
        return [
            (k, f"_{self.names[k]}" if count > 1 else "") for k in range(count)
        ]

    def __call__(
        self, smiles: Sequence[str | None], reasons: Sequence[str]
    ) -> list[list[str]]:
        """Predicts for some rows.

        Args:
            smiles: Valid SMILES; not looked at where the row has a reason.
            reasons: Why a row cannot be used, empty if it can.

        Returns:
            For each row the cells of `columns`, empty except for the reason
            where no prediction is possible.
        """
        width = len(self.columns()) - 1
        cells = [[""] * width + [reason] for reason in reasons]
        good = [row for row, reason in enumerate(reasons) if not reason]
        if not good:
            return cells
        texts = [smiles[row] for row in good]
        found = self.model.assess(texts, self.confidence)
        warned = [structural.alerts(texts, name) for name in self.alerts]
        for place, row in enumerate(good):
            if np.isfinite(found.prediction[place]).all():
                own = [
                    *self._values(found, place),
                    str(bool(found.in_domain[place])).lower(),
                    found.nearest[place],
                    _text(found.similarity[place]),
                    *(names[place] for names in warned),
                ]
                cells[row] = [*own, ""]
            else:
                cells[row][-1] = "the model gives no finite number"
        return cells

    def _values(self, found: Assessment, row: int) -> list[str]:
        values = found.prediction[row]
        if self.model.problem == "classification":
            return self._class(values, found.sets[row])
        cells = []
        for k, _ in self._endings():
            if self.model.problem == "regression":
                numbers = (values[k], found.lower[row, k], found.upper[row, k])
                cells += [_text(number) for number in numbers]
                continue
            inside = found.sets[row, k]
            cells += [str(int(values[k] > 0.5)), _text(values[k])]
            cells.append(" ".join(str(i) for i in (0, 1) if inside[i]))
        return cells

    def _class(self, values: np.ndarray, inside: np.ndarray) -> list[str]:
        classes = self.names
        if len(classes) == 2:
            values = np.array([1 - values[0], values[0]])
            inside = inside[0]
        else:
            values = values / max(values.sum(), 1e-9)
        members = [str(c) for c, within in zip(classes, inside) if within]
        best = str(classes[int(values.argmax())])
        return [best, *map(_text, values), " | ".join(members)]


def _text(number: float) -> str:
    return f"{number:.4g}"
