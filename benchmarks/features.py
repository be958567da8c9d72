"""What a linear head on few labels reads best: which layer of a source.

    python -m benchmarks.features [--quick]

The pooled end of a source against the layer that `Source.feature_layer`
names, by the cross-validated skill of a linear probe on training labels: 0 is
chance, 1 perfect. `shapes` on scikit-learn's digits; MobileNets on digits and
X-rays, `waves` on UCR series where their files are at hand. Prints one JSON
line a figure, mean and 95 % interval over draws of the labels.
"""

import dataclasses
import json
import pathlib
from collections.abc import Iterator

import numpy as np
from absl import app
from absl import flags

from benchmarks import series

FLAGS = flags.FLAGS
flags.DEFINE_string("image_data", "../shared/data/images", "The images.")
flags.DEFINE_string("weights", "../shared/sources/imagenet", "Of MobileNets.")
flags.DEFINE_integer("pixels", 128, "Side of what MobileNets read.")
SIZE = 100
# The last layer of each source before its classes.
ENDS = {"shapes": "features", "waves": "features"}
ENDS |= {"MobileNet 0.25": "global_average_pooling2d"}
ENDS |= {"MobileNetV2": "global_average_pooling2d"}


def tasks_of() -> Iterator[tuple]:
    """Source, name, inputs and classes to draw labels from."""
    from benchmarks import image_cells
    from reprogram import sources
    from reprogram import tasks
    from reprogram.tasks import splits

    digits = tasks.load("digits")
    rows, _ = splits.split(digits)
    yield sources.load("shapes"), "digits", digits, rows
    folder = pathlib.Path(FLAGS.image_data)
    if folder.is_dir() and not FLAGS.quick:
        for name in list(ENDS)[2:]:
            weights = pathlib.Path(FLAGS.weights)
            source = image_cells.read_source(weights, FLAGS.pixels, name)
            for kind in image_cells.FILES:
                task = image_cells.read_task(folder, kind)
                yield source, kind, task, splits.split(task)[0]
    if pathlib.Path(FLAGS.data).exists() and not FLAGS.quick:
        for kind in series.SETS:
            data = series.load(series.Cell(kind, 0, 0, ""))
            rows = np.concatenate(data.draws[0])
            yield sources.load("waves"), kind, data, rows


def skills(source: object, data: object, rows: np.ndarray, layer: str) -> list:
    """Skills of a probe of a layer, one a draw of at most `SIZE` labels."""
    from reprogram.diagnosis import measures

    source, found = dataclasses.replace(source, feature_layer=layer), []
    for seed in range(1 if FLAGS.quick else FLAGS.seeds):
        chosen = np.random.default_rng(seed).permutation(rows)[:SIZE]
        x, y = data.inputs[chosen], data.targets[chosen]
        read = source.preprocess(x)
        count = int(data.targets.max()) + 1
        sample = measures.Sample(source, x, read, y, "classification", count)
        features = measures.read(source, sample.plain, layer)
        found.append(measures.skill(features, sample))
    return found


def main(_: list[str]) -> None:
    from reprogram import files
    from reprogram.report import record

    for source, kind, data, rows in tasks_of():
        for layer in (ENDS[source.name], source.feature_layer):
            layers = [one.name for one in source.model.layers]
            name = next(one for one in layers if one.startswith(layer))
            values = skills(source, data, rows, name)
            mean, half_width = record.interval(values)
            line = {"name": f"{source.name}, {kind}, {SIZE} labels, {layer}"}
            line |= {"value": mean, "half_width": half_width, "bar": None}
            line |= {"seeds": len(values), "unit": "skill"}
            print(json.dumps(files.plain(line)), flush=True)


if __name__ == "__main__":
    app.run(main)
