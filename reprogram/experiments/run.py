"""One task, several seeds, every baseline: from data to a record."""

import dataclasses
import json
import pathlib
import time
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from reprogram import files
from reprogram import mappings
from reprogram.predictors import data as comparison
from reprogram.predictors import recipe as recipes
from reprogram.predictors import series_as_images
from reprogram.predictors.data import Data
from reprogram.predictors.data import Features
from reprogram.program import fingerprint
from reprogram.report.pages import program as pictures
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import Source

PICTURES = (
    "image",
    "series",
)  # `series_as_images.reader` lets that source read these.


def run(
    data: Data,
    source: Source,
    recipe: recipes.Recipe,
    folder: pathlib.Path,
    tell: Callable[[str], None] = print,
) -> dict:
    """Trains and tests the reprogrammed source and the baselines.

    Finished seeds are kept in `folder/seeds` and not run again.

    Args:
        data: Rows, targets, draws and test set.
        source: The frozen source.
        recipe: How to reprogram it.
        folder: Where `model.keras`, `program.weights.h5` (first seed) and
            the seeds' results go.
        tell: Called with a line of progress.

    Returns:
        The parts of a record that come from training: see
        `report.schema.FIELDS`.

    Raises:
        ValueError: If the source reads something else than the data are, or
            if its parts of the recipe do not go together.
    """
    source = series_as_images.reader(source, data.modality)
    _check_modality(data, source)
    features = Features(data, source)
    folder.mkdir(parents=True, exist_ok=True)
    for line in comparison.missing(data.modality):
        tell(line)
    before = fingerprint(source.model)
    results = []
    for seed in data.draws:
        path = folder / "seeds" / f"{seed}.json"
        lost = not results and not (folder / "model.keras").exists()
        if lost or not path.exists():
            result = _seed(seed, data, features, recipe, folder)
            files.write_text(path, json.dumps(files.plain(result)))
        results.append(json.loads(path.read_text()))
        tell(_progress(results[-1], len(results), len(data.draws)))
    return {
        "seeds": list(data.draws),
        "source": {
            "name": source.name,
            "parameters": source.model.count_params(),
            "fingerprint_before": before,
            "fingerprint_after": fingerprint(source.model),
            "licence": source.licence,
            "citation": source.citation,
        },
        "recipe": dataclasses.asdict(recipe),
        "trainable_parameters": results[0]["models"][-1]["parameters"],
        "models": _merge([result["models"] for result in results]),
        "history": [result["history"] for result in results],
        "test": results[0]["test"],
        "mapping": results[0]["mapping"],
        "pictures": results[0].get("pictures", []),
    }


def _check_modality(data: Data, source: Source) -> None:
    pair = (source.modality, data.modality)
    strings = {"molecule", "token"}
    if len(set(pair)) == 1 or set(pair) == strings or pair == PICTURES:
        return
    raise ValueError(
        f"The source {source.name!r} reads the modality {source.modality!r}"
        f" and the task is of {data.modality!r}. Choose another source."
    )


def _seed(
    seed: int,
    data: Data,
    features: Features,
    recipe: recipes.Recipe,
    folder: pathlib.Path,
) -> dict:
    models = comparison.baselines_of(seed, data, features, recipe)
    start = time.perf_counter()
    model, history, untrained = _reprogram(seed, data, features, recipe)
    found = recipes.predict(
        model,
        features.source,
        data.problem,
        data.inputs[data.test],
        recipe.views,
    )
    spent = time.perf_counter() - start
    count = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    models.append(
        comparison.entry("reprogrammed source", data, found, count, spent)
    )
    shown = []
    if seed == next(iter(data.draws)):
        example = features.source.preprocess(data.inputs[data.test[:3]])
        shown = pictures.of_program(model, untrained, example)
        model.save(folder / "model.keras")
        model.save_program(folder / "program.weights.h5")
    return {
        "seed": seed,
        "models": models,
        "history": {"seed": seed, **history},
        "test": _test(data, found),
        "mapping": mappings.describe(
            model.mapping, features.source.class_names, data.names
        ),
        "pictures": shown,
    }


def _reprogram(
    seed: int, data: Data, features: Features, recipe: recipes.Recipe
) -> tuple[Reprogrammer, dict, list[np.ndarray]]:
    source = features.source
    fit, validation = data.draws[seed]
    shape = (None, *source.preprocess(data.inputs[fit[:1]]).shape[1:])
    if data.modality == "molecule":
        shape = (None,) * len(shape)
    model = recipes.build(source, data.problem, data.names, recipe, shape, seed)
    untrained = model.transform.get_weights()
    history = recipes.train(
        model,
        source,
        recipe,
        (data.inputs[fit], data.targets[fit]),
        (data.inputs[validation], data.targets[validation]),
    )
    return model, history, untrained


def _test(data: Data, found: np.ndarray) -> dict:
    inputs = data.inputs[data.test]
    named = data.modality == "molecule"
    return {
        "inputs": [str(s) for s in inputs] if named else data.test,
        "targets": data.targets[data.test],
        "predictions": found,
    }


def _merge(seeds: Sequence[list[dict]]) -> list[dict]:
    merged = []
    for entries in zip(*seeds):
        first = entries[0]
        merged.append(
            {
                "name": first["name"],
                "parameters": first["parameters"],
                "seconds": [entry["seconds"] for entry in entries],
                "metrics": {
                    key: [entry["metrics"][key] for entry in entries]
                    for key in first["metrics"]
                },
            }
        )
    return merged


def _progress(result: dict, done: int, total: int) -> str:
    last = result["models"][-1]
    name, value = next(iter(last["metrics"].items()))
    value = "n/a" if value is None else f"{value:.3f}"
    return (
        f"seed {result['seed']} ({done} of {total}): {last['name']}"
        f" {name} {value} in {last['seconds']:.0f} s"
    )
