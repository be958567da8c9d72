"""The transform that a recipe names, made for a source."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from reprogram import transforms
from reprogram.predictors.recipe import Recipe
from reprogram.sources.source import Source
from reprogram.transforms import coordinator


def choose(recipe: Recipe, source: Source, seed: int = 0) -> layers.Layer:
    """Makes the input transform of a recipe.

    Shapes and the range of values are those of the source.

    Args:
        recipe: Recipe that names the transform.
        source: The frozen source.
        seed: Seed of the random draws of the transform.

    Returns:
        The transform, not built.

    Raises:
        ValueError: If transform, source and recipe do not go together.
    """
    name = named(recipe, source)
    if name == "identity" or name not in transforms.TRANSFORMS:
        return transforms.get(name)
    if name == "table_image":
        raise ValueError(
            "The transform 'table_image' reads tables or matrices, which no"
            " task holds. Make it in Python:"
            " Reprogrammer(transform=TableImage(...))."
        )
    makers = MAKERS[source.modality]
    if name not in makers:
        raise ValueError(
            f"The transform {name!r} does not fit {source.name!r}, a source of"
            f" the modality {source.modality!r}. Choose one of"
            f" identity, {', '.join(makers)}."
        )
    return makers[name](source, recipe, seed)


def named(recipe: Recipe, source: Source) -> str:
    """Returns the name of a recipe's transform, the default if it has none."""
    return recipe.transform or source.transform or DEFAULTS[source.modality]


def input_layer(recipe: Recipe, source: Source) -> str | None:
    """Returns the layer of the source behind which the transform enters.

    Token maps take the place of the embeddings. Other transforms of
    sequences enter where the recipe or the source says.

    Raises:
        ValueError: If the transform enters inside and the source does not say
            where.
    """
    name = named(recipe, source)
    strings = source.modality in ("molecule", "token")
    if name not in INNER or (name == "gain" and not strings):
        return recipe.input_layer or None
    layer = source.input_layer
    if INNER[name] is not _token_map:
        layer = recipe.input_layer or source.program_layer or layer
    if layer is None:
        raise ValueError(
            f"The source {source.name!r} does not say behind which layer the"
            f" transform {name!r} enters. Choose another transform, or set"
            " `input_layer` in the JSON file beside the source."
        )
    return layer


def shape_of(source: Source) -> tuple[int, ...]:
    """Returns the shape that a source reads, without the batch.

    Raises:
        ValueError: If the source reads any size.
    """
    shape = tuple(source.model.inputs[0].shape[1:])
    if None in shape:
        raise ValueError(
            f"The source {source.name!r} reads any size, {shape}, so there is"
            " no frame to fill. Use another transform."
        )
    return shape


def window_of(source: Source, recipe: Recipe) -> tuple[int, ...]:
    """Returns the size that a frame leaves to the data."""
    sides = shape_of(source)[:-1]
    return tuple(max(1, int(size * recipe.window)) for size in sides)


def _shared(source: Source, recipe: Recipe) -> dict[str, Any]:
    """Arguments of all layers that train an array."""
    smooth = recipe.total_variation
    return {
        "target_shape": shape_of(source),
        "value_range": source.input_range,
        "regularizer": transforms.TotalVariation(smooth) if smooth else None,
        "dropout": recipe.program_dropout,
        "program": recipe.program,
        "unit": rate(source, recipe) * half_range(source),
    }


def rate(source: Source, recipe: Recipe) -> float:
    """Returns how many times faster the program learns than the mapping."""
    return recipe.program_rate or RATES.get(source.modality, 1.0)


def half_range(source: Source) -> float:
    """Returns half of the source's range of values, 1 if that is unknown."""
    low, high = source.input_range or (-1.0, 1.0)
    return 0.5 * (high - low)


def _framed(source: Source, recipe: Recipe) -> dict[str, Any]:
    """Arguments of all layers with a frame, which has to end somewhere."""
    shared = _shared(source, recipe)
    return shared | {
        "value_range": source.input_range or (-1.0, 1.0),
        "squash": recipe.squash,
        "unit": rate(source, recipe),  # The squash follows the range.
    }


def _padding(source: Source, recipe: Recipe, seed: int) -> layers.Layer:
    window = window_of(source, recipe)
    return transforms.Padding(window=window, **_framed(source, recipe))


