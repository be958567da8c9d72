"""Digits and X-rays with few labels on ImageNet models, program and rivals.

    python -m benchmarks.images [--quick] [--shard=0 --num_shards=2]

First one factor at a time, on MobileNet 0.25 with 100 labels: every transform
with one mapping, every mapping with one transform. Then the two programs of
the lowest validation loss, and every baseline, on all sources, tasks and
sizes. A cell is one model of one seed and stays in --output_dir as a file;
the same command goes on where it ended, and other shards run beside it. Prints
one JSON line a figure, what the cells cost, and which are missing.
"""

import collections
import json
import pathlib
import time

import numpy as np
from absl import app
from absl import flags

from benchmarks import image_cells
from benchmarks.image_cells import Cell

FLAGS = flags.FLAGS
flags.DEFINE_bool("quick", False, "One seed of a few cells, small.")
flags.DEFINE_string("data", "../shared/data/images", "Folder of the data.")
flags.DEFINE_string("weights", "../shared/sources/imagenet", "Folder of them.")
flags.DEFINE_string("output_dir", "runs/benchmark-images", "Of the cells.")
flags.DEFINE_integer("pixels", 128, "Side of what the sources read.", 32)
flags.DEFINE_integer("seeds", 5, "Draws of the labels.", 1)
flags.DEFINE_integer("shard", 0, "Which part of the cells to run.", 0)
flags.DEFINE_integer("num_shards", 1, "In how many parts; 0 only reports.", 0)

FIRST = "MobileNet 0.25"
LINEAR = "linear"
OVERLAY = "overlay"
TRANSFORMS = (OVERLAY, "identity", "sample_mask", "trainable_resize")
TRANSFORMS += ("padding", "center_mix", "overlay narrow", "overlay medium")
TRANSFORMS += ("overlay cosine", "patch", "coordinator", "gain", "mixing")
MAPPINGS = ("random", "frequency", "iterative", "optimal", "bayesian")
MAPPINGS += ("bayesian_plus", "correction", "linear on answers")
NOTHING = f"identity+{LINEAR}"
STUDY = tuple((transform, LINEAR) for transform in TRANSFORMS)
STUDY += tuple((OVERLAY, mapping) for mapping in MAPPINGS)
RIVALS = ("majority class", "linear probe", "linear probe, pooled end")
RIVALS += ("nearest neighbor", "random forest", "LoRA", "fine-tuning")
# In the order of importance; 0 labels are all.
SIZES = [("mnist", 100), ("usps", 100), ("pneumonia", 50), ("pneumonia", 200)]
LATER = [("mnist", 1000), ("usps", 1000), ("pneumonia", 0)]
OTHERS = ["MobileNetV2", "MobileNet 0.75"]


def study() -> list[Cell]:
    """One factor at a time, three seeds."""
    return [
        Cell(FIRST, "mnist", 100, seed, "+".join(program))
        for program in STUDY
        for seed in range(3)
    ]


def grid(programs: list[str]) -> list[Cell]:
    """Programs and rivals on all sources, tasks and sizes.

    The first source with few labels comes first, and there what is held
    against each other; the head without a program shows what moved copies of
    the images do alone.
    """
    models = [*RIVALS[:5], *programs, NOTHING, *RIVALS[5:]]
    turns = [[(FIRST, *where) for where in SIZES]]
    turns += [[(FIRST, *where)] for where in LATER[:2]]
    turns += [[(source, *where) for where in SIZES] for source in OTHERS]
    turns += [[(FIRST, *LATER[2])]]
    turns += [[(source, *where) for where in LATER] for source in OTHERS]
    return [
        Cell(*place, seed, model)
        for places in turns
        for model in models
        for place in places
        for seed in range(FLAGS.seeds)
    ]


