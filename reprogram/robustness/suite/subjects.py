"""What a report card is about: a model, and rows of a task to test it on."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.program import fingerprint
from reprogram.robustness import models
from reprogram.robustness.checks import checked
from reprogram.robustness.threats import Linf

if TYPE_CHECKING:
    from reprogram.experiments.prediction import Predictor

PROBLEMS = ("classification", "multilabel", "regression")


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """A model and the rows that it is tested on.

    Args:
        name: Of the model.
        model: Takes `(n, ...)`, returns scores `(n, classes)`.
        x: Inputs of the model `(n, ...)`; of molecules SMILES `(n,)`.
        y: Class ids `(n,)`, or values `(n, columns)`.
        modality: `"image"`, `"series"`, `"table"` or `"molecule"`.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        bounds: Lowest and highest value of an input.
        predict: Of molecules: takes SMILES, returns scores or values.
        explain: Says why a molecule cannot be read, empty if it can.
        about: The entries `model` and `data` of a card.
        facts: What was found out about the model; filled in.

    Raises:
        ValueError: If inputs, labels, bounds and model do not fit together.
    """

    name: str
    model: Callable
    x: np.ndarray
    y: np.ndarray
    modality: str
    problem: str = "classification"
    bounds: tuple[float, float] = (0.0, 1.0)
    predict: Callable[[list[str]], np.ndarray] | None = None
    explain: Callable[[str], str] | None = None
    about: dict = dataclasses.field(default_factory=dict)
    facts: models.Facts | None = None

    def __post_init__(self):
        if self.problem not in PROBLEMS:
            raise ValueError(
                f"`problem` is one of {', '.join(PROBLEMS)}. Received:"
                f" {self.problem!r}."
            )
        if not len(self.x) or len(self.x) != len(self.y):
            raise ValueError(
                "Every row needs its label, and there is one row at least."
                f" Received {len(self.x)} rows and {len(self.y)} labels."
            )
        if self.attackable and self.facts is None:
            calm = Linf(0.0, self.bounds)
            x, y, facts = checked(self.model, self.x, self.y, calm)
            for name, value in (("x", x), ("y", y), ("facts", facts)):
                object.__setattr__(self, name, value)

    @property
    def attackable(self) -> bool:
        """Whether the inputs are numbers and the answer is a class."""
        return self.modality != "molecule" and self.problem == PROBLEMS[0]

    @property
    def given(self) -> tuple[Callable, np.ndarray, np.ndarray]:
        """The first arguments of every attack: model, inputs, class ids."""
        return self.model, self.x, self.y

    @property
    def span(self) -> float:
        """From the lowest to the highest value of an input."""
        return float(self.bounds[1]) - float(self.bounds[0])

    @property
    def unit(self) -> str:
        """The unit of the values, empty where there is none."""
        return self.about.get("data", {}).get("unit") or ""

    def rows(self, count: int, seed: int = 0) -> "Subject":
        """Returns the same model with fewer rows, drawn by a seed."""
        if count >= len(self.x):
            return self
        kept = np.sort(
            np.random.default_rng(seed).permutation(len(self.x))[:count]
        )
        return dataclasses.replace(self, x=self.x[kept], y=self.y[kept])

    def scores(self, batch_size: int = 64) -> np.ndarray:
        """Returns the model's answers to all rows."""
        if self.predict is not None:
            return np.asarray(self.predict(list(self.x)))
        answer = models.compiled_scores(self.model)
        parts = [
            ops.convert_to_numpy(answer(self.x[i : i + batch_size]))
            for i in range(0, len(self.x), batch_size)
        ]
        return np.concatenate(parts)


