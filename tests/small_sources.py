"""Sources that are built in a moment, with weights drawn by lot."""

import keras

from reprogram.sources import Source


def attention_model(vocabulary_size, outputs, dropout=0.0):
    """A Transformer block that reads token ids; id 0 is masked."""
    layers = keras.layers
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    embed = layers.Embedding(
        vocabulary_size, 8, mask_zero=True, name="embeddings"
    )
    x = embed(tokens)
    y = layers.LayerNormalization()(x)
    y = layers.MultiHeadAttention(2, 4, dropout=dropout)(
        y, y, use_causal_mask=True
    )
    x = layers.LayerNormalization(name="sequence")(layers.Add()([x, y]))
    x = layers.Dropout(dropout)(x)
    x = layers.GlobalAveragePooling1D(name="features")(x)
    return keras.Model(tokens, layers.Dense(outputs)(x))


def tokens():
    """An encoder of integers, entered as one of molecules is."""
    model = attention_model(9, 5)
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
