"""UCR series heard by a model of spoken words: programs, rivals, few labels.

    python -m benchmarks.series [--quick] [--shard=0 --num_shards=2]

Official splits; the program's epoch is chosen on a fifth of the training
labels. First all training labels, then 5, 10 and 20 a class. A cell is one
model on one set with one seed and stays in --output_dir as a file; the same
command goes on where it ended. Prints one JSON line a figure, what the cells
cost, and which are missing. MiniRocket needs the extra `series`.
"""

import dataclasses
import itertools
import json
import pathlib
import time

import numpy as np
from absl import app
from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_bool("quick", False, "One seed of Coffee, the default only.")
flags.DEFINE_string("data", "../shared/data/series/ucr.npz", "The sets.")
flags.DEFINE_string(
    "source",
    "../shared/sources/speech/speechcmd_attrnn_v2_35.npz",
    "Weights of the model of spoken words.",
)
flags.DEFINE_string("output_dir", "runs/benchmark-series", "Of the cells.")
flags.DEFINE_integer("seeds", 5, "Draws and initializations.", 1)
flags.DEFINE_list("sets", [], "Of the data, instead of the five published.")
flags.DEFINE_list("each", ["0", "5", "10", "20"], "Labels a class; 0: all.")
flags.DEFINE_list("models", [], "Instead of all.")
flags.DEFINE_integer("shard", 0, "Which part of the cells to run.", 0)
flags.DEFINE_integer("num_shards", 1, "In how many parts; 0 only reports.", 0)

SETS = ("Coffee", "ECG200", "GunPoint", "Earthquakes", "ItalyPowerDemand")
DEFAULT = "reprogrammed, the default"
PROGRAMS = {
    DEFAULT: {},
    "sonification, head, program trained": {"epochs": 40},
    "segments, head": {"transform": "segments"},
    "segments, random mapping (V2S)": {
        "transform": "segments",
        "mapping": "random",
        "labels_per_class": 18,
        "learning_rate": 0.05,
        "epochs": 100,
        "patience": 20,
    },
}
QUICK_RIVALS = ("majority class", "nearest neighbor", "random forest")
RIVALS = (*QUICK_RIVALS, "MiniRocket, ridge", "linear probe")
TUNED = ("LoRA", "fine-tuning")
RIVAL_KEYS = {
    "majority class": "trivial",
    "nearest neighbor": "nearest-neighbor",
    "random forest": "forest",
    "MiniRocket, ridge": "minirocket",
    "linear probe": "probe",
    "LoRA": "lora",
    "fine-tuning": "fine-tuning",
}
# Published mean of Voice2Series on these sets, and of 1,000 ROCKET kernels
# with ridge (5 seeds).
BAR, ROCKET = 0.918, 0.912


@dataclasses.dataclass(frozen=True)
class Cell:
    """One model on one set with one seed; `each` labels a class, 0 for all."""

    set: str
    each: int
    seed: int
    model: str

    def path(self) -> pathlib.Path:
        words = (self.set, self.each or "all", self.model, self.seed)
        name = "-".join(map(str, words)).replace(" ", "_").replace(",", "")
        return pathlib.Path(FLAGS.output_dir) / f"{name}.json"


def cells() -> list[Cell]:
    """All cells, in the order in which they matter."""
    seeds = range(FLAGS.seeds)
    if FLAGS.quick:
        return [Cell("Coffee", 0, 0, m) for m in (*QUICK_RIVALS, DEFAULT)]
    sets = FLAGS.sets or SETS
    each = list(map(int, FLAGS.each))
    found = [
        Cell(name, n, seed, model)
        for n, seed, name in itertools.product(each, seeds, sets)
        for model in (*RIVALS, *PROGRAMS, *TUNED)
        if n == 0 or model in (*RIVALS, DEFAULT)
    ]
    return [c for c in found if not FLAGS.models or c.model in FLAGS.models]


def load(cell: Cell) -> object:
    """The data of a cell."""
    from reprogram.predictors.data import Data

    found = np.load(FLAGS.data)
    x, y = (
        [found[f"{cell.set}_{kind}_{part}"] for part in ("train", "test")]
        for kind in ("x", "y")
    )
    names, labels = np.unique(np.concatenate(y), return_inverse=True)
    inputs = np.concatenate([part.reshape(len(part), -1) for part in x])
    count = len(x[0])
    rows = draw(labels[:count], cell.each, cell.seed)
    return Data(
        inputs=inputs[..., None].astype("float32"),
        targets=labels,
        problem="classification",
        modality="series",
        names=tuple(map(str, names)),
        draws={cell.seed: rows},
        test=np.arange(count, len(labels)),
    )


