"""Serves any Keras model, also a reprogrammed one, to those who ask by HTTP.

    python -m scripts.serve --model=runs/my --name=mine
    python -m scripts.serve --model=shapes --name=shapes --key_variable=KEY

Speaks KServe's protocol version 2 (/v2/models/NAME, JSON or bytes) and that
of TensorFlow Serving (/v1/models/NAME:predict). Inputs are what the model
reads, scores come back. Needs: pip install "reprogram[serve]"
"""

import os
import pathlib
import re
import socket
from typing import TYPE_CHECKING

from absl import flags

from reprogram.scripts import errors

if TYPE_CHECKING:
    import keras

FLAGS = flags.FLAGS
flags.DEFINE_string(
    "model", None, "A .keras file, the folder of a run, or a source by name."
)
flags.DEFINE_string("name", "model", "Name of the model in the address.")
flags.DEFINE_string(
    "host", "127.0.0.1", "Address to listen at; 0.0.0.0 lets anybody ask."
)
flags.DEFINE_integer("port", 8000, "Port to listen at.", 1, 65535)
flags.DEFINE_string(
    "key_variable",
    None,
    "Environment variable that holds a key, which callers must then send.",
)


def load(name: str) -> "keras.Model":
    """Loads what --model names."""
    import keras

    from reprogram import sources
    from reprogram.reprogrammer import Reprogrammer as _  # noqa: F401

    path = pathlib.Path(name)
    if path.suffix != ".keras" and (path / "record.json").exists():
        path /= "model.keras"
    if path.suffix != ".keras":
        return sources.load(name).model
    if not path.exists():
        raise ValueError(
            f"There is no file {str(path)!r}. Expected a .keras file, the"
            " folder of a run with a model.keras, or the name of a source."
        )
    return keras.saving.load_model(path, compile=False)


def check() -> str | None:
    """Refuses what cannot work before a model is loaded; returns the key."""
    if not FLAGS.model:
        raise ValueError("Give --model: a .keras file, a run or a source.")
    if not re.fullmatch(r"[\w.-]+", FLAGS.name):
        raise ValueError(
            "--name must be of letters, digits, '.', '-' and '_'. Received:"
            f" {FLAGS.name!r}."
        )
    family = socket.AF_INET6 if ":" in FLAGS.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((FLAGS.host, FLAGS.port))
    if not FLAGS.key_variable:
        return None
    key = os.environ.get(FLAGS.key_variable)
    if not key:
        raise ValueError(
            f"The environment variable {FLAGS.key_variable} is empty. Set it"
            " to the key, or leave out --key_variable."
        )
    return key


def main(_: list[str]) -> None:
    key = check()
    from reprogram.service import server

    application = server.application(load(FLAGS.model), FLAGS.name, key)
    import uvicorn

    print(f"http://{FLAGS.host}:{FLAGS.port}/v2/models/{FLAGS.name}")
    uvicorn.run(
        application, host=FLAGS.host, port=FLAGS.port, log_level="warning"
    )


if __name__ == "__main__":
    errors.run(main)
