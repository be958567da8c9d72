"""Serves any Keras model, also a reprogrammed one, to those who ask by HTTP.

    python -m scripts.serve --model=runs/my/model.keras --name=mine
    python -m scripts.serve --model=shapes --name=shapes --key_variable=KEY

Speaks KServe's protocol version 2 (/v2/models/NAME, JSON or bytes) and that
of TensorFlow Serving (/v1/models/NAME:predict). Inputs are what the model
reads, scores come back. Needs: pip install "reprogram[serve]"
"""

import os

from absl import flags

from reprogram.scripts import errors

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "A .keras file, or a source by name.")
flags.DEFINE_string("name", "model", "In the address.")
flags.DEFINE_string("host", "127.0.0.1", "Who may ask; 0.0.0.0 is anybody.")
flags.DEFINE_integer("port", 8000, "Where.", 1)
flags.DEFINE_string("key_variable", None, "Environment variable of a key.")


def load(name):
    import keras

    from reprogram import sources
    from reprogram.reprogrammer import Reprogrammer as _  # noqa: F401

    if name.endswith(".keras"):
        if not os.path.exists(name):
            raise ValueError(f"There is no file {name!r}.")
        return keras.saving.load_model(name)
    return sources.load(name).model


def main(_):
    if not FLAGS.model:
        raise ValueError("Give --model: a .keras file or a source.")
    key = None
    if FLAGS.key_variable:
        key = os.environ.get(FLAGS.key_variable)
        if not key:
            raise ValueError(
                f"The environment variable {FLAGS.key_variable} is empty."
            )
    from reprogram.service import server

    application = server.application(load(FLAGS.model), FLAGS.name, key)
    import uvicorn

    print(f"http://{FLAGS.host}:{FLAGS.port}/v2/models/{FLAGS.name}")
    uvicorn.run(
        application, host=FLAGS.host, port=FLAGS.port, log_level="warning"
    )


if __name__ == "__main__":
    errors.run(main)
