"""The progress line: on a terminal only, with stage and remaining time."""

import io

import keras
import numpy as np
import pytest

from reprogram.experiments import progress as module
from reprogram.experiments.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def every_call(monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN", -1.0)


def test_silent_in_a_pipe(capsys):
    stream = io.StringIO()
    with Progress(2, stream) as progress:
        progress.show("seed 1", 1)
        progress.tell("half")
    assert stream.getvalue() == ""
    assert capsys.readouterr().out == "half\n"


@pytest.mark.usefixtures("every_call")
def test_one_line_names_the_stage_and_the_remaining_time(monkeypatch):
    now = iter([0.0, 60.0, 3600.0, 3601.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(now))
    stream = Terminal()
    with Progress(4, stream) as progress:
        progress.show("seed 1 of 4", 1)
        progress.show("seed 2 of 4", 2)
        progress.show("the end", 9)
    first, second, last, empty = stream.getvalue().split("\r")[1:]
    assert first.startswith("seed 1 of 4  [==        ]  25 %")
    assert "  1:00 elapsed, 3:00 left" in first
    assert "  1:00:00 elapsed, 1:00:00 left" in second
    assert "100 %" in last
    assert empty == "\x1b[K"
    assert "\n" not in stream.getvalue()


def test_drawing_is_not_more_often_than_an_eye_can_follow():
    stream = Terminal()
    progress = Progress(1000, stream)
    for step in range(1000):
        progress.show("step", step)
    assert stream.getvalue().count("\r") < 20


@pytest.mark.usefixtures("every_call")
def test_callback_shows_the_epochs_of_a_fit():
    stream = Terminal()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    callback = Progress(2, stream).callback("seed 2 of 2", 2, start=1)
    model.fit(
        np.ones((4, 2)),
        np.ones((4, 1)),
        batch_size=2,
        epochs=2,
        verbose=0,
        callbacks=[callback],
    )
    lines = stream.getvalue()
    assert "seed 2 of 2, epoch 1 of 2" in lines
    assert "seed 2 of 2, epoch 2 of 2" in lines
    assert " 62 %" in lines
    assert "100 %" in lines