def _center_mix(source: Source, recipe: Recipe, seed: int) -> layers.Layer:
    return transforms.CenterMix(
        window=window_of(source, recipe),
        share=recipe.share,
        **_framed(source, recipe),
    )


def _overlay(source: Source, recipe: Recipe, seed: int) -> layers.Layer:
    return transforms.Overlay(border=recipe.border, **_shared(source, recipe))


def _patch(source: Source, recipe: Recipe, seed: int) -> layers.Layer:
    size = max(1, min(shape_of(source)[:-1]) // 4)
    return transforms.Patch(size=size, seed=seed, **_shared(source, recipe))


def _resize(source: Source, recipe: Recipe, seed: int) -> layers.Layer:
    arguments = _framed(source, recipe)
    return transforms.TrainableResize(scale=recipe.window, **arguments)


def _coordinator(source: Source, recipe: Recipe, seed: int) -> layers.Layer:
    """The source's own features coordinate: they are frozen as it is."""
    from reprogram.sources.slicing import slice_source

    _, encoder = slice_source(source.model, None, source.feature_layer)
    sides = shape_of(source)[:-1]
    grid = max(1, min(7, *sides))
    cells = math.prod(coordinator.start(sides, grid)[1])
    return transforms.Coordinator(
        shape_of(source),
        encoder,
        width=max(32, 1 + encoder.output_shape[-1] // cells),
        grid=grid,
        strength=half_range(source),
        value_range=source.input_range,
    )


def _soft_prompt(source: Source, recipe: Recipe, seed: int) -> layers.Layer:
    input_layer(recipe, source)
    return transforms.SoftPrompt(recipe.prompt_length)


def _token_map(source: Source, recipe: Recipe, seed: int) -> layers.Layer:
    """Reads the tokens that the preprocessing gives, and starts with them."""
    name = named(recipe, source)
    entry = input_layer(recipe, source)
    words = transforms.dictionary(source.model, str(entry))
    size, width = words.shape
    if name == "dense_token_map":
        return transforms.DenseTokenMap(size, size, tokens=range(size))
    if name == "sparse_token_map":
        layer = transforms.SparseTokenMap(size, width)
        layer.build((None, None))
        layer.start(words, range(size))
        return layer
    layer = transforms.TokenRewriting(size, size, seed=seed)
    layer.build((None, None))
    layer.program.assign(SURE * np.eye(size)[None])
    return layer


SURE = 10.0
SOUNDS = (("values", "slopes"), ("sums", "values", "slopes"))
RATES = {"image": 10.0}
DEFAULTS = {
    "molecule": "soft_prompt",
    "token": "soft_prompt",
    "image": "overlay",
    "series": "padding",
}
INNER = {
    "gain": lambda *_: transforms.Gain(),
    "soft_prompt": _soft_prompt,
    "dense_token_map": _token_map,
    "sparse_token_map": _token_map,
    "token_rewriting": _token_map,
}
BOTH = {
    "padding": _padding,
    "center_mix": _center_mix,
    "overlay": _overlay,
    "gain": lambda *_: transforms.Gain(),
    "mixing": lambda source, *_: transforms.Mixing(shape_of(source)[-1]),
    "soft_prompt": _soft_prompt,
}
# What sources of each modality can be given, next to the identity.
MAKERS: dict[str, dict[str, Callable]] = {
    "image": BOTH
    | {
        "coordinator": _coordinator,
        "patch": _patch,
        "sample_mask": lambda source, recipe, _: transforms.SampleMask(
            **_shared(source, recipe)
        ),
        "trainable_resize": _resize,
        "rendering": lambda *_: layers.Identity(),  # See `sources.drawn`.
    },
    "series": BOTH
    | {
        "segments": lambda source, recipe, _: transforms.Segments(
            **_shared(source, recipe)
        ),
        "resampling": lambda source, *_: keras.Sequential(
            [
                transforms.Resampling(shape_of(source)[0]),
                transforms.Missing(),
            ]
        ),
        "missing": lambda *_: transforms.Missing(),
        "sonification": lambda source, recipe, _: transforms.Sonification(
            sounds=SOUNDS, **_shared(source, recipe)
        ),
    },
    "molecule": INNER,
    "token": INNER,
}
