"""Every input transform and label mapping once, with its golden numbers.

A new layer adds a row to `CASES`; `conformance_test.py` does the rest. Then

    python tests/conformance.py

computes `goldens.json` anew. Read the difference before you commit it: a
number of a row that was there before must not move.
"""

import dataclasses
import json
import pathlib
from collections.abc import Callable

import keras
import numpy as np

from reprogram import mappings
from reprogram import transforms
from reprogram.transforms import programs

GOLDENS = pathlib.Path(__file__).parent / "goldens.json"


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer, what it is made of and the shape of what it reads.

    Options that hold a model come from a function, a new model each time.
    Layers of token ids say how many there are; `random` are those that draw
    in training, whatever their options.
    """

    layer: type
    options: dict | Callable[[], dict]
    shape: tuple[int, ...]
    labels: tuple[int, ...] = ()
    tokens: int = 0
    random: bool = False

    def inputs(self) -> np.ndarray:
        rng = np.random.default_rng(0)
        draw = rng.normal(size=self.shape)
        if self.tokens:
            draw = rng.integers(self.tokens, size=self.shape)
        return draw.astype("float32")

    def build(self, **changes: object) -> keras.layers.Layer:
        """Makes the layer with weights that no backend has drawn."""
        made = self.options() if callable(self.options) else self.options
        layer = self.layer(**{**made, **changes})
        layer.build(self.shape)
        rng = np.random.default_rng(1)
        for weight in layer.weights:
            if weight.dtype == "float32":
                weight.assign(rng.uniform(0.2, 1.2, weight.shape))
        if self.labels:
            layer.adapt(self.inputs(), np.array(self.labels))
        return layer


def _coordinator() -> dict:
    inputs = keras.Input((3, 3, 1))
    features = keras.layers.Dense(2)(keras.layers.Flatten()(inputs))
    encoder = keras.Model(inputs, features, name="encoder")
    options = {"strength": 0.1, "width": 3, "grid": 2}
    return {"target_shape": (5, 6, 2), "encoder": encoder, **options}


CASES = {
    "identity": Case(keras.layers.Identity, {}, (2, 3)),
    "padding of images": Case(
        transforms.Padding,
        {
            "target_shape": (5, 6, 2),
            "window": (2, 3),
            "value_range": (0.0, 4.0),
        },
        (2, 4, 3, 1),
    ),
    "padding of series": Case(
        transforms.Padding,
        {"target_shape": (9, 2), "squash": "linear"},
        (2, 4, 2),
    ),
    "center mix": Case(
        transforms.CenterMix,
        {"target_shape": (5, 6, 2), "window": (3, 4), "share": 0.75},
        (2, 2, 3, 1),
    ),
    "coordinator": Case(transforms.Coordinator, _coordinator, (2, 4, 6, 1)),
    "overlay of images": Case(
        transforms.Overlay,
        {"target_shape": (5, 6, 2), "program": programs.Cosine(3)},
        (2, 4, 3, 1),
    ),
    "overlay of series": Case(
        transforms.Overlay,
        {
            "target_shape": (9, 2),
            "border": 2,
            "program": programs.Patches(2),
            "value_range": (-1.0, 1.0),
        },
        (2, 9, 2),
    ),
    "patch": Case(
        transforms.Patch,
        {
            "target_shape": (5, 6, 2),
            "size": 3,
            "place": (1, 2),
            "program": programs.LowRank(2),
        },
        (2, 5, 6, 2),
    ),
    "sample mask": Case(
        transforms.SampleMask,
        {"target_shape": (6, 5, 2), "widths": (4, 6), "pools": 2},
        (2, 6, 5, 2),
    ),
    "table image": Case(
        transforms.TableImage,
        {
            "target_shape": (6, 7, 2),
            "layout": "upper",
            "program": programs.Orthonormal(5),
        },
        (2, 6),
    ),
    "matrix image": Case(
        transforms.TableImage,
        {"target_shape": (6, 7, 1), "cell": 2, "squash": "linear"},
        (2, 3, 3),
    ),
    "trainable resize": Case(
        transforms.TrainableResize,
        {"target_shape": (7, 6, 2), "scale": 0.5, "edge": 1.5},
        (2, 4, 3, 1),
    ),
    "sonification": Case(
        transforms.Sonification,
        {"target_shape": (12, 2), "value_range": (-1.0, 1.0)},
        (2, 4, 2),
    ),
    "two sounds": Case(
        transforms.Sonification,
        {"target_shape": (9, 1), "sounds": (("values",), ("sums", "slopes"))},
        (2, 4, 1),
    ),
    "segments": Case(
        transforms.Segments,
        {"target_shape": (11, 2), "segments": 2},
        (2, 4, 1),
    ),
    "segments below a program": Case(
        transforms.Segments,
        {
            "target_shape": (9, 1),
            "masked": False,
            "value_range": (-1.0, 1.0),
            "program": programs.Cosine(4),
        },
        (2, 4, 1),
    ),
    "gain": Case(transforms.Gain, {"rms": 0.5}, (2, 4, 3)),
    "mixing": Case(transforms.Mixing, {"channels": 2}, (2, 4, 3)),
    "resampling": Case(transforms.Resampling, {"length": 7}, (2, 5, 2)),
    "missing": Case(transforms.Missing, {}, (2, 4, 2)),
    "rendering of a line": Case(
        transforms.Rendering,
        {"target_shape": (5, 4, 2), "softness": 0.4},
        (2, 6, 1),
    ),
    "rendering of angles": Case(
        transforms.Rendering,
        {"target_shape": (5, 4, 2), "view": "gramian"},
        (2, 6, 2),
    ),
    "rendering of recurrence": Case(
        transforms.Rendering,
        {"target_shape": (4, 4, 1), "view": "recurrence", "softness": 0.5},
        (2, 4, 1),
    ),
    "soft prompt": Case(transforms.SoftPrompt, {"length": 3}, (2, 4, 5)),
    "dense token map": Case(
        transforms.DenseTokenMap,
        {"vocabulary_size": 4, "source_size": 5},
        (2, 3),
        tokens=4,
    ),
    "sparse token map": Case(
        transforms.SparseTokenMap,
        {"vocabulary_size": 4, "width": 5, "nonzeros": 2},
        (2, 3),
        tokens=4,
    ),
    "token rewriting": Case(
        transforms.TokenRewriting,
        {"vocabulary_size": 4, "source_size": 5, "window": 3, "seed": 0},
        (2, 3),
        tokens=4,
        random=True,
    ),
    "random mapping": Case(
        mappings.RandomMapping,
        {"classes": 3, "labels_per_class": 2, "seed": 4},
        (4, 9),
    ),
    "frequency mapping": Case(
        mappings.FrequencyMapping,
        {"classes": 2, "labels_per_class": 2, "aggregation": "logit"},
        (4, 7),
        labels=(1, 0, 0, 1),
    ),
    "linear mapping": Case(mappings.LinearMapping, {"targets": 3}, (4, 6)),
    "linear mapping of low rank": Case(
        mappings.LinearMapping, {"targets": 3, "rank": 2}, (4, 6)
    ),
    "explicit mapping": Case(
        mappings.ExplicitMapping, {"assignment": [[4], [0, 3, 5]]}, (4, 7)
    ),
    "iterative mapping": Case(
        mappings.IterativeMapping, {"classes": 2}, (4, 7), labels=(1, 0, 0, 1)
    ),
    "optimal mapping": Case(
        mappings.OptimalMapping,
        {"classes": 2, "labels_per_class": 2},
        (4, 7),
        labels=(1, 0, 0, 1),
    ),
    "Bayesian mapping": Case(
        mappings.BayesianMapping, {"classes": 5}, (4, 3), labels=(1, 0, 4, 1)
    ),
    "Bayesian mapping plus": Case(
        mappings.BayesianPlusMapping,
        {"classes": 2, "ratio": 1.0, "aggregation": "probability"},
        (4, 7),
        labels=(1, 0, 0, 1),
    ),
    "semantic mapping": Case(
        mappings.SemanticMapping,
        {"similarity": [[0.1, 0.9, 0.2, 0.3], [0.2, 0.8, 0.1, 0.6]]},
        (4, 4),
    ),
    "correction mapping": Case(
        mappings.CorrectionMapping,
        {"classes": 3, "rank": 2},
        (4, 7),
        labels=(1, 0, 2, 1),
    ),
}


def compute() -> dict[str, list]:
    """Returns the answer of every row, six digits of each number."""
    return {
        name: [
            float(f"{value:.6g}")
            for value in np.ravel(case.build()(case.inputs(), training=False))
        ]
        for name, case in CASES.items()
    }


def read() -> dict[str, list]:
    return json.loads(GOLDENS.read_text())


if __name__ == "__main__":
    rows = (f'"{name}": {values}' for name, values in compute().items())
    GOLDENS.write_text("{\n" + ",\n".join(rows) + "\n}\n")
