"""How good and how fast the molecular source is.

    python -m benchmarks.molecular_source --test=jtvae_test.txt \
        --reference=zinc250k.txt --tables=moleculenet [--quick]

Prints one JSON line a figure. `--test`: molecules it was not trained on, one
SMILES a line; RDKit's NCI set, which it was trained on, if none are given.
`--reference`: molecules that its samples should resemble. `--tables`: a folder
with the MoleculeNet files named in `TABLES`; without it, no frozen features.
"""

import json
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator

import numpy as np
from absl import app
from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_bool("quick", False, "Fewer molecules; ends within a minute.")
flags.DEFINE_string("test", "", "Held-out molecules.")
flags.DEFINE_string("reference", "", "Molecules to compare samples with.")
flags.DEFINE_string("tables", "", "Folder of MoleculeNet tables.")
TABLES = {
    "ESOL": (
        "ESOL_delaney-processed.csv",
        "measured log solubility in mols per litre",
    ),
    "FreeSolv": ("FreeSolv_SAMPL.csv", "expt"),
    "Lipophilicity": ("Lipophilicity.csv", "exp"),
    "BBBP": ("BBBP.csv", "p_np"),
    "BACE": ("bace.csv", "Class"),
    "ClinTox": ("clintox.csv", "CT_TOX"),
}
SIZES = (32, 64, 128)
Figure = tuple[str, float, str, float | None]


def quality(source, smiles: list[str], quick: bool) -> Iterator[Figure]:
    """Reconstruction, descriptors and neighborhoods of held-out molecules."""
    from reprogram.sources.pretraining import evaluation

    found = evaluation.evaluate(source, smiles[:500] if quick else smiles)
    yield "molecules", found["molecules"] + found["unread"], "", None
    yield "exact reconstruction", found["exact"], "share", 0.75
    yield "equal characters", found["characters"], "share", None
    yield "Tanimoto to the input", found["tanimoto"], "mean", None
    yield "divergence", found["kl"], "nats", 0.0
    yield "median R2 of descriptors", found["median_r2"], "", 0.95
    for name in ("qed", "MolLogP", "MolWt", "TPSA"):
        yield f"R2 of {name}", found["r2"][name], "", None
    rows = [row for row in evaluation.standard(smiles[:520]) if row]
    explain = source.tokenizer.explain
    rows = [row for row in rows if not explain(row, source.longest)][:500]
    best = 0.0
    for row in evaluation.neighborhoods(source, rows):
        for name in [name for name in row if name != "scale"]:
            scale = row["scale"]
            yield f"noise {scale}: {name}", row[name], "share", None
        best = max(best, row["new_and_similar"])
    yield "new and similar at the best noise", best, "share", 0.3


def samples(source, reference: list[str], quick: bool) -> Iterator[Figure]:
    """What the prior draws."""
    from reprogram.sources.pretraining import evaluation

    rows = [row for row in evaluation.standard(reference) if row]
    found = evaluation.prior(source, rows, 500 if quick else 10_000)
    bars = {"validity_redrawn": 0.99, "uniqueness": 0.99}
    for name, value in found.items():
        yield f"prior: {name}", value, "", bars.get(name)


def speed(source, smiles: list[str], quick: bool) -> Iterator[Figure]:
    """Molecules a second, and the same against a loop in NumPy."""
    from reprogram.sources.pretraining import evaluation

    rows = [row for row in evaluation.standard(smiles[:1100]) if row]
    explain = source.tokenizer.explain
    rows = [row for row in rows if not explain(row, source.longest)][:1024]
    rows = (rows * 1024)[:1024]
    latents = source.encode(rows)
    rounds = 2 if quick else 7
    encode = seconds(lambda: source.encode(rows), rounds)
    decode = seconds(lambda: source.write(latents), rounds)
    written = source.tokenizer(source.write(latents))
    bare = seconds(bare_loop(source, latents, written.shape[1]), rounds)
    yield "encode", len(rows) / encode, "molecules/s", 4000.0
    yield "decode", len(rows) / decode, "molecules/s", 2000.0
    yield "decode over a loop in NumPy", bare / decode, "x", 0.7
    yield "largest memory", resource_mib(), "MiB", -2048.0
    yield "loading", loading(), "s", -3.0


def seconds(function: Callable, rounds: int) -> float:
    """The median of a few calls, after one that is not counted."""
    function()
    clock = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        clock.append(time.perf_counter() - start)
    return float(np.median(clock))


