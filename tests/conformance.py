"""Every input transform and label mapping once, with its golden numbers.

A new layer adds a row to `CASES`; `conformance_test.py` does the rest. Then

    python tests/conformance.py

computes `goldens.json` anew. Read the difference before you commit it: a
number of a row that was there before must not move.
"""

import dataclasses
import json
import pathlib

import keras
import numpy as np

from reprogram import mappings
from reprogram import transforms

GOLDENS = pathlib.Path(__file__).parent / "goldens.json"


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer, what it is made of and the shape of what it reads."""

    layer: type
    options: dict
    shape: tuple[int, ...]
    labels: tuple[int, ...] = ()

    def inputs(self) -> np.ndarray:
        draw = np.random.default_rng(0).normal(size=self.shape)
        return draw.astype("float32")

    def build(self, **changes: object) -> keras.layers.Layer:
        """Makes the layer with weights that no backend has drawn."""
        layer = self.layer(**{**self.options, **changes})
        layer.build(self.shape)
        rng = np.random.default_rng(1)
        for weight in layer.weights:
            if weight.dtype == "float32":
                weight.assign(rng.uniform(0.2, 1.2, weight.shape))
        if self.labels:
            layer.adapt(self.inputs(), np.array(self.labels))
        return layer


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
    "soft prompt": Case(transforms.SoftPrompt, {"length": 3}, (2, 4, 5)),
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
