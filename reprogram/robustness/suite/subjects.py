"""Subjects of a report card: a model, and rows of a task to test it on."""

import dataclasses
import os
import pathlib
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.program import fingerprint
from reprogram.robustness import models
from reprogram.robustness.checks import checked
from reprogram.robustness.threats import Linf

PROBLEMS = ("classification", "multilabel", "regression")


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """A model and the rows that it is tested on.

    Args:
        name: Name of the model.
        model: Function from inputs `(n, ...)` to scores `(n, classes)`.
        x: Inputs of the model `(n, ...)`; for molecules SMILES `(n,)`.
        y: Class ids `(n,)`, or values `(n, columns)`.
        modality: `"image"`, `"series"`, `"table"` or `"molecule"`.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        bounds: Lowest and highest value of an input.
        predict: Function from SMILES to scores or values, for molecules.
        explain: Function from a SMILES string to the reason why the model
            cannot read it, empty if it can.
        held_out: Predictions for the rows by the same model before it saw
            them, `(n, columns)`; `None` if it has never seen them.
        about: Dict with the entries `model`, `data` and `warnings` of a card,
            and `promises`: how often the model's intervals held the truth.
        facts: Facts about the model; determined from the inputs if `None`.

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
    held_out: np.ndarray | None = None
    about: dict = dataclasses.field(default_factory=dict)
    facts: models.Facts | None = None

    def __post_init__(self) -> None:
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
        """Whether the inputs are numbers and the output is a class."""
        return self.modality != "molecule" and self.problem == PROBLEMS[0]

    @property
    def known(self) -> models.Facts:
        """The facts about the model of an attackable subject."""
        if self.facts is None:
            raise ValueError(f"Nothing is known of the model of {self.name}.")
        return self.facts

    @property
    def given(self) -> tuple[Callable, np.ndarray, np.ndarray]:
        """The first arguments of every attack: model, inputs, class ids."""
        return self.model, self.x, self.y

    @property
    def span(self) -> float:
        """The difference between the highest and lowest value of an input."""
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
        tested = None if self.held_out is None else self.held_out[kept]
        few: dict[str, Any] = {
            "x": self.x[kept],
            "y": self.y[kept],
            "held_out": tested,
        }
        return dataclasses.replace(self, **few)

    def predicted(self, smiles: Iterable[str]) -> np.ndarray:
        """Returns scores or values for SMILES."""
        if self.predict is None:
            raise ValueError(f"{self.name} does not read SMILES.")
        return np.asarray(self.predict(list(smiles)))

    def scores(self, batch_size: int = 64) -> np.ndarray:
        """Returns the model's scores or values for all rows."""
        if self.predict is not None:
            return self.predicted(self.x)
        answer = models.compiled_scores(self.model)
        parts = [
            ops.convert_to_numpy(answer(self.x[i : i + batch_size]))
            for i in range(0, len(self.x), batch_size)
        ]
        return np.concatenate(parts)


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
        model: Function from inputs `(n, ...)` to scores `(n, classes)`.
        inputs: Inputs of the model inside the bounds, `(n, ...)`.
        targets: Class ids `(n,)`, or values `(n, columns)`.
        bounds: Lowest and highest value of an input.
        name: Name of the card.
        **options: Further arguments of `Subject`, such as `problem`.

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
    known = described(model) if isinstance(model, keras.Model) else {}
    about = {"model": {"kind": type(model).__name__} | known}
    about["data"] = options.pop("data", {})
    options = {"modality": kinds[inputs.ndim], "about": about, **options}
    return Subject(name, model, inputs, targets, bounds=bounds, **options)


def of_file(
    path: str | os.PathLike,
    name: str,
    bounds: tuple[float, float],
    split: str = "",
) -> Subject:
    """Makes a subject of a Keras file and the test rows of a task.

    Args:
        path: Path of a `.keras` file.
        name: Name or file of a task; its images are resized to fit the model
            and scaled to the bounds.
        bounds: Lowest and highest value of an input of the model.
        split: Name of a split of the task; empty for its default.

    Raises:
        ValueError: If the task is of molecules, or does not fit the model.
    """
    from reprogram import tasks
    from reprogram.sources.images import fit_images
    from reprogram.tasks import splits

    task = tasks.load(name)
    if task.modality == "molecule":
        raise ValueError(
            "A .keras file reads no molecules. Evaluate a run: --run=FOLDER."
        )
    model = keras.saving.load_model(path, compile=False)
    test = splits.split(task, split, 0.2)[1]
    inputs, (low, high) = task.inputs[test], bounds
    if task.modality == "image":
        fitted = fit_images(inputs, *model.input_shape[1:])
        inputs = np.clip(fitted / 255 * (high - low) + low, low, high)
    data = {"task": task.name, "classes": list(task.target_names)}
    title = f"{pathlib.Path(path).stem} on {task.name}"
    more = {"problem": task.problem, "data": data}
    return of_model(model, inputs, task.targets[test], bounds, title, **more)


def described(model: keras.Model) -> dict[str, Any]:
    """Returns the facts about a Keras model for a card."""
    weights = model.trainable_weights
    return {
        "kind": type(model).__name__,
        "parameters": model.count_params(),
        "trainable_parameters": sum(int(np.prod(w.shape)) for w in weights),
        "fingerprint": fingerprint(model),
    }
