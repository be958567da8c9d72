"""A user's `.keras` file, and every reason why it does not load."""

import json
import pathlib
import re
import zipfile

import keras
import numpy as np
import pytest

from reprogram import sources


def message(function, *args) -> str:
    """Returns the text of the one-paragraph ValueError of a call."""
    with pytest.raises(ValueError, match=".") as caught:
        function(*args)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.fixture
def saved(tmp_path):
    """Saves a model of the given layers and returns the path."""

    def save(*layers: keras.layers.Layer) -> pathlib.Path:
        path = tmp_path / "mine.keras"
        keras.Sequential(layers).save(path)
        return path

    return save


def about(path: pathlib.Path, **fields) -> None:
    path.with_name(path.name + ".json").write_text(json.dumps(fields))


def image_classifier() -> list[keras.layers.Layer]:
    return [
        keras.Input((4, 4, 3)),
        keras.layers.GlobalAveragePooling2D(name="pooled"),
        keras.layers.Dense(2, name="scores"),
    ]


@pytest.mark.parametrize(
    ("layers", "modality"),
    [
        (image_classifier(), "image"),
        ([keras.Input((9, 2)), keras.layers.Flatten()], "series"),
        ([keras.Input((9,)), keras.layers.Dense(2)], "series"),
        (
            [keras.Input((9,), dtype="int32"), keras.layers.Embedding(5, 2)],
            "token",
        ),
    ],
)
def test_modality_of_a_file_follows_from_its_input(saved, layers, modality):
    source = sources.load(saved(*layers))
    assert source.modality == modality
    assert source.name == "mine"
    assert source.licence == source.citation == "not stated"
    assert not source.model.trainable_weights


def test_images_are_fitted_to_a_file_and_keep_their_values(saved):
    source = sources.load(saved(*image_classifier()))
    images = np.random.default_rng(0).uniform(0, 255, (2, 4, 4, 3))
    np.testing.assert_array_equal(
        source.preprocess(images), images.astype("float32")
    )
    assert source.preprocess(np.zeros((2, 8, 9, 1))).shape == (2, 4, 4, 3)


def test_sidecar_tells_what_the_file_cannot(saved):
    path = saved(*image_classifier())
    about(
        path,
        input_range=[-1, 1],
        class_names=["cat", "dog"],
        feature_layer="pooled",
        licence="MIT",
        citation="Doe, 2020.",
    )
    source = sources.load(path)
    assert source.input_range == (-1.0, 1.0)
    assert source.class_names == ("cat", "dog")
    assert source.feature_layer == "pooled"
    assert (source.licence, source.citation) == ("MIT", "Doe, 2020.")
    raw = np.array([0.0, 127.5, 255.0]).reshape(3, 1, 1, 1)
    inputs = source.preprocess(np.broadcast_to(raw, (3, 4, 4, 3)))
    np.testing.assert_allclose(inputs[:, 0, 0, 0], [-1, 0, 1])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"modality": "molecule"}, "one of image, series, token"),
        ({"input_range": [1, 0]}, "two numbers, the smaller first"),
        ({"input_range": [0, "1"]}, "two numbers, the smaller first"),
        ({"input_range": 1}, "two numbers, the smaller first"),
        ({"class_names": ["cat"]}, "a list of 2 names"),
        ({"feature_layer": "top"}, "a layer of the model: pooled, scores"),
        ({"input_layer": "top"}, "a layer of the model: pooled, scores"),
        (
            {"license": "MIT"},
            "any of citation, class_names.*Received: .*license",
        ),
    ],
)
def test_sidecar_that_does_not_fit(saved, fields, expected):
    path = saved(*image_classifier())
    about(path, **fields)
    assert re.search(expected, message(sources.load, path))


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_sidecar_that_is_no_object(saved, text):
    path = saved(*image_classifier())
    path.with_name("mine.keras.json").write_text(text)
    assert "mine.keras.json" in message(sources.load, path)


def test_modality_that_cannot_be_guessed(saved):
    path = saved(keras.Input((2, 2, 2, 1)), keras.layers.Flatten())
    text = message(sources.load, path)
    assert "(None, 2, 2, 2, 1)" in text and "mine.keras.json" in text
    about(path, modality="series")
    assert sources.load(path).modality == "series"


def test_missing_file(tmp_path):
    text = message(sources.load, tmp_path / "none.keras")
    assert "There is no file" in text and str(tmp_path) in text


def test_file_that_is_no_archive(tmp_path):
    path = tmp_path / "mine.keras"
    path.write_bytes(b"\x89HDF\r\n" + bytes(100))
    assert "106 bytes" in message(sources.load, path)


def test_truncated_file(saved):
    path = saved(*image_classifier())
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "expected a whole zip archive" in message(sources.load, path)


def test_file_with_a_damaged_byte(saved):
    path = saved(*image_classifier())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert "is damaged" in message(sources.load, path)


def test_foreign_archive(tmp_path):
    path = tmp_path / "mine.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "hello")
    text = message(sources.load, path)
    assert "not a Keras model: it holds word/document.xml" in text


def test_archive_with_a_broken_configuration(tmp_path):
    path = tmp_path / "mine.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("metadata.json", "{}")
    text = message(sources.load, path)
    assert f"Keras {keras.__version__} says" in text


def test_lambda_layer_is_refused(saved):
    path = saved(keras.Input((2,)), keras.layers.Lambda(lambda x: 2 * x))
    text = message(sources.load, path)
    assert "would run code from the file" in text and "Rescaling" in text


def test_unregistered_layer_is_named(saved):
    class Doubled(keras.layers.Layer):
        def call(self, inputs):
            return 2 * inputs

    text = message(sources.load, saved(keras.Input((2,)), Doubled()))
    assert "'Doubled', which is not registered" in text


def test_model_with_two_inputs(tmp_path):
    pair = [keras.Input((2,)), keras.Input((2,))]
    model = keras.Model(pair, keras.layers.Add()(pair))
    model.save(tmp_path / "mine.keras")
    text = message(sources.load, tmp_path / "mine.keras")
    assert "2 inputs and 1 outputs" in text
