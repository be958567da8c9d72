"""Counting the classes that a model gives to noisy copies."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.robustness.models import graph
from reprogram.robustness.models import inference
from reprogram.robustness.models import inspect

TOGETHER = 16  # inputs that share their noise


class Drawn(keras.random.SeedGenerator):
    """A seed inside a graph; Keras takes no tensor for one."""

    def __init__(self, seed: Any):
        self._seed = seed

    def next(self, ordered: bool = True) -> Any:
        """Returns the seed, always the same."""
        return self._seed


class Draws(Drawn):
    """A seed inside a graph that gives another one at each call."""

    def next(self, ordered: bool = True) -> Any:
        """Returns the next seed."""
        self._seed = self._seed + ops.convert_to_tensor([7919, 0], "uint32")
        return self._seed


class Votes:
    """Counts the classes of noisy copies; noise and counts are in the graph.

    Some inputs share each draw of the noise, which costs as much as a small
    model. The certificate of each input holds as before; they are not
    independent of each other.
    """

    def __init__(
        self,
        model: Callable,
        x: np.ndarray,
        deviation: float,
        batch_size: int = 512,
    ):
        self.x = np.asarray(x, "float32")
        if not deviation > 0 or batch_size < 1:
            raise ValueError(
                "Expected a positive deviation and batch size. Received:"
                f" {deviation} and {batch_size}."
            )
        self.classes = inspect(model, self.x).classes
        self.together = max(1, min(TOGETHER, len(self.x), batch_size))
        self.draws = batch_size // self.together
        answers = inference(model)
        draws, shape = self.draws, self.x.shape[1:]
        sizes = (self.together, draws, self.classes)

        def vote(x: Any, seed: Any, left: Any) -> Any:
            noise = keras.random.normal(
                (draws, *shape), dtype="float32", seed=Drawn(seed)
            )
            copies = x[:, None] + deviation * noise[None]
            scores = answers(ops.reshape(copies, (-1, *shape)))
            found = ops.one_hot(ops.argmax(scores, axis=1), self.classes)
            counted = ops.cast(ops.arange(draws) < left, "float32")
            found = ops.reshape(found, sizes) * counted[None, :, None]
            return ops.sum(found, axis=1)

        key = ("votes", float(deviation), self.together, draws)
        self._vote = graph(model, key, vote)

    def blocks(self) -> list[np.ndarray]:
        """Rows that share their noise."""
        rows = np.arange(len(self.x))
        return [
            rows[start : start + self.together]
            for start in range(0, len(rows), self.together)
        ]

    def __call__(
        self, rows: np.ndarray, votes: int, seed: list[int]
    ) -> np.ndarray:
        """Returns how often each class wins, `(rows, classes)`."""
        rng = np.random.default_rng(seed)
        x = self.x[np.resize(rows, self.together)]
        total = np.zeros((len(rows), self.classes), "int64")
        for start in range(0, votes, self.draws):
            draw = ops.convert_to_tensor(
                rng.integers(0, 2**31 - 1, 2), dtype="uint32"
            )
            left = np.int32(min(self.draws, votes - start))
            found = ops.convert_to_numpy(self._vote(x, draw, left))
            total += found[: len(rows)].astype("int64")
        return total
