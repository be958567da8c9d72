"""A recognizer of spoken words, from its weights alone."""

import pathlib
from collections.abc import Mapping

import keras
import numpy as np
from keras import layers

from reprogram import series as lengths
from reprogram.sources import layer_arrays
from reprogram.sources.log_mel import LogMel
from reprogram.sources.source import Source

LENGTH = 16_000
HOP = 128
WORDS = (
    "unknown",
    "nine",
    "yes",
    "no",
    "up",
    "down",
    "left",
    "right",
    "on",
    "off",
    "stop",
    "go",
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "backward",
    "bed",
    "bird",
    "cat",
    "dog",
    "follow",
    "forward",
    "happy",
    "house",
    "learn",
    "marvin",
    "sheila",
    "tree",
    "visual",
    "wow",
)
# Ranks of the weights of each layer.
RANKS = {
    "logmel": (2,),
    "conv2d": (4, 1),
    "batch_normalization": (1, 1, 1, 1),
    "conv2d_1": (4, 1),
    "batch_normalization_1": (1, 1, 1, 1),
    "bidirectional": (2, 2, 1, 2, 2, 1),
    "bidirectional_1": (2, 2, 1, 2, 2, 1),
    "dense": (2, 1),
    "dense_1": (2, 1),
    "dense_2": (2, 1),
    "output": (2, 1),
}


def attention_rnn(shapes: Mapping[str, tuple[int, ...]]) -> keras.Model:
    """Builds the recognizer with random weights.

    Convolutions and two bidirectional LSTMs over a spectrogram, summed up by
    attention with the last step as the query.

    Args:
        shapes: Shapes of the weights by `<layer name>/<index>`.

    Returns:
        A model from waveforms `(batch, 16000, 1)` in [-1, 1] to logits.
    """

    def size(key: str, axis: int = -1) -> int:
        return shapes[key][axis]

    def recurrent(name: str) -> layers.Layer:
        lstm = layers.LSTM(size(f"{name}/1", 0), return_sequences=True)
        return layers.Bidirectional(lstm, name=name)

    waveform = keras.Input((LENGTH, 1), name="waveform")
    window = 2 * (size("logmel/0", 0) - 1)
    bands = size("logmel/0")
    x = LogMel(bands, window, HOP, name="logmel")(waveform)
    x = layers.Reshape((*x.shape[1:], 1), name="picture")(x)
    for suffix in ("", "_1"):
        name = f"conv2d{suffix}"
        *kernel, _, filters = shapes[f"{name}/0"]
        x = layers.Conv2D(
            filters, kernel, padding="same", activation="relu", name=name
        )(x)
        x = layers.BatchNormalization(name=f"batch_normalization{suffix}")(x)
    x = layers.Reshape((x.shape[1], -1), name="sequence")(x)
    x = recurrent("bidirectional_1")(recurrent("bidirectional")(x))
    query = layers.Dense(size("dense/0"), name="dense")(x[:, -1])
    scores = layers.Dot((1, 2), name="scores")([query, x])
    attention = layers.Softmax(name="attention")(scores)
    x = layers.Dot((1, 1), name="summary")([attention, x])
    x = layers.Dense(size("dense_1/0"), "relu", name="dense_1")(x)
    x = layers.Dense(size("dense_2/0"), name="dense_2")(x)
    logits = layers.Dense(size("output/0"), name="output")(x)
    return keras.Model(waveform, logits, name="attention_rnn")


def waveforms(raw: np.ndarray) -> np.ndarray:
    """Turns series into waveforms in [-1, 1] of the same length and channels.

    Each channel is centered, and divided by its peak where that is above 1.
    Shorter series may end in NaN, which stay.

    Args:
        raw: Series of shape `(batch, length, channels)`, in any unit.

    Returns:
        A float32 array of the same shape.

    Raises:
        ValueError: If the series are not of that shape, or not finite.

    Example:
    >>> waveforms(np.array([[[0.0], [6.0]]])).ravel().tolist()
    [-1.0, 1.0]
    """
    raw = np.asarray(raw, "float64")
    lengths.known(raw)
    centered = raw - np.nanmean(raw, axis=1, keepdims=True)
    peak = np.nanmax(np.abs(centered), axis=1, keepdims=True)
    return (centered / np.maximum(peak, 1.0)).astype("float32")


def load(path: str) -> Source:
    """Loads a recognizer of spoken words, without running code from the file.

    The preprocessing does not change the length of a series: a transform such
    as `Segments` or `Padding` brings it to the 16,000 samples of the model,
    one second. Clips of one second need none.

    Args:
        path: Path of an `.npz` file with an array `<layer name>/<index>` for
            each weight of the model of `attention_rnn`.

    Returns:
        The source, with logits; the class names are known for models of 36.

    Raises:
        ValueError: If the file is missing, damaged or of another model.
    """
    file = pathlib.Path(path)
    arrays = layer_arrays.read(file)
    layer_arrays.check(file, arrays, RANKS, "recognizer of spoken words")
    model = attention_rnn({key: a.shape for key, a in arrays.items()})
    layer_arrays.fill(file, model, arrays, RANKS)
    known = model.output_shape[-1] == len(WORDS)
    return Source(
        model=model,
        name=file.stem,
        modality="series",
        preprocess=waveforms,
        input_range=(-1.0, 1.0),
        class_names=WORDS if known else (),
        feature_layer="bidirectional",
        transform="sonification",
        licence="MIT" if known else "not stated",
        citation="de Andrade et al., A neural attention model for speech"
        " command recognition, 2018.",
    )
