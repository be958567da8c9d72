"""The cells of `benchmarks.images`: one model, one draw of labels, one seed."""

import dataclasses
import functools
import pathlib
import re

import keras
import numpy as np

from reprogram import predictors
from reprogram.predictors import training
from reprogram.predictors.baselines import BaselinePredictor
from reprogram.predictors.data import Data
from reprogram.predictors.recipe import Recipe
from reprogram.program import fingerprint
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import Source
from reprogram.sources import detail
from reprogram.sources.images import fit_images
from reprogram.sources.images import shifted
from reprogram.tasks import splits
from reprogram.tasks.task import Task

TEST = 1000
SOURCES = {
    "MobileNet 0.25": ("MobileNet", 0.25, "mobilenet_v1_0.25_224"),
    "MobileNet 0.75": ("MobileNet", 0.75, "mobilenet_v1_0.75_224"),
    "MobileNetV2": ("MobileNetV2", 1.0, "mobilenet_v2_1.0_224"),
}
FILES = {
    "mnist": ("mnist.npz", "x_{}", "y_{}"),
    "usps": ("usps.npz", "x_{}", "y_{}"),
    "pneumonia": ("pneumoniamnist_rebuilt.npz", "{}_images", "{}_labels"),
}
# The usual probe, of the last layer before the classes.
POOLED = "linear probe, pooled end"
RIVALS = {
    "majority class": "trivial",
    "linear probe": "probe",
    "LoRA": "lora",
    "fine-tuning": "fine-tuning",
    "nearest neighbor": "nearest-neighbor",
    "random forest": "forest",
    POOLED: "probe",
}
# What the recipe of a transform or mapping needs besides its name.
FURTHER = {
    "overlay narrow": {"transform": "overlay", "border": "narrow"},
    "overlay medium": {"transform": "overlay", "border": "medium"},
    "overlay cosine": {"transform": "overlay", "program": "cosine"},
    "padding": {"window": 0.9},
    "center_mix": {"window": 1.0},
    "trainable_resize": {"window": 0.95},
    "linear on answers": {"mapping": "linear", "features": False},
    "frequency": {"labels_per_class": 5},
    "iterative": {"labels_per_class": 5},
    "optimal": {"labels_per_class": 5},
    "random": {"labels_per_class": 5},
}


@dataclasses.dataclass(frozen=True)
class Cell:
    """What is measured: source, task, labels (0 for all), seed and model.

    The model is the name of a baseline, or transform and mapping joined by a
    plus.
    """

    source: str
    task: str
    size: int
    seed: int
    model: str

    def place(self) -> str:
        """Source, task and size in words."""
        return f"{self.source}, {self.task}, {self.size or 'all'} labels"

    def slug(self) -> str:
        """A name for a file."""
        name = f"{self.place()} {self.model} {self.seed}"
        return re.sub(r"[^\w.+]+", "-", name)


