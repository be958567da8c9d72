"""Sources that are built in a moment, with weights drawn by lot."""

import keras

from reprogram.sources import Source
from reprogram.sources.smiles_encoder import smiles_encoder


def tokens():
    """An encoder of integers, entered as one of molecules is."""
    model = smiles_encoder(9, 5, width=8, depth=1, heads=2)
    return Source(
        model,
        "tokens",
        "molecule",
        preprocess=lambda rows: rows,
        class_names=tuple("abcde"),
        input_layer="embeddings",
        feature_layer="features",
    )


def images():
    """A convolution of images of 6x6 pixels that hold values up to 255."""
    inputs = keras.Input((6, 6, 1))
    x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    x = keras.layers.GlobalAveragePooling2D(name="pooled")(x)
    model = keras.Model(inputs, keras.layers.Dense(5)(x))
    return Source(
        model,
        "images",
        "image",
        preprocess=lambda rows: rows / 255.0,
        input_range=(0.0, 1.0),
        class_names=tuple("abcde"),
        feature_layer="pooled",
    )
