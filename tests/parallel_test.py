"""Chunks in order over processes; the devices of this machine."""

import contextlib
import os

import joblib
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from small_sources import attention_model

from reprogram import mappings
from reprogram import parallel
from reprogram import transforms
from reprogram.reprogrammer import Reprogrammer

TENSORFLOW = keras.backend.backend() == "tensorflow"


def make_process():
    """Makes a function that travels without this module and its imports."""

    def process(items):
        return os.getpid(), items

    return process


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers()), st.integers(1, 9))
def test_chunks_cover_the_items_in_order(items, chunk):
    parts = parallel.map_chunks(list, items, jobs=1, chunk=chunk)
    assert [item for part in parts for item in part] == items
    assert [len(part) for part in parts[:-1]] == [chunk] * (len(parts) - 1)
    assert all(parts)


@pytest.mark.parametrize("jobs", [1, 2, -1])
def test_any_number_of_processes_gives_the_same(jobs):
    items = list(range(10))
    expected = [3, 12, 21, 9]
    assert parallel.map_chunks(sum, items, jobs=jobs, chunk=3) == expected
    assert parallel.map_chunks(sum, tuple(items), jobs=jobs) == [45]
    assert parallel.map_chunks(sum, np.arange(3), jobs=jobs) == [3]
    assert parallel.map_chunks(sum, [], jobs=jobs) == []


def test_processes_are_others_only_when_asked_for():
    process = make_process()
    here, _ = parallel.map_chunks(process, [1, 2], jobs=1, chunk=1)[0]
    assert here == os.getpid()
    two = parallel.map_chunks(process, [1, 2, 3], jobs=2, chunk=1)
    assert os.getpid() not in {number for number, _ in two}
    assert [items for _, items in two] == [[1], [2], [3]]
    one = parallel.map_chunks(process, [1, 2, 3], jobs=2)
    assert one == [(os.getpid(), [1, 2, 3])]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_exception_in_a_process_arrives_here(jobs):
    with pytest.raises(TypeError, match="unsupported operand"):
        parallel.map_chunks(sum, [1, 2, "three"], jobs=jobs, chunk=1)


def test_the_engine_is_the_users_choice():
    with joblib.parallel_config(backend="threading"):
        found = parallel.map_chunks(make_process(), [1, 2], jobs=2, chunk=1)
    assert found == [(os.getpid(), [1]), (os.getpid(), [2])]


@pytest.mark.skipif(not TENSORFLOW, reason="MirroredStrategy is TensorFlow's")
def test_strategy_mirrors_over_gpus_only(monkeypatch):
    import tensorflow as tf

    assert isinstance(parallel.strategy(), contextlib.nullcontext)
    made = []

    class Mirrored:
        def __init__(self):
            made.append(self)

        def scope(self):
            return contextlib.nullcontext(self)

    devices = {"GPU": ["gpu:0", "gpu:1"]}
    monkeypatch.setattr(tf.config, "list_logical_devices", devices.get)
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", Mirrored)
    parallel._mirrored.cache_clear()
    with parallel.strategy() as first, parallel.strategy() as second:
        assert first is second and len(made) == 1
    parallel._mirrored.cache_clear()
    devices["GPU"].pop()
    assert isinstance(parallel.strategy(), contextlib.nullcontext)


@pytest.mark.skipif(TENSORFLOW, reason="keras.distribution needs JAX")
def test_strategy_spreads_over_all_devices_of_jax(monkeypatch):
    with parallel.strategy():
        distribution = keras.distribution.distribution()
        assert isinstance(distribution, keras.distribution.DataParallel)
        assert tuple(distribution.device_mesh.shape) == (2,)
    assert keras.distribution.distribution() is None
    one = keras.distribution.list_devices()[:1]
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: one)
    assert isinstance(parallel.strategy(), contextlib.nullcontext)


def test_strategy_refuses_another_backend(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(RuntimeError, match="tensorflow and jax.*torch"):
        parallel.strategy()


def trained_losses(scope):
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).integers(2, 12, (8, 5))
    y = np.random.default_rng(1).normal(size=(8, 1)).astype("float32")
    with scope:
        model = Reprogrammer(
            attention_model(12, 4, dropout=0.5),
            transforms.SoftPrompt(2),
            mappings.LinearMapping(1, "regression"),
            input_layer="embeddings",
        )
        model.compile(keras.optimizers.Adam(0.05), "mse")
        history = model.fit(
            x, y, batch_size=4, epochs=3, shuffle=False, verbose=0
        )
    return history.history["loss"]


def test_a_reprogrammer_trains_on_two_devices_as_on_one(two_devices):
    one = trained_losses(contextlib.nullcontext())
    assert len(set(one)) == 3
    np.testing.assert_allclose(trained_losses(two_devices()), one, rtol=1e-4)