class Bench:
    """Keeps what is frozen, sources, tasks and features, between cells.

    Args:
        data: Folder of the files of images.
        weights: Folder of the weights.
        pixels: Side of what the sources read.
    """

    def __init__(self, data: pathlib.Path, weights: pathlib.Path, pixels: int):
        for folder in (data, weights):
            if not folder.is_dir():
                raise FileNotFoundError(
                    f"There is no folder {folder}. Name those of the data and"
                    " the weights with --data and --weights."
                )
        self.task = functools.cache(functools.partial(read_task, data))
        self.source = functools.cache(
            functools.partial(read_source, weights, pixels)
        )
        self.features = functools.lru_cache(2)(self._features)

    def run(self, cell: Cell, quick: bool = False) -> dict:
        """Trains and tests one model.

        Returns:
            The cell with metrics on the test set, parameters and, for
            programs, the losses on validation data.
        """
        task, source = self.task(cell.task), self.source(cell.source)
        train, test = splits.split(task)
        test = test[:200] if quick else test
        data = Data(
            inputs=task.inputs,
            targets=task.targets,
            problem=task.problem,
            modality=task.modality,
            names=task.target_names,
            draws={cell.seed: splits.draw(task, train, cell.size, cell.seed)},
            test=test,
        )
        before = fingerprint(source.model)
        fit = self._rival if cell.model in RIVALS else self._program
        found, count, more = fit(cell, data, source, quick)
        if fingerprint(source.model) != before:
            raise RuntimeError(f"The source of {cell} has changed.")
        result = {"cell": dataclasses.asdict(cell), "frozen": before}
        result |= {"metrics": data.scores(found), "parameters": count}
        return result | more

    def _rival(
        self, cell: Cell, data: Data, source: Source, quick: bool
    ) -> tuple[np.ndarray, int, dict]:
        key, seed = RIVALS[cell.model], cell.seed
        data = dataclasses.replace(data, source=source)
        if key in ("lora", "fine-tuning"):
            recipe = chosen(f"identity+{cell.model}", cell.size, quick)
            recipe = dataclasses.replace(recipe, mapping="linear")
            model = predictors.get(key, seed, recipe)
            model.fit(data, *data.draws[seed])
            found = model.predict(data.inputs[data.test])
            return found, model.parameters, {}
        probe = BaselinePredictor(key, seed)
        if key == "probe":
            rows = np.concatenate(data.draws[seed])
            if cell.model == POOLED:
                layer = pooled(source)
                source = dataclasses.replace(source, feature_layer=layer)
                held = self._read(source, data.inputs[data.test])
            else:
                held = self.features(cell.source, cell.task)
                held = held[: len(data.test)]
            x = self._read(source, data.inputs[rows])
            count = len(data.names)
            probe.fit_table(data.problem, count, x, data.targets[rows])
            return probe.predict_table(held), probe.parameters, {}
        probe.fit(data, *data.draws[seed])
        found = probe.predict(data.inputs[data.test])
        return found, probe.parameters, {}

    def _program(
        self, cell: Cell, data: Data, source: Source, quick: bool
    ) -> tuple[np.ndarray, int, dict]:
        recipe = chosen(cell.model, cell.size, quick)
        fit, held = data.draws[cell.seed]
        shape = (None, *source.model.input_shape[1:])
        model = training.build(
            source, data.problem, data.names, recipe, shape, cell.seed
        )
        pairs = [
            (data.inputs[rows], data.targets[rows]) for rows in (fit, held)
        ]
        history = training.train(model, source, recipe, *pairs)
        found = training.predict(
            model, source, data.problem, data.inputs[data.test], recipe.views
        )
        count = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
        losses = history["val_loss"]
        more = {"start_loss": losses[0], "validation_loss": min(losses)}
        keras.backend.clear_session()
        return found, count, more | {"epochs": len(losses) - 1}

    def _features(self, source: str, task: str) -> np.ndarray:
        images = self.task(task).inputs[splits.split(self.task(task))[1]]
        return self._read(self.source(source), images)

    def _read(self, source: Source, images: np.ndarray) -> np.ndarray:
        reader = Reprogrammer(source.model, feature_layer=source.feature_layer)
        return np.concatenate(
            [
                reader.predict_on_batch(source.preprocess(images[i : i + 128]))
                for i in range(0, len(images), 128)
            ]
        )


def chosen(model: str, size: int, quick: bool) -> Recipe:
    """The recipe of a transform and a mapping, the same on every task."""
    transform, mapping = model.split("+")
    choices = {"transform": transform, "mapping": mapping}
    choices |= FURTHER.get(transform, {}) | FURTHER.get(mapping, {})
    # More labels need fewer copies, and fewer turns.
    many = not 0 < size <= 200
    choices |= {"views": 1 if many else 3, "patience": 2 if many else 5}
    choices["epochs"] = 2 if quick else 8 if many else 20
    return Recipe(**choices)


def read_task(folder: pathlib.Path, name: str) -> Task:
    """Reads a task: all official training data, at most 1,000 test images."""
    file, images, labels = FILES[name]
    with np.load(folder / file) as found:
        parts = [
            part for part in ("train", "val") if images.format(part) in found
        ]
        x = [found[images.format(part)] for part in (*parts, "test")]
        y = [
            found[labels.format(part)].reshape(-1) for part in (*parts, "test")
        ]
    order = np.random.default_rng(0).permutation(len(x[-1]))[:TEST]
    x[-1], y[-1] = x[-1][order], y[-1][order]
    sides = ["train"] * sum(map(len, y[:-1])) + ["test"] * len(order)
    return Task(
        name=name,
        modality="image",
        problem="classification",
        inputs=np.concatenate(x)[..., None],
        targets=np.concatenate(y).astype("int64"),
        target_names=tuple(map(str, range(int(y[0].max()) + 1))),
        metric="balanced_accuracy",
        split=sides,
    )


def pooled(source: Source) -> str:
    """Names the last global pooling of a source."""
    names = [layer.name for layer in source.model.layers]
    return [name for name in names if name.startswith("global_")][-1]


def read_source(folder: pathlib.Path, pixels: int, name: str) -> Source:
    """Builds a source that reads images of some size, with its weights."""
    builder, alpha, file = SOURCES[name]
    model = getattr(keras.applications, builder)(
        (pixels, pixels, 3),
        alpha=alpha,
        weights=None,
        classifier_activation=None,
    )
    model.load_weights(folder / f"{file}.weights.h5")
    return Source(
        model=model,
        name=name,
        modality="image",
        preprocess=lambda x: fit_images(x, pixels, pixels, 3) / 127.5 - 1.0,
        input_range=(-1.0, 1.0),
        feature_layer=detail.layer(model),
        licence="Apache-2.0",
        augment=shifted,
    )