def read(folder: pathlib.Path) -> dict[Cell, dict]:
    """Reads the cells that are there."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        result = json.loads(path.read_text())
        found[Cell(**result["cell"])] = result
    return found


def best(found: dict[Cell, dict]) -> list[str]:
    """The two programs of the lowest validation loss.

    None before all transforms ran; a mapping takes part once all its seeds
    ran, because mappings of answers cost the most and come far behind.
    """
    losses = collections.defaultdict(list)
    for cell in study():
        if cell in found:
            losses[cell.model].append(found[cell]["validation_loss"])
        elif cell.model.endswith(f"+{LINEAR}"):
            return []
    whole = [model for model in losses if len(losses[model]) == 3]
    return sorted(whole, key=lambda model: np.mean(losses[model]))[:2]


def wanted(found: dict[Cell, dict]) -> list[Cell]:
    """All cells in the order of their importance."""
    if FLAGS.quick:
        models = ["linear probe", "+".join(STUDY[0])]
        return [Cell(FIRST, "mnist", 50, 0, model) for model in models]
    programs = best(found)
    cells = [*study(), *(grid(programs) if programs else [])]
    return list(dict.fromkeys(cells))


def run(folder: pathlib.Path) -> None:
    """Runs the cells of this shard that are not there."""
    bench = image_cells.Bench(
        pathlib.Path(FLAGS.data), pathlib.Path(FLAGS.weights), FLAGS.pixels
    )
    for _ in range(2):  # The second knows the best of the first.
        cells = wanted(read(folder))[FLAGS.shard :: FLAGS.num_shards]
        for cell in cells:
            path = folder / f"{cell.slug()}.json"
            if path.exists():
                continue
            start = time.perf_counter()
            result = bench.run(cell, FLAGS.quick)
            result["seconds"] = round(time.perf_counter() - start, 2)
            part = path.with_suffix(".part")
            part.write_text(json.dumps(result))
            part.replace(path)


def figures(found: dict[Cell, dict]) -> list[dict]:
    """Means over seeds, and the differences of programs to the probe."""
    groups = collections.defaultdict(dict)
    for cell, result in found.items():
        groups[cell.place()].setdefault(cell.model, {})[cell.seed] = result
    lines = []
    for place, models in sorted(groups.items()):
        for model, seeds in models.items():
            lines += _scores(f"images: {place}: {model}", seeds)
        lines += _verdict(place, models)
    return lines


def _scores(name: str, seeds: dict[int, dict]) -> list[dict]:
    from reprogram.report import record

    lines = []
    results = list(seeds.values())
    for key in results[0]["metrics"]:
        values = [result["metrics"][key] for result in results]
        mean, half_width = record.interval(values)
        line = {"name": f"{name}: {key}", "value": mean, "unit": "share"}
        line |= {"half_width": known(half_width), "seeds": len(values)}
        lines.append(line | {"bar": None, "holds": None})
    return lines


def known(value: float) -> float | None:
    """JSON has no number for what one seed cannot tell."""
    return float(value) if np.isfinite(value) else None


def _verdict(place: str, models: dict[str, dict]) -> list[dict]:
    """Holds the best program on validation against the linear probe."""
    from reprogram.report import record

    probe = models.get("linear probe", {})
    losses = {
        model: np.mean([one["validation_loss"] for one in seeds.values()])
        for model, seeds in models.items()
        if model.endswith(f"+{LINEAR}") and len(seeds) == len(probe)
    }
    if not losses:
        return []
    chosen = min(losses, key=losses.get)
    differences = [
        models[chosen][seed]["metrics"]["balanced_accuracy"]
        - probe[seed]["metrics"]["balanced_accuracy"]
        for seed in probe
    ]
    mean, half_width = record.interval(differences)
    shifted = "pneumonia" not in place
    line = {"name": f"images: {place}: {chosen} - linear probe", "value": mean}
    line |= {"half_width": known(half_width), "unit": "balanced accuracy"}
    bar = 0.0 if shifted else -(known(half_width) or 0.0)
    return [line | {"bar": bar, "holds": bool(mean > bar)}]


def main(_: list[str]) -> None:
    folder = pathlib.Path(FLAGS.output_dir) / ("quick" if FLAGS.quick else "")
    folder.mkdir(parents=True, exist_ok=True)
    if FLAGS.num_shards:
        run(folder)
    found = read(folder)
    for line in figures(found):
        print(json.dumps(line), flush=True)
    missing = [cell for cell in wanted(found) if cell not in found]
    seconds = sum(result["seconds"] for result in found.values())
    for name, value, unit in (
        ("cost of all cells", seconds, "s"),
        ("cells", len(found), "cells"),
        ("missing cells", len(missing), "cells"),
    ):
        line = {"name": f"images: {name}", "value": value, "unit": unit}
        print(json.dumps(line | {"bar": None, "holds": None}))
    counts = collections.Counter(
        f"{cell.place()}: {cell.model}" for cell in missing
    )
    for name, count in counts.items():
        line = {"name": f"missing: {name}", "value": count, "unit": "cells"}
        print(json.dumps(line | {"bar": None, "holds": None}))


if __name__ == "__main__":
    app.run(main)
