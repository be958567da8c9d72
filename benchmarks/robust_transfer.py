"""Does a robust source make a robust reprogrammed model?

    python -m benchmarks.robust_transfer [--quick]

Three small CNNs learn 6,000 images of MNIST: as usual, under PGD at 0.1 in
Linf, and under Gaussian noise. Each is reprogrammed for a near target (USPS,
ten classes) and a far one (X-rays of pneumonia, two classes) by an additive
program and a linear mapping of its answers, from 500 labels, with `fit` as
usual and under PGD. Epochs are selected on validation data, under attack
where training was. A cell is one source, target and seed and stays in
--output_dir; the same command goes on where it ended. Prints one JSON line a
figure: means and 95 % intervals over seeds.
"""

import itertools
import json
import pathlib

import keras
import numpy as np
from absl import app
from absl import flags

from benchmarks.robustness_models import network

FLAGS = flags.FLAGS
flags.DEFINE_bool("quick", False, "One seed, few images, one target.")
flags.DEFINE_string("data", "../shared/data/images", "Folder of the data.")
flags.DEFINE_string("output_dir", "runs/benchmark-robust-transfer", "Of cells.")
flags.DEFINE_integer("seeds", 5, "Sources and draws of labels.", 1)
flags.DEFINE_integer("auto_attack_seeds", 1, "Seeds that it runs on.", 0)
flags.DEFINE_integer("samples", 128, "Test images that are attacked.", 8)
flags.DEFINE_integer("shard", 0, "Which part of the cells to run.", 0)
flags.DEFINE_integer("num_shards", 1, "In how many parts; 0 only reports.", 0)

SOURCES = ("standard", "adversarial", "noise")
TARGETS = {"usps": 10, "pneumonia": 2}
EPSILON, NOISE, LABELS, HELD = 0.1, 0.25, 500, 200
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
MEASURES = ("clean", "apgd", "auto_attack", "certified_radius")


