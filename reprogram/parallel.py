"""The devices and processes of this machine."""

import contextlib
import functools
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any


def map_chunks(
    function: Callable, items: Sequence, jobs: int = -1, chunk: int = 256
) -> list[Any]:
    """Applies a function to chunks of a sequence in several processes.

    The engine is joblib: `joblib.parallel_config(backend="dask")` around the
    call moves the same work to a cluster.

    Args:
        function: Function of a list of items, importable by its name.
        items: Items to work on.
        jobs: Number of processes; -1 for all cores, 1 for this process alone.
        chunk: Number of items in one call.

    Returns:
        The results of the calls, in order.

    Example:
    >>> map_chunks(sum, [1, 2, 3, 4], jobs=1, chunk=2)
    [3, 7]
    """
    import joblib

    items = list(items)
    chunks = [items[i : i + chunk] for i in range(0, len(items), chunk)]
    if jobs == 1 or len(chunks) < 2:
        return [function(part) for part in chunks]
    work = (joblib.delayed(function)(part) for part in chunks)
    return joblib.Parallel(n_jobs=jobs)(work)


def strategy() -> contextlib.AbstractContextManager:
    """Spreads training over the accelerators of this machine.

    TensorFlow with more than one GPU: a scope of `MirroredStrategy`. JAX with
    more than one device: `keras.distribution.DataParallel` is set; every
    batch, the last one too, must then divide by the number of devices.
    Otherwise a context that changes nothing.

    Returns:
        A context manager: build, compile and fit the model inside.

    Raises:
        RuntimeError: On a Keras backend other than TensorFlow and JAX.

    Example:
    >>> with strategy():
    ...     pass
    """
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        if len(tf.config.list_logical_devices("GPU")) > 1:
            return _mirrored().scope()
        return contextlib.nullcontext()
    if backend == "jax":
        if len(keras.distribution.list_devices()) > 1:
            return keras.distribution.DataParallel().scope()
        return contextlib.nullcontext()
    raise RuntimeError(
        "`strategy` knows the tensorflow and jax backends. Received:"
        f" {backend}. Set KERAS_BACKEND to one of them."
    )


# Two strategies in one process would mix up their sums over the devices.
@functools.cache
def _mirrored() -> Any:
    import tensorflow as tf

    return tf.distribute.MirroredStrategy()
