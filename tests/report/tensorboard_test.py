"""Event files hold the curves, figures and label mapping of a report."""

import collections

import keras
import numpy as np
import pytest
import sample_records

from reprogram import transforms
from reprogram.report.pages import figures
from reprogram.report.pages import program
from reprogram.report.pages import run
from reprogram.report.pages import tensorboard
from reprogram.reprogrammer import Reprogrammer


def events(folder):
    """Values by plugin and tag, of all event files in and below a folder."""
    tf = pytest.importorskip("tensorflow", reason="It reads the event files.")
    found = collections.defaultdict(list)
    for path in sorted(folder.rglob("events.out.*")):
        for raw in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            for value in tf.compat.v1.Event.FromString(raw).summary.value:
                plugin = value.metadata.plugin_data.plugin_name
                name = (plugin, value.tag, path.parent.name)
                found[name].append(tf.make_ndarray(value.tensor))
    return found


def test_pictures_of_the_program_and_of_the_report(tmp_path):
    source = keras.Sequential(
        [keras.Input((30, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    model = Reprogrammer(source, transforms.Segments((30, 1)))
    x = np.ones((2, 7, 1), "float32")
    model(x)
    start = model.transform.get_weights()
    with tensorboard.written(tmp_path):
        program.of_program(model, start, x)
        run.render(sample_records.images())
    found = events(tmp_path)
    names = {name for plugin, name, _ in found if plugin == "images"}
    assert {"program_of_series", "learning_curves", "intervals"} <= names
    for (plugin, *_), values in found.items():
        width, height, png = values[0]
        assert plugin == "images" and png.startswith(b"\x89PNG")
        assert int(width) > 99 < int(height)


def test_curves_and_the_label_mapping(tmp_path):
    losses = {"loss": [None, 1.5], "val_loss": [2.0, 1.0]}
    history = [{"seed": 3, **losses}, {"seed": 8, "loss": [], "val_loss": []}]
    mapping = [["coffee", ["yes", "no"]]]
    tensorboard.write(tmp_path, {"history": history, "mapping": mapping})
    found = events(tmp_path)
    assert found["scalars", "loss", "seed 3"] == [1.5]
    assert found["scalars", "val_loss", "seed 3"] == [2.0, 1.0]
    (table,) = found["text", "mapping", tmp_path.name]
    assert table[0].splitlines()[-1] == b"| coffee | yes, no |"
    tensorboard.write(tmp_path / "nothing", {"history": None})
    assert not events(tmp_path / "nothing")


def test_nothing_is_written_unasked(tmp_path):
    history = [{"seed": 0, "loss": [None, 1.0], "val_loss": [2.0, 1.0]}]
    with tensorboard.written(None):
        figures.learning_curves(history)
    with tensorboard.written(tmp_path):
        figures.learning_curves(history)
    figures.learning_curves(history)
    assert figures.LISTENERS == []
    ((name, values),) = events(tmp_path).items()
    assert name[:2] == ("images", "learning_curves") and len(values) == 1
