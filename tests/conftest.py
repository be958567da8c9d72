"""The environment of all tests: CPUs only, two logical devices, fixed seeds.

The backend is TensorFlow unless KERAS_BACKEND says otherwise.
"""

import contextlib
import os
import pathlib
import sys
import tempfile
from collections.abc import Callable

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["JAX_PLATFORMS"] = "cpu"
DEVICES = ["cpu:0", "cpu:1"]
# The first process owns the folder of the runs that all test processes read.
if "REPROGRAM_TEST_RUNS" not in os.environ:
    _RUNS = tempfile.TemporaryDirectory(prefix="reprogram-")
    os.environ["REPROGRAM_TEST_RUNS"] = _RUNS.name


def _split_cpu() -> None:
    """Makes logical devices; must run before the first operation."""
    if os.environ["KERAS_BACKEND"] == "jax":
        import jax

        jax.config.update("jax_num_cpu_devices", len(DEVICES))
    else:
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        part = tf.config.LogicalDeviceConfiguration()
        parts = [part] * len(DEVICES)
        tf.config.set_logical_device_configuration(cpu, parts)


_split_cpu()


@pytest.fixture(autouse=True)
def seeds() -> None:
    """Fixes the seeds and forgets the layer names of the test before."""
    if "keras" in sys.modules:
        import keras

        keras.utils.clear_session(free_memory=False)
        keras.utils.set_random_seed(0)


@pytest.fixture
def shared() -> pathlib.Path:
    """The optional folder of large data beside the checkout."""
    folder = pathlib.Path(__file__).parents[1].parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"needs the optional data folder {folder}, not there")
    return folder


@pytest.fixture(scope="session")
def two_devices() -> Callable[[], contextlib.AbstractContextManager]:
    """Makes a context that spreads a model over the two logical devices."""
    if os.environ["KERAS_BACKEND"] == "jax":
        import keras

        return keras.distribution.DataParallel(devices=DEVICES).scope
    import tensorflow as tf

    # One for all tests: strategies in one process disturb each other.
    return tf.distribute.MirroredStrategy(DEVICES).scope
