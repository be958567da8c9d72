"""How often `reprogram.diagnose` advises what then wins.

    python -m benchmarks.diagnose [--quick]

Reads finished cells of `benchmarks.series` and `benchmarks.images` for what
won on the test set: the linear probe, or a program with a head (of series the
default, of images the best on validation data), mean over the seeds; within
one point both are right. The diagnosis itself sees the training labels of the
first seed. Prints one JSON line a task and the share of right advice.
"""

import itertools
import json
import pathlib
from collections.abc import Iterator

import numpy as np
from absl import app
from absl import flags

# The two modules define the same flags: those of the first are read here.
from benchmarks import series

FLAGS = flags.FLAGS
flags.DEFINE_string("images", "runs/benchmark-images", "Cells of images.")
flags.DEFINE_string("image_data", "../shared/data/images", "The images.")
flags.DEFINE_string("weights", "../shared/sources/imagenet", "Of MobileNet.")
flags.DEFINE_integer("pixels", 128, "Side of what MobileNet reads.")
LEVEL = 0.01
IMAGES = (("mnist", 100), ("usps", 100), ("pneumonia", 50), ("pneumonia", 200))


def won(probe: list[float], program: list[float]) -> set[str]:
    """The advice that the test results make right."""
    difference = np.mean(program) - np.mean(probe)
    if abs(difference) < LEVEL:
        return {"linear probe", "both", "program"}
    return {"linear probe"} if difference < 0 else {"both", "program"}


def of_series() -> Iterator[tuple]:
    from reprogram import sources

    source = sources.load(FLAGS.source)
    for name in FLAGS.sets or series.SETS:
        found = {}
        for model in ("linear probe", series.DEFAULT):
            paths = [
                series.Cell(name, 0, seed, model).path() for seed in range(5)
            ]
            found[model] = [
                json.loads(path.read_text())["accuracy"]
                for path in paths
                if path.exists()
            ]
        if all(found.values()):
            data = series.load(series.Cell(name, 0, 0, "linear probe"))
            yield name, source, data, *found.values()


def of_images() -> Iterator[tuple]:
    from benchmarks import image_cells
    from reprogram.tasks import splits

    folder = pathlib.Path(FLAGS.image_data)
    weights = pathlib.Path(FLAGS.weights)
    cells = pathlib.Path(FLAGS.images)
    for name, (task, size) in itertools.product(image_cells.SOURCES, IMAGES):
        probe, program = results(cells, name, task, size)
        if probe and program:
            source = image_cells.read_source(weights, FLAGS.pixels, name)
            whole = image_cells.read_task(folder, task)
            train, _ = splits.split(whole)
            rows = np.concatenate(splits.draw(whole, train, size, 0))
            pair = (whole.inputs[rows], whole.targets[rows])
            yield f"{name}, {task}-{size}", source, pair, probe, program


def results(
    folder: pathlib.Path, source: str, task: str, size: int
) -> tuple[list[float], list[float]]:
    """Test results of the probe, and of the program best on validation."""
    found, losses = {}, {}
    stem = f"{source.replace(' ', '-')}-{task}-{size}-labels"
    for path in sorted(folder.glob(f"{stem}-*.json")):
        result = json.loads(path.read_text())
        model = result["cell"]["model"]
        value = result["metrics"]["balanced_accuracy"]
        found.setdefault(model, []).append(value)
        loss = result.get("validation_loss", np.inf)
        losses.setdefault(model, []).append(loss)
    probe = found.get("linear probe", [])
    programs = [
        model
        for model in found
        if model.endswith("+linear") and not model.startswith("identity")
        if len(found[model]) == len(probe)
    ]
    best = min(programs, key=lambda one: np.mean(losses[one]), default=None)
    return probe, found.get(best, [])


def main(_: list[str]) -> None:
    from reprogram import diagnose

    right = []
    tasks = [*of_series()][: 1 if FLAGS.quick else None]
    if not FLAGS.quick and pathlib.Path(FLAGS.images).exists():
        tasks += of_images()
    for name, source, data, probe, program in tasks:
        found = diagnose(source, data)
        right.append(found.advice in won(probe, program))
        line = {
            "name": f"advice for {name}",
            "value": found.advice,
            "probe": float(np.mean(probe)),
            "program": float(np.mean(program)),
            "skill": found.skill,
            "start_skill": found.start_skill,
            "trial": found.trial,
            "gain": found.gain,
            "holds": right[-1],
        }
        print(json.dumps(line), flush=True)
    figure = {"name": "share of right advice", "tasks": len(right)}
    figure["value"] = float(np.mean(right)) if right else None
    print(json.dumps(figure | {"unit": "share", "bar": None}))


if __name__ == "__main__":
    app.run(main)