def draw(
    labels: np.ndarray, each: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to fit and to validate on: a fifth of each class, one at least."""
    rng = np.random.default_rng(seed)
    fit, held = [], []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        rows = rows[: each or len(rows)]
        count = max(1, len(rows) // 5)
        held.extend(rows[:count])
        fit.extend(rows[count:])
    return np.sort(fit), np.sort(held)


def run(cell: Cell) -> dict:
    """Trains and tests the model of a cell."""
    from reprogram import sources
    from reprogram.program import fingerprint

    data = load(cell)
    source = sources.load(FLAGS.source)
    before = fingerprint(source.model)
    start = time.perf_counter()
    if cell.model in PROGRAMS:
        found = reprogram(cell, data, source)
    else:
        found = rival(cell, data, source)
    scores = data.scores(found)
    return {
        **dataclasses.asdict(cell),
        **scores,
        "frozen": before == fingerprint(source.model),
        "seconds": time.perf_counter() - start,
    }


def reprogram(cell: Cell, data: object, source: object) -> np.ndarray:
    from reprogram.predictors import training
    from reprogram.predictors.recipe import Recipe

    recipe = Recipe(**PROGRAMS[cell.model])
    fit, held = data.draws[cell.seed]
    shape = (None, *source.preprocess(data.inputs[:1]).shape[1:])
    model = training.build(
        source, data.problem, data.names, recipe, shape, cell.seed
    )
    pairs = [(data.inputs[r], data.targets[r]) for r in (fit, held)]
    training.train(model, source, recipe, *pairs)
    inputs = data.inputs[data.test]
    return training.predict(model, source, data.problem, inputs, recipe.views)


def rival(cell: Cell, data: object, source: object) -> np.ndarray:
    from reprogram import predictors

    data = dataclasses.replace(data, source=source)
    key = RIVAL_KEYS[cell.model]
    model = predictors.get(key, cell.seed).fit(data, *data.draws[cell.seed])
    return model.predict(data.inputs[data.test])


def report(found: list[dict]) -> None:
    """Prints accuracies of sets, and means over the sets of each seed."""
    from reprogram import files
    from reprogram.report import record

    table: dict[tuple, dict] = {}
    for cell in found:
        key = (cell["each"] or "all", cell["model"])
        place = table.setdefault(key, {}).setdefault(cell["set"], {})
        place[cell["seed"]] = cell["accuracy"]
    for (each, model), sets in table.items():
        rows = {name: list(values.values()) for name, values in sets.items()}
        if len(sets) == len(FLAGS.sets or SETS):
            seeds = set.intersection(*(set(v) for v in sets.values()))
            means = [[v[s] for v in sets.values()] for s in sorted(seeds)]
            rows["mean of the sets"] = [float(np.mean(m)) for m in means]
        for name, values in rows.items():
            mean, half_width = record.interval(values)
            figure = {
                "name": f"{name}, {each} labels a class, {model}",
                "value": mean,
                "half_width": half_width,
                "seeds": len(values),
                "unit": "accuracy",
                "bar": None,
            }
            published = name.startswith("mean") and not FLAGS.sets
            if published and (each, model) == ("all", DEFAULT):
                figure |= {"bar": BAR, "holds": mean >= BAR}
            print(json.dumps(files.plain(figure)), flush=True)


def main(_: list[str]) -> None:
    from reprogram import files

    wanted = cells()
    for cell in wanted[FLAGS.shard :: FLAGS.num_shards or len(wanted)]:
        if not FLAGS.num_shards or cell.path().exists():
            continue
        try:
            found = run(cell)
        except ImportError as error:
            print(f"# {cell.model} is left out: {error}", flush=True)
            continue
        files.write_text(cell.path(), json.dumps(found))
        words = (*dataclasses.astuple(cell), round(found["accuracy"], 4))
        print(f"# {words} {found['seconds']:.0f} s", flush=True)
    done = [
        json.loads(cell.path().read_text())
        for cell in wanted
        if cell.path().exists()
    ]
    report(done)
    spent = sum(cell["seconds"] for cell in done) / 60
    thawed = sum(not cell["frozen"] for cell in done)
    print(f"# {len(wanted) - len(done)} cells missing, {spent:.0f} minutes")
    print(f"# the source changed in {thawed} of {len(done)} cells")


if __name__ == "__main__":
    app.run(main)