def of_run(
    predictor: "Predictor",
    inputs: np.ndarray,
    targets: np.ndarray,
    name: str = "",
) -> Subject:
    """Makes a subject of a trained run.

    Attacks work on what the model reads after preprocessing, and on single
    answers, not on averages over views.

    Args:
        predictor: What `prediction.load` found.
        inputs: Raw test rows, as in a task.
        targets: Their targets.
        name: Of the card; empty for source and task.
    """
    from reprogram.predictors import training

    record, source = predictor.record, predictor.source
    task, problem = record["task"], record["task"]["problem"]
    about = {
        "model": _described(predictor.model) | _of_record(record),
        "data": {
            key: task.get(key)
            for key in ("unit", "test_rows", "licence", "citation")
        }
        | {"task": task["name"], "classes": task.get("target_names")},
    }
    name = name or f"{record['source']['name']} on {task['name']}"
    if task["modality"] == "molecule":
        views = (record.get("recipe") or {}).get("views", 0)

        def predict(smiles: list[str]) -> np.ndarray:
            batch = np.asarray(smiles, object)
            found = training.predict(
                predictor.model, source, problem, batch, views
            )
            return found if problem == "classification" else found[:, 0]

        more = {"predict": predict, "about": about, "explain": source.explain}
        return Subject(
            name, predictor.model, inputs, targets, "molecule", problem, **more
        )
    x = np.concatenate(
        [
            np.asarray(source.preprocess(inputs[i : i + 256]), "float32")
            for i in range(0, len(inputs), 256)
        ]
    )
    return Subject(
        name,
        predictor.model,
        x,
        targets,
        "series" if x.ndim == 3 else "image",
        problem,
        _bounds(x, source.input_range),
        about=about,
    )


def of_model(
    model: Callable,
    inputs: np.ndarray,
    targets: np.ndarray,
    bounds: tuple[float, float],
    name: str = "model",
    **options: Any,
) -> Subject:
    """Makes a subject of any model that reads the inputs as they are.

    Args:
        model: Takes `(n, ...)`, returns scores `(n, classes)`.
        inputs: What it reads, inside the bounds.
        targets: Class ids, or values.
        bounds: Lowest and highest value of an input.
        name: Of the card.
        **options: Of `Subject`, such as `problem`.

    Example:
    >>> x = np.array([[0.2, 0.9], [0.7, 0.1]], "float32")
    >>> subject = of_model(lambda x: x * 2.0, x, np.array([1, 0]), (0, 1))
    >>> subject.modality, subject.facts.answers
    ('table', 'logits')
    """
    kinds = {2: "table", 3: "series", 4: "image"}
    inputs = np.asarray(inputs)
    if inputs.ndim not in kinds:
        raise ValueError(
            "Inputs are tables (n, features), series (n, steps, channels) or"
            f" images (n, height, width, channels). Received: {inputs.shape}."
        )
    described = _described(model) if isinstance(model, keras.Model) else {}
    about = {"model": {"kind": type(model).__name__} | described}
    about["data"] = options.pop("data", {})
    options = {"modality": kinds[inputs.ndim], "about": about, **options}
    return Subject(name, model, inputs, targets, bounds=bounds, **options)


def _described(model: keras.Model) -> dict:
    weights = model.trainable_weights
    return {
        "kind": type(model).__name__,
        "parameters": model.count_params(),
        "trainable_parameters": sum(int(np.prod(w.shape)) for w in weights),
        "fingerprint": fingerprint(model),
    }


def _of_record(record: dict) -> dict:
    source = record["source"]
    before, after = (
        source[f"fingerprint_{when}"] for when in ("before", "after")
    )
    return {
        "source": source["name"],
        "source_fingerprint": before,
        "frozen": "yes, proven" if before == after else "no",
        "licence": source.get("licence"),
        "citation": source.get("citation"),
    }


def _bounds(x: np.ndarray, known: tuple | None) -> tuple[float, float]:
    low, high = float(x.min()), float(x.max())
    # A source may be fed a little outside the range that it was trained in.
    if known is not None and low >= known[0] and high <= known[1]:
        return float(known[0]), float(known[1])
    return low, max(high, low + 1e-6)
