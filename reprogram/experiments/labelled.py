"""A task made ready for an experiment: split, drawn, described."""

import csv
import dataclasses
import io
import json
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from reprogram import files
from reprogram import predictors
from reprogram import series
from reprogram import sources
from reprogram import tasks
from reprogram.predictors.data import Data
from reprogram.tasks import splits
from reprogram.tasks.describe import describe
from reprogram.tasks.describe import readable

SOURCES = {"molecule": "zinc-autoencoder", "image": "shapes", "series": "waves"}
TRAINING = "training.csv"


@dataclasses.dataclass(frozen=True)
class Labelled:
    """The rows of a task with everything an experiment asks for.

    Args:
        read: The task without the rows that the source cannot read.
        data: Rows, targets, draws, test set and source.
        task: The entry `task` of a record.
        train_size: Number of labels of each draw.
        limited: Whether that is fewer than the labels that exist.
        unread: Reasons of the rows that the source cannot read.
    """

    read: tasks.Task
    data: Data
    task: dict[str, Any]
    train_size: int
    limited: bool
    unread: Sequence[str]

    @property
    def notes(self) -> list[str]:
        """Notes for the user before training."""
        return [
            *getattr(self.read, "notes", ()),
            *(f"Not in the table: {name}" for name in self.missing()),
        ]

    @property
    def warnings(self) -> list[str]:
        """Warnings for the record."""
        notes = list(getattr(self.read, "notes", ()))
        return notes + [f"Not read by the source: {row}" for row in self.unread]

    def missing(self) -> list[str]:
        """Names the usual predictors whose extra is not installed."""
        return [
            f'{name} (pip install "reprogram[{predictors.REQUIRES[name][1]}]")'
            for name in predictors.DEFAULTS[self.data.modality]
            if not predictors.available(name)
        ]

    def predictors(
        self, name: str | None, rivals: Sequence[str] | None
    ) -> tuple[str, list[str]]:
        """Chooses what is fitted.

        Args:
            name: Predictor to keep; `None` for the one of the modality.
            rivals: Predictors to compare it with; `None` for those of the
                modality, `["none"]` for no other.

        Returns:
            The name of the predictor to keep and those of its rivals.
        """
        usual, *others = predictors.DEFAULTS[self.data.modality]
        name = name or usual
        if rivals is None:
            others = [n for n in (usual, *others) if predictors.available(n)]
            rivals = [n for n in others if n != name]
        return name, [n for n in rivals if n != "none"]

    def identity(self) -> dict[str, str | None]:
        """Returns the settings besides the flags that results depend on."""
        from reprogram.program import fingerprint

        data = self.data
        assert data.source is not None  # `prepare` always loads one
        return {
            "data": files.digest(data.inputs, data.targets, data.test),
            "weights of the source": fingerprint(data.source.model),
        }

    def everything(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Returns all rows to fit on and to validate on.

        Returns:
            Row numbers; `None` where the number of labels was limited.
        """
        if self.limited:
            return None
        return splits.draw(self.read, np.arange(len(self.data.inputs)))

    def save_training(
        self,
        folder: pathlib.Path,
        rows: tuple[np.ndarray, np.ndarray] | None,
    ) -> None:
        """Writes the molecules that were learned from, with their values.

        Args:
            folder: Folder of the run; gets `training.csv`.
            rows: Rows to fit on and to validate on; `None` for those of the
                first draw.
        """
        if self.data.modality != "molecule":
            return
        chosen = np.concatenate(rows or next(iter(self.data.draws.values())))
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        classes = self.data.problem == "classification"
        columns = ["target"] if classes else list(self.data.names)
        writer.writerow(["id", "smiles", *columns])
        names = getattr(self.read, "identifiers", None)
        for row in chosen:
            values = self.data.targets[row]
            cells = (
                [self.data.names[values]]
                if classes
                else ["" if np.isnan(v) else f"{v:.6g}" for v in values]
            )
            name = str(row + 1) if names is None else str(names[row])
            writer.writerow([name, self.data.inputs[row], *cells])
        files.write_text(folder / TRAINING, text.getvalue())


def prepare(
    name: str,
    options: Mapping[str, Any],
    source: str | None = None,
    split: tuple[str, float] = ("", 0.2),
    train_size: int | None = None,
    seeds: int = 3,
) -> Labelled:
    """Reads a task and its source, splits the rows and draws labels.

    Args:
        name: Name of a task or path of data, see `tasks.load`.
        options: Options of the reader, see `tasks.load`.
        source: Frozen source, see `sources.load`; `None` for the shipped one
            of the modality.
        split: Name of the split, empty for the usual one, and the share of
            the test set.
        train_size: Number of labels of each draw; 0 for all, `None` for what
            the task sets.
        seeds: Number of draws.

    Returns:
        The rows of the task, ready for an experiment.

    Raises:
        ValueError: If the data cannot be read, split or drawn.
    """
    read = tasks.load(name, **options)
    frozen = sources.load(source or SOURCES[read.modality])
    task, unread = readable(read, frozen.explain)
    train, test = splits.split(task, *split)
    if train_size is None:
        train_size = tasks.LABELS.get(str(name), 0)
    draws = {
        seed: splits.draw(task, train, train_size, seed)
        for seed in range(seeds)
    }
    data = Data(
        inputs=task.inputs,
        targets=task.targets,
        problem=task.problem,
        modality=task.modality,
        names=task.target_names,
        draws=draws,
        test=test,
        source=frozen,
    )
    about = describe(task, train, test)
    about["input_shape"] = task.inputs.shape[1:]
    about["standard"] = str(name) not in tasks.AS_PUBLISHED
    if task.modality == "series":
        about["shorter"] = not series.known(task.inputs).all()
    return Labelled(
        task,
        data,
        about,
        train_size or len(train),
        bool(train_size) and train_size < len(train),
        unread,
    )


def unfinished(
    folder: str | pathlib.Path,
    pattern: str,
    configuration: dict[str, Any],
    free: Sequence[str] = (),
) -> pathlib.Path | None:
    """Finds an interrupted run of the same configuration.

    Args:
        folder: Folder of the runs.
        pattern: Pattern of the names of their folders.
        configuration: Settings of the run by name, see `files.claim`.
        free: Names of settings that may differ.

    Returns:
        The newest folder that was claimed for it and has no `record.json`;
        `None` if there is none.
    """
    now = files.plain({k: v for k, v in configuration.items() if k not in free})
    for path in sorted(pathlib.Path(folder).glob(pattern), reverse=True):
        flags, record = path / "flags.json", path / "record.json"
        open_run = flags.exists() and not record.exists()
        if open_run and json.loads(flags.read_text("utf-8")) == now:
            return path
    return None


def read_training(folder: pathlib.Path) -> dict[str, tuple[str, str]]:
    """Reads what `Labelled.save_training` wrote.

    Args:
        folder: Folder of a run.

    Returns:
        Identifier and measured values of each training molecule by its
        SMILES; empty if the run has none.
    """
    path = folder / TRAINING
    if not path.exists():
        return {}
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return {row[1]: (row[0], " | ".join(row[2:])) for row in rows}
