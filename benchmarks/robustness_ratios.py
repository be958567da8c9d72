"""Throughput of black-box attacks and certificates against bare queries.

Called by `benchmarks.robustness`. Everything runs in one process, in turns
with the bare queries or gradients that it is compared to.
"""

import functools
import time
from collections.abc import Callable
from collections.abc import Iterator

import keras
import numpy as np
from keras import ops

_BATCH = 256
_IMAGES = 48


def digits(model: keras.Model) -> tuple[np.ndarray, np.ndarray]:
    """Trains the model for a moment on scikit-learn's digits at 28x28."""
    from scipy import ndimage
    from sklearn import datasets

    found = datasets.load_digits()
    x = ndimage.zoom(found.images / 16, (1, 3.5, 3.5), order=1)
    x = np.clip(x, 0, 1)[..., None].astype("float32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    model.fit(x, found.target, batch_size=64, epochs=3, verbose=0)
    labels = model.predict(x[:500], verbose=0).argmax(axis=1)
    right = np.flatnonzero(labels == found.target[:500])[:_IMAGES]
    return x[right], found.target[right]


def ratios(
    network: Callable[[], keras.Model], rounds: int, quick: bool
) -> Iterator[dict]:
    """Yields one figure an attack and certificate.

    Args:
        network: Makes a classifier of images 28x28.
        rounds: Pairs of measurements.
        quick: Whether to ask a fifth of the questions.
    """
    keras.utils.set_random_seed(0)
    model = network()
    x, y = digits(model)
    bare = _queries(model)
    for name, run, bar in _attacks(model, x, y, 1 if quick else 5):
        yield _throughput(name, run, bare, bar, rounds)
    yield _smoothing(model, x, bare, rounds, 20 if quick else 100)
    yield _clever(model, x, y, rounds, 64 if quick else 256)


def _attacks(
    model: keras.Model, x: np.ndarray, y: np.ndarray, size: int
) -> list[tuple[str, Callable[[], int], float]]:
    from reprogram.robustness import L2
    from reprogram.robustness import Linf
    from reprogram.robustness import Spatial
    from reprogram.robustness.attacks import get

    # Radii so small that nothing falls: every question is asked.
    near, close = Linf(1e-6), L2(1e-6)
    still = Spatial(1e-3, 1e-3)
    rows = [
        ("square", near, {"queries": 200 * size}, 0.4),
        ("hop_skip_jump", close, {"queries": 500 * size}, 0.3),
        ("boundary", close, {"queries": 300 * size}, 0.3),
        ("spatial", still, {"grid": (31, 5, size)}, 0.5),
        ("nes", near, {"queries": 500 * size}, None),
        ("simba", near, {"queries": 200 * size}, None),
    ]

    def run(name: str, threat: object, options: dict) -> int:
        return int(get(name)(model, x, y, threat, **options).queries.sum())

    return [
        (name, functools.partial(run, name, threat, options), bar)
        for name, threat, options, bar in rows
    ]


def _queries(model: keras.Model) -> Callable[[int], None]:
    from reprogram.robustness.models import compiled_scores

    answer = compiled_scores(model)
    x = np.random.default_rng(0).uniform(0, 1, (_BATCH, 28, 28, 1))
    x = x.astype("float32")

    def ask(count: int) -> None:
        for _ in range(-(-count // _BATCH)):
            ops.convert_to_numpy(answer(x))

    return ask


def _throughput(
    name: str,
    run: Callable[[], int],
    bare: Callable[[int], None],
    bar: float | None,
    rounds: int,
) -> dict:
    shares, count = [], run()
    for _ in range(rounds):
        ours, base = _seconds(run), _seconds(bare, count)
        shares.append(base / ours)
    value = float(np.median(shares))
    return {
        "name": f"{name}, {_IMAGES} images, of bare query throughput",
        "value": value,
        "spread": [min(shares), max(shares)],
        "queries": count,
        "unit": "ratio of throughput",
        "bar": bar,
        "holds": bar is None or value >= bar,
    }


def _smoothing(
    model: keras.Model,
    x: np.ndarray,
    bare: Callable[[int], None],
    rounds: int,
    batches: int,
) -> dict:
    from reprogram.robustness.certification import certify

    images = 16
    votes, first = batches * _BATCH // images, _BATCH // images

    def ours() -> None:
        certify(model, x[:images], 0.25, votes, first, batch_size=_BATCH)

    base = functools.partial(bare, images * (votes + first))
    name = f"Smoothing, {images} images, over bare queries"
    return _cost(name, ours, base, 1.15, rounds)


def _clever(
    model: keras.Model,
    x: np.ndarray,
    y: np.ndarray,
    rounds: int,
    samples: int,
) -> dict:
    from reprogram.gradients import compiled
    from reprogram.gradients import value_and_grad
    from reprogram.robustness import L2
    from reprogram.robustness.certification import clever

    def margin(v: object, own: int, other: int) -> object:
        scores = model(v, training=False)
        return ops.sum(scores[:, own] - scores[:, other])

    label, batches = int(y[0]), 100
    slopes = value_and_grad(margin)
    others = [k for k in range(10) if k != label]
    every = compiled(lambda v: [slopes(v, label, k)[1] for k in others])
    points = np.repeat(x[:1], samples, axis=0)

    def base() -> None:
        for _ in range(batches):
            [ops.convert_to_numpy(slope) for slope in every(points)]

    def ours() -> None:
        clever(model, x[:1], y[:1], L2(0.5), batches, samples)

    name = f"CLEVER, {batches} x {samples} points, over 9 bare gradients each"
    return _cost(name, ours, base, 1.2, rounds)


def _cost(
    name: str,
    ours: Callable[[], None],
    base: Callable[[], None],
    bar: float,
    rounds: int,
) -> dict:
    ours(), base()
    found = [_seconds(ours) / _seconds(base) for _ in range(rounds)]
    value = float(np.median(found))
    return {
        "name": name,
        "value": value,
        "spread": [min(found), max(found)],
        "unit": "ratio of time",
        "bar": bar,
        "holds": value <= bar,
    }


def _seconds(function: Callable, *args: int) -> float:
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start