def bare_loop(source, latents: np.ndarray, steps: int) -> Callable:
    """The same recurrent cell, for as many steps, in plain NumPy."""
    writer = source.writer
    kernel, recurrent, bias = map(np.array, writer.recur.cell.weights)
    table = np.array(writer.embed.weights[0])
    hidden, hidden_bias = map(np.array, writer.hidden.weights)
    score, score_bias = map(np.array, writer.score.weights)
    units = writer.units

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    def loop() -> None:
        contexts = np.asarray(source.expander.predict_on_batch(latents))
        state = np.zeros((len(latents), units), "float32")
        token = np.ones(len(latents), int)
        for t in range(steps):
            given = np.concatenate([contexts[:, t], table[token]], axis=1)
            x = given @ kernel + bias[0]
            h = state @ recurrent + bias[1]
            update = sigmoid(x[:, :units] + h[:, :units])
            reset = sigmoid(x[:, units : 2 * units] + h[:, units : 2 * units])
            new = np.tanh(x[:, 2 * units :] + reset * h[:, 2 * units :])
            state = update * state + (1 - update) * new
            both = np.concatenate([state, contexts[:, t]], axis=1)
            both = np.maximum(both @ hidden + hidden_bias, 0)
            token = (both @ score + score_bias).argmax(axis=1)

    return loop


def resource_mib() -> float:
    """The most memory that a process took which encodes and decodes."""
    code = (
        "import resource;from reprogram import sources;"
        "s=sources.load('zinc-autoencoder');"
        "s.decode(s.encode(['CCO']*1024));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1024)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def loading() -> float:
    """Seconds that a source takes to load, without the imports."""
    from reprogram import sources

    return seconds(lambda: sources.load("zinc-autoencoder"), 3)


def features(source, folder: pathlib.Path, quick: bool) -> Iterator[Figure]:
    """Linear heads on frozen features, against random weights."""
    import dataclasses

    import keras

    from reprogram import metrics
    from reprogram import tasks
    from reprogram.predictors import baselines
    from reprogram.sources.molecular import networks
    from reprogram.tasks import splits

    keras.utils.set_random_seed(0)
    size = source.tokenizer.size
    random = networks.describer(size, len(source.class_names))
    random = dataclasses.replace(source, model=random)
    for name, (file, column) in list(TABLES.items())[: 1 if quick else 6]:
        task = tasks.load(folder / file, target_column=column)
        train, test = splits.scaffold_split(task.inputs)
        readable = [not source.explain(row) for row in task.inputs]
        train, test = (part[np.array(readable)[part]] for part in (train, test))
        for n in SIZES:
            scores = {}
            for label, model in (("pretrained", source), ("random", random)):
                x = read(model, task.inputs)
                scores[label] = [
                    head(baselines, metrics, task, x, (train, test, n, seed))
                    for seed in range(2 if quick else 5)
                ]
            better = np.subtract(scores["pretrained"], scores["random"])
            sign = -1 if task.problem == "regression" else 1
            for label, values in scores.items():
                yield f"{name}, n={n}: {label}", np.mean(values), "", None
            gain = sign * better.mean()
            yield f"{name}, n={n}: gain over random", gain, "", 0.0


def read(source, smiles: np.ndarray) -> np.ndarray:
    """Features of the layer that linear heads read; NaN where unreadable."""
    import keras

    layer = source.model.get_layer(source.feature_layer)
    model = keras.Model(source.model.input, layer.output)
    found = np.full((len(smiles), layer.output.shape[-1]), np.nan)
    good = [i for i, row in enumerate(smiles) if not source.explain(row)]
    for start in range(0, len(good), 256):
        part = good[start : start + 256]
        ids = source.preprocess(smiles[part])
        found[part] = np.asarray(model.predict_on_batch(ids))
    return found


def head(baselines, metrics, task, x: np.ndarray, draw: tuple) -> float:
    """The test score of one draw: RMSE, or area under the ROC curve."""
    from reprogram.tasks import splits

    train, test, size, seed = draw
    fit = np.concatenate(splits.draw(task, train, size, seed))
    y = task.targets
    model = baselines.BaselinePredictor("probe", seed)
    model.fit_table(task.problem, len(task.target_names), x[fit], y[fit])
    answers = model.predict_table(x[test])
    found = dict(metrics.evaluate(task.problem, y[test], answers))
    return found["rmse" if task.problem == "regression" else "roc_auc"]


def line(name: str, value: float, unit: str, bar: float | None) -> dict:
    """A figure as a line; a negative bar is an upper limit."""
    holds = None
    if bar is not None:
        holds = bool(value <= -bar if bar < 0 else value >= bar)
        bar = f"at most {-bar:g}" if bar < 0 else f"at least {bar:g}"
    value = round(float(value), 4)
    name = f"molecular source: {name}"
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "bar": bar,
        "holds": holds,
    }


def main(_: list[str]) -> None:
    from reprogram import sources
    from reprogram.sources.pretraining import corpus

    source = sources.load("zinc-autoencoder")
    nci = corpus.rdkit_files()[0]
    test = corpus.read_smiles(FLAGS.test or nci)
    reference = corpus.read_smiles(FLAGS.reference or nci)
    parts = [speed(source, test, FLAGS.quick)]
    parts.append(quality(source, test, FLAGS.quick))
    parts.append(samples(source, reference, FLAGS.quick))
    if FLAGS.tables:
        folder = pathlib.Path(FLAGS.tables)
        parts.append(features(source, folder, FLAGS.quick))
    for part in parts:
        for figure in part:
            print(json.dumps(line(*figure)), flush=True)


if __name__ == "__main__":
    app.run(main)
