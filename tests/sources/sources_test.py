"""Names of sources, and the models of keras.applications."""

import functools
import re
import subprocess
import sys

import keras
import numpy as np
import pytest

from reprogram import sources
from reprogram.sources import imagenet


def message(function, *args) -> str:
    """Returns the text of the one-paragraph ValueError of a call."""
    with pytest.raises(ValueError, match=".") as caught:
        function(*args)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_unknown_modality_is_refused():
    with pytest.raises(ValueError, match="must be one of molecule, image"):
        sources.Source(None, "mine", "sound", np.asarray)


def test_unknown_name_lists_what_is_accepted():
    text = message(sources.load, "MobilNetV2")
    assert "Did you mean 'mobilenetv2'?" in text
    for known in ("zinc-autoencoder", "shapes", "waves", "resnet50", "hf://"):
        assert known in text


def test_names_can_be_listed_without_tensorflow():
    code = (
        "import sys; from reprogram.sources import SOURCES; print(*SOURCES);"
        " assert not {'keras', 'tensorflow', 'jax'} & set(sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout.split() == ["zinc-autoencoder", "shapes", "waves"]


@pytest.fixture
def application(monkeypatch):
    """Replaces the MobileNetV2 of Keras by a tiny one without a download."""

    @functools.wraps(keras.applications.MobileNetV2)
    def build(weights, classifier_activation, input_shape=(None, None, 3)):
        x = inputs = keras.Input(input_shape)
        x = keras.layers.Conv2D(4, 3)(x)
        x = keras.layers.GlobalAveragePooling2D(name="pooled")(x)
        return keras.Model(inputs, keras.layers.Dense(1000)(x))

    monkeypatch.setattr(keras.applications, "MobileNetV2", build)
    index = {str(i): [f"n{i}", f"class_{i}"] for i in range(1000)}
    module = sys.modules[build.__module__].imagenet_utils
    monkeypatch.setattr(module, "CLASS_INDEX", index)
    return module


def test_application_has_its_own_preprocessing(application):
    source = sources.load("mobilenetv2")
    assert source.name == "MobileNetV2" and source.modality == "image"
    assert source.model.input_shape == (None, 224, 224, 3)
    assert source.input_range == (-1.0, 1.0)
    assert source.feature_layer == "pooled"
    assert source.class_names[:2] == ("class_0", "class_1")
    assert "2018" in source.citation and source.licence == "Apache-2.0"
    images = np.random.default_rng(0).uniform(0, 255, (2, 224, 224, 3))
    images = images.astype("float32")
    inputs = source.preprocess(images)
    np.testing.assert_allclose(inputs, images / 127.5 - 1, atol=1e-6)
    assert source.preprocess(np.ones((1, 8, 8, 1))).shape == (1, 224, 224, 3)


def test_application_without_the_file_of_names(application, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("offline")

    monkeypatch.setattr(application, "CLASS_INDEX", None)
    monkeypatch.setattr(application.file_utils, "get_file", refuse)
    assert sources.load("MobileNetV2").class_names == ()


def test_failed_download_names_the_file_and_the_way_out(monkeypatch):
    def build(weights, classifier_activation):
        raise Exception("URL fetch failure on https://host/net.h5: offline")

    build.__name__ = "ResNet50"
    monkeypatch.setattr(keras.applications, "ResNet50", build)
    text = message(sources.load, "ResNet50")
    for part in ("https://host/net.h5", "KERAS_HOME", "ResNet50.keras"):
        assert part in text


def test_every_application_has_an_origin():
    modules = {f.__module__ for f in imagenet.builders().values()}
    assert {m.rpartition(".")[2] for m in modules} == set(imagenet.ORIGINS)
    for licence, citation in imagenet.ORIGINS.values():
        assert licence and re.search(r", 20\d\d\.$", citation)
