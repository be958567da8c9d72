"""The mapping that a recipe names, made for a source and a task."""

from collections.abc import Callable
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from reprogram import mappings
from reprogram.predictors.recipe import Recipe
from reprogram.sources.source import Source


def choose(
    recipe: Recipe,
    source: Source,
    problem: str,
    targets: int | Sequence[str],
    seed: int = 0,
) -> keras.layers.Layer:
    """Makes the label mapping of a recipe.

    Args:
        recipe: Recipe that names the mapping.
        source: The frozen source.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        targets: Number of target classes or columns, or their names.
        seed: Seed of the random mapping.

    Returns:
        The mapping, not built.

    Raises:
        ValueError: If mapping, source and problem do not go together.
    """
    name = recipe.mapping
    count = targets if isinstance(targets, int) else len(targets)
    if name in ("identity", "") or name not in mappings.MAPPINGS:
        return mappings.get(name)
    if name == "linear":
        return mappings.LinearMapping(count, problem, rank=recipe.rank or None)
    if problem != "classification":
        raise ValueError(
            f"The mapping {name!r} chooses source classes and needs a"
            f" classification task. Received: {problem}. Use 'linear'."
        )
    if name == "explicit":
        raise ValueError(
            "The mapping 'explicit' needs its assignment. Make it in Python:"
            " Reprogrammer(mapping=ExplicitMapping([[0, 4], [7]]))."
        )
    if name == "semantic":
        return _semantic(recipe, source, targets)
    if name == "correction":
        base = mappings.FrequencyMapping(count, recipe.labels_per_class)
        return mappings.CorrectionMapping(count, recipe.rank or 1, base)
    if name.startswith("bayesian"):
        return mappings.get(name, classes=count)
    options = {"seed": seed} if name == "random" else {}
    options["labels_per_class"] = recipe.labels_per_class
    return mappings.get(name, classes=count, **options)


def _semantic(
    recipe: Recipe, source: Source, targets: int | Sequence[str]
) -> keras.layers.Layer:
    missing = [
        what
        for what, there in {
            "names of the source's classes": source.class_names,
            "names of the target classes": not isinstance(targets, int),
            "`label_encoder` in the recipe": recipe.label_encoder,
        }.items()
        if not there
    ]
    if missing:
        raise ValueError(
            "The mapping 'semantic' compares names and needs the"
            f" {' and '.join(missing)}. Use 'frequency', or make it in"
            " Python: SemanticMapping.from_names(...)."
        )
    assert not isinstance(targets, int)  # or it was missing
    return mappings.SemanticMapping.from_names(
        source.class_names,
        targets,
        encoder(recipe.label_encoder),
        recipe.labels_per_class,
    )


def encoder(name: str) -> Callable[[Sequence[str]], np.ndarray]:
    """Makes an encoder of names from a source that reads text.

    Args:
        name: Name or path of the source, see `sources.load`.

    Returns:
        A function from strings to vectors `(strings, width)`: the outputs of
        the source, averaged over tokens where each token has one.

    Raises:
        ValueError: If the source reads no text.
    """
    from reprogram import sources

    text = sources.load(name)
    if text.modality != "token":
        raise ValueError(
            f"The label encoder {name!r} reads the modality"
            f" {text.modality!r} and must read 'token'. Choose a source of"
            " text."
        )

    def encode(names: Sequence[str]) -> np.ndarray:
        raw = np.array(names, object)
        answers = text.model.predict(text.preprocess(raw), verbose=0)
        answers = ops.convert_to_numpy(answers)
        return answers.reshape(len(raw), -1, answers.shape[-1]).mean(axis=1)

    return encode