def read(name: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images in [0, 1] of 28 x 28 and their classes."""
    file = "pneumoniamnist_rebuilt" if name == "pneumonia" else name
    with np.load(pathlib.Path(FLAGS.data) / f"{file}.npz") as found:
        keys = (f"{part}_images", f"{part}_labels")
        if keys[0] not in found:
            keys = (f"x_{part}", f"y_{part}")
        x, y = (found[key] for key in keys)
    x = x.reshape(len(x), *x.shape[1:3], 1).astype("float32") / 255
    if x.shape[1] != 28:
        x = keras.ops.convert_to_numpy(keras.ops.image.resize(x, (28, 28)))
    return np.clip(x, 0, 1), y.reshape(-1).astype("int32")


def draw(name: str, part: str, count: int, seed: int) -> tuple:
    x, y = read(name, part)
    rows = np.random.default_rng(seed).permutation(len(x))[:count]
    return x[rows], y[rows]


def trained_source(kind: str, seed: int) -> keras.Model:
    """Trains a source, or reads the one that was trained."""
    from reprogram.robustness import Linf
    from reprogram.robustness.hardening.hardened import Hardened

    keras.utils.set_random_seed(seed)
    model = network()
    path = pathlib.Path(FLAGS.output_dir) / f"{kind}-{seed}.weights.h5"
    if path.exists():
        model.load_weights(path)
        return model
    x, y = draw("mnist", "train", 2000 if FLAGS.quick else 6000, seed)
    learner = model
    if kind == "adversarial":
        learner = Hardened(model, Linf(EPSILON), seed=seed)
    if kind == "noise":
        noise = keras.layers.GaussianNoise(NOISE, seed=seed)
        learner = keras.Sequential([keras.Input((28, 28, 1)), noise, model])
    learner.compile(keras.optimizers.Adam(1e-3), LOSS)
    epochs = 2 if FLAGS.quick else 6
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = keras.callbacks.BackupAndRestore(path.parent / f"{kind}-{seed}")
    learner.fit(
        x, y, batch_size=128, epochs=epochs, callbacks=[kept], verbose=0
    )
    model.save_weights(path)
    return model


def reprogram(source: keras.Model, place: tuple, hard: bool):
    """Trains a program on the source; the epoch is selected on validation."""
    kind, target, seed = place
    from reprogram import mappings
    from reprogram import transforms
    from reprogram.reprogrammer import Reprogrammer
    from reprogram.robustness import Linf
    from reprogram.robustness.hardening.hardened import Hardened

    x, y = draw(target, "train", LABELS + HELD, 100 + seed)
    keras.utils.set_random_seed(seed)
    model = Reprogrammer(
        source,
        # Not clipped, as that would hide gradients from attacks.
        transforms.Overlay((28, 28, 1), value_range=None),
        mappings.LinearMapping(TARGETS[target]),
    )
    model.build((None, 28, 28, 1))
    name = f"{kind}-{target}-{seed}-{'hard' if hard else 'natural'}"
    path = pathlib.Path(FLAGS.output_dir) / f"{name}.weights.h5"
    if path.exists():
        model.load_program(path)
        return model
    model.adapt(x[:LABELS], y[:LABELS])
    learner = Hardened(model, Linf(EPSILON), seed=seed) if hard else model
    learner.compile(keras.optimizers.Adam(3e-3), LOSS)
    stop = keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)
    learner.fit(
        x[:LABELS],
        y[:LABELS],
        validation_data=(x[LABELS:], y[LABELS:]),
        epochs=2 if FLAGS.quick else 15,
        batch_size=64,
        callbacks=[stop],
        verbose=0,
    )
    model.save_program(path)
    return model


def cell(kind: str, target: str, seed: int) -> dict:
    """Trains both programs on one source and measures all three."""
    from reprogram.program import fingerprint
    from reprogram.robustness import Linf
    from reprogram.robustness.suite.suites import Plan
    from reprogram.robustness.suite.transfer import transfer_report

    source = trained_source(kind, seed)
    before = fingerprint(source)
    programs = {
        name: reprogram(
            source, (kind, target, seed), name == "adversarial program"
        )
        for name in ("natural program", "adversarial program")
    }
    if fingerprint(source) != before:
        raise RuntimeError("The source has changed.")
    plan = Plan(
        samples=FLAGS.samples,
        steps=50,
        auto_attack="fast",
        smoothed=50,
        seed=seed,
    )
    count = 4 * FLAGS.samples
    data = {"source": draw("mnist", "test", count, seed)}
    data["target"] = draw(target, "test", count, seed)
    measures = [
        measure
        for measure in MEASURES
        if measure != "auto_attack" or seed < FLAGS.auto_attack_seeds
    ]
    found = transfer_report(
        source, programs, data, Linf(EPSILON), measures, plan
    )
    return {
        "cell": [kind, target, seed],
        "results": {
            measure: dict(zip(found.models, row))
            for measure, row in found.results.items()
        },
    }


def figures(cells: list[dict]) -> list[dict]:
    """Means over seeds of each model and measure, and transfer ratios."""
    from reprogram.report.statistics import interval

    lines = []
    for kind, target in itertools.product(SOURCES, TARGETS):
        own = [c for c in cells if c["cell"][:2] == [kind, target]]
        for measure in MEASURES if own else ():
            rows = [c["results"].get(measure) for c in own]
            rows = [row for row in rows if row]
            for model in rows[0] if rows else ():
                values = [row[model]["value"] for row in rows]
                mean, half = interval(values)
                name = f"{kind} source, {target}, {model}, {measure}"
                line = {"name": name, "value": mean, "half_width": half}
                line |= {"seeds": len(values), "unit": "share", "bar": None}
                base = [row["source"]["value"] for row in rows]
                if model != "source" and np.mean(base) > 0:
                    line["over_source"] = mean / float(np.mean(base))
                lines.append(line)
    return lines


def main(_: list[str]) -> None:
    from reprogram.files import plain
    from reprogram.files import write_text

    if not pathlib.Path(FLAGS.data).is_dir():
        raise app.UsageError(f"There is no folder {FLAGS.data}: name it.")
    folder = pathlib.Path(FLAGS.output_dir)
    seeds = 1 if FLAGS.quick else FLAGS.seeds
    targets = ["usps"] if FLAGS.quick else list(TARGETS)
    cells, missing = [], 0
    every = itertools.product(range(seeds), targets, SOURCES)
    for number, (seed, target, kind) in enumerate(every):
        path = folder / f"{kind}-{target}-{seed}.json"
        ours = FLAGS.num_shards and number % FLAGS.num_shards == FLAGS.shard
        if not path.exists() and ours:
            found = plain(cell(kind, target, seed))
            write_text(path, json.dumps(found) + "\n")
            keras.backend.clear_session()
        if path.exists():
            cells.append(json.loads(path.read_text("utf-8")))
        else:
            missing += 1
    for line in figures(cells):
        print(json.dumps(line), flush=True)
    if missing:
        print(f"# {missing} cells are missing.")


if __name__ == "__main__":
    app.run(main)
