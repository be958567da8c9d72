"""The two small sources that the project trained itself.

Both learned from data drawn by `reprogram.sources.synthetic`, so that tasks
on images and series run on a machine without internet. Their cards lie beside
the weights.
"""

import pathlib
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
from keras import layers
from keras import ops

from reprogram import series as lengths
from reprogram.sources import synthetic
from reprogram.sources.checksum import load_weights
from reprogram.sources.images import fit_images
from reprogram.sources.images import shifted
from reprogram.sources.source import Source

WEIGHTS = pathlib.Path(__file__).parent / "weights"


def shapes_classifier() -> keras.Model:
    """Builds the picture classifier with random weights.

    Returns:
        A model from images `(batch, 32, 32, 1)` in [0, 1] to 12 logits.

    Example:
    >>> shapes_classifier().output_shape
    (None, 12)
    """
    inputs = keras.Input((synthetic.SIDE, synthetic.SIDE, 1), name="images")
    x = layers.Rescaling(2.0, -1.0, name="rescaling")(inputs)
    for i, width in enumerate([32, 64, 96]):
        x = layers.Conv2D(width, 3, padding="same", name=f"conv_{i}")(x)
        x = layers.BatchNormalization(name=f"norm_{i}")(x)
        x = layers.Activation("relu", name=f"relu_{i}")(x)
        if i < 2:
            x = layers.MaxPooling2D(name=f"pool_{i}")(x)
    x = layers.GlobalAveragePooling2D(name="pooled")(x)
    x = layers.Dense(64, "relu", name="features")(x)
    logits = layers.Dense(len(synthetic.SHAPES), name="logits")(x)
    return keras.Model(inputs, logits, name="shapes")


def waves_classifier() -> keras.Model:
    """Builds the signal classifier with random weights.

    Returns:
        A model from series `(batch, 1024, 1)` of mean 0 and deviation 1 to 12
        logits.

    Example:
    >>> waves_classifier().output_shape
    (None, 12)
    """
    inputs = keras.Input((synthetic.LENGTH, 1), name="series")
    x = inputs
    for i, width in enumerate([24, 48, 64, 96]):
        x = layers.Conv1D(width, 9, 2, padding="same", name=f"conv_{i}")(x)
        x = layers.BatchNormalization(name=f"norm_{i}")(x)
        x = layers.Activation("relu", name=f"relu_{i}")(x)
    x = layers.GlobalAveragePooling1D(name="pooled")(x)
    x = layers.Dense(64, "relu", name="features")(x)
    logits = layers.Dense(len(synthetic.WAVES), name="logits")(x)
    return keras.Model(inputs, logits, name="waves")


def unit_images(images: np.ndarray) -> np.ndarray:
    """Turns images into gray ones of 32 x 32 pixels in [0, 1].

    Args:
        images: Images `(batch, height, width, 1 or 3)` in [0, 255].

    Returns:
        A float32 array of shape `(batch, 32, 32, 1)`.

    Raises:
        ValueError: If the images are not of that shape.

    Example:
    >>> unit_images(np.full((1, 8, 8, 3), 255.0)).max().round(3).item()
    1.0
    """
    side = synthetic.SIDE
    return np.clip(fit_images(images, side, side, 1) / 255, 0, 1)


def unit_series(series: np.ndarray) -> np.ndarray:
    """Turns series into one channel of 1,024 samples, mean 0, deviation 1.

    The channels of a multivariate series are averaged first, each one brought
    to mean 0 and deviation 1. A constant series becomes zeros; one that ends
    in NaN is stretched to the length of the others.

    Args:
        series: Series `(batch, length, channels)`, in any unit.

    Returns:
        A float32 array of shape `(batch, 1024, 1)`.

    Raises:
        ValueError: If the series are not of that shape or not finite.

    Example:
    >>> unit_series(np.arange(100.0).reshape(1, 50, 2)).shape
    (1, 1024, 1)
    """
    series = lengths.stretched(series)
    mixed = _standardize(series).mean(axis=2, keepdims=True)
    if mixed.shape[1] != synthetic.LENGTH:
        mixed = ops.image.resize(
            mixed[:, :, None].astype("float32"),
            (synthetic.LENGTH, 1),
            antialias=True,
            data_format="channels_last",
        )
        mixed = ops.convert_to_numpy(mixed)[:, :, 0]
    return _standardize(mixed).astype("float32")


def _standardize(series: np.ndarray) -> np.ndarray:
    centered = series - series.mean(axis=1, keepdims=True)
    scale = centered.std(axis=1, keepdims=True)
    size = np.abs(series).max(axis=1, keepdims=True)
    constant = scale <= 1e-9 * size
    return np.where(constant, 0, centered / np.where(constant, 1, scale))


class Recipe(NamedTuple):
    """The recipe of a tiny source: its model, its data and its inputs."""

    build: Callable[[], keras.Model]
    draw: Callable[[int, int], tuple[np.ndarray, np.ndarray]]
    preprocess: Callable[[np.ndarray], np.ndarray]
    class_names: tuple[str, ...]
    modality: str
    input_range: tuple[float, float] | None
    feature_layer: str  # Where something is says more than its class does.
    transform: str | None = None


RECIPES = {
    "shapes": Recipe(
        shapes_classifier,
        synthetic.shapes,
        unit_images,
        tuple(synthetic.SHAPES),
        "image",
        (0.0, 1.0),
        "relu_2",
    ),
    "waves": Recipe(
        waves_classifier,
        synthetic.waves,
        unit_series,
        tuple(synthetic.WAVES),
        "series",
        None,
        "relu_3",
        "overlay",
    ),
}


def load(name: str, folder: pathlib.Path = WEIGHTS) -> Source:
    """Loads a tiny source from its checked weights.

    Args:
        name: `"shapes"` or `"waves"`.
        folder: Path of the folder that holds `<name>.npz`.

    Returns:
        The source; see `reprogram.sources.load`.

    Raises:
        ValueError: If the weights are missing or damaged.

    Example:
    >>> load("waves").model.output_shape
    (None, 12)
    """
    recipe = RECIPES[name]
    model = recipe.build()
    load_weights(model, folder / f"{name}.npz")
    return Source(
        model=model,
        name=name,
        modality=recipe.modality,
        preprocess=recipe.preprocess,
        input_range=recipe.input_range,
        class_names=recipe.class_names,
        feature_layer=recipe.feature_layer,
        transform=recipe.transform,
        licence="Apache-2.0",
        citation="reprogram: scripts/pretrain_synthetic.py, trained on drawn"
        f" {name}, 2026.",
        augment=shifted if recipe.modality == "image" else None,
    )
