"""Text presets; KerasHub is played by a stand-in where it is missing."""

import sys
import types

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


def text_backbone(*names: str) -> keras.Model:
    """Builds what KerasHub calls a backbone, of the named inputs."""
    given = {n: keras.Input((None,), dtype="int32", name=n) for n in names}
    x = keras.layers.Embedding(9, 4)(given["token_ids"])
    mask = keras.ops.expand_dims(given[names[1]], -1)
    hidden = x + keras.ops.cast(mask, "float32")
    return keras.Model(given, {"sequence_output": hidden})


def fake_hub(backbone: keras.Model) -> types.SimpleNamespace:
    class Tokenizer:
        pad_token_id, cls_token_id, sep_token_id = 3, 1, 2

        def __call__(self, strings):
            return [[int(c) for c in string] for string in strings]

    def packer(length, start_value, end_value, pad_value):
        def pack(rows):
            rows = [[start_value, *row, end_value] for row in rows]
            return np.array(
                [r + [pad_value] * (length - len(r)) for r in rows], "int32"
            )

        return pack

    def loads(value):
        return types.SimpleNamespace(from_preset=lambda preset: value)

    models = types.SimpleNamespace(
        Backbone=loads(backbone), Tokenizer=loads(Tokenizer())
    )
    layers = types.SimpleNamespace(StartEndPacker=packer)
    return types.SimpleNamespace(models=models, layers=layers)


@pytest.fixture
def preset(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    return str(tmp_path)


def test_text_preset(preset, monkeypatch):
    backbone = text_backbone("token_ids", "padding_mask", "segment_ids")
    monkeypatch.setitem(sys.modules, "keras_hub", fake_hub(backbone))
    source = sources.load(preset)
    assert (source.modality, source.licence) == ("token", "mit")
    ids = source.preprocess(np.array(["4567", "8"], object))
    assert ids.shape == (2, 16)
    assert ids[1, :5].tolist() == [1, 8, 2, 3, 3]
    vectors = keras.ops.convert_to_numpy(backbone.weights[0])
    outputs = source.model.predict(ids, verbose=0)
    expected = vectors[[1, 8, 2]].mean(axis=0) + 1
    np.testing.assert_allclose(outputs[1], expected, rtol=1e-5)
    np.testing.assert_array_equal(source.preprocess(ids), ids)
    assert not source.model.trainable_weights


def test_program_can_enter_a_text_preset(preset, monkeypatch):
    backbone = text_backbone("token_ids", "padding_mask")
    monkeypatch.setitem(sys.modules, "keras_hub", fake_hub(backbone))
    source = sources.load(preset)
    inlet = source.model.get_layer(source.input_layer).output
    enter = keras.Model(source.model.input, inlet)
    rest = keras.Model([inlet, inlet._keras_mask], source.model.output)
    ids = np.array([[1, 5, 2, 3, 3]], "int32")
    parts = [keras.ops.convert_to_numpy(enter(ids)), ids != 3]
    np.testing.assert_allclose(
        rest.predict(parts, verbose=0),
        source.model.predict(ids, verbose=0),
        rtol=1e-6,
    )


def test_preset_that_is_no_text_model(preset, monkeypatch):
    backbone = text_backbone("token_ids", "image_ids")
    monkeypatch.setitem(sys.modules, "keras_hub", fake_hub(backbone))
    assert "that reads image_ids, token_ids" in message(sources.load, preset)


@pytest.mark.parametrize("name", ["hf://owner/name", "kaggle://a/b/keras/c"])
def test_preset_out_of_reach(name, monkeypatch):
    def refuse(preset):
        raise OSError("no route to host\nand more")

    hub = fake_hub(None)
    hub.models.Backbone.from_preset = refuse
    monkeypatch.setitem(sys.modules, "keras_hub", hub)
    text = message(sources.load, name)
    assert name in text and "no route to host Expected" in text


def test_preset_without_tokenizer(preset, monkeypatch):
    hub = fake_hub(text_backbone("token_ids", "padding_mask"))
    del hub.models.Tokenizer
    monkeypatch.setitem(sys.modules, "keras_hub", hub)
    source = sources.load(preset)
    assert "Give integer token ids" in message(source.preprocess, ["hello"])


def test_preset_without_keras_hub(preset, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ImportError, match=r"pip install reprogram\[hub\]"):
        sources.load(preset)


def test_folder_that_is_no_preset(tmp_path):
    assert "an empty folder" in message(sources.load, tmp_path)
    (tmp_path / "notes.txt").write_text("")
    assert "Received: notes.txt" in message(sources.load, tmp_path)


def test_real_preset(tmp_path):
    keras_hub = pytest.importorskip("keras_hub", reason="needs the extra hub")
    backbone = keras_hub.models.BertBackbone(9, 1, 2, 8, 16)
    backbone.save_to_preset(tmp_path)
    words = [
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[PAD]",
        "[MASK]",
        "the",
        "quick",
        "fox",
        "##es",
    ]
    keras_hub.models.BertTokenizer(words).save_to_preset(tmp_path)
    source = sources.load(tmp_path)
    ids = source.preprocess(np.array(["the quick foxes"], object))
    assert ids[0, :7].tolist() == [1, 5, 6, 7, 8, 2, 3]
    answers = source.model.predict(ids, verbose=0)
    alone = source.model.predict(ids[:, :6], verbose=0)
    np.testing.assert_allclose(answers, alone, atol=1e-5)
