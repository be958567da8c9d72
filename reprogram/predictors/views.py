"""The ways in which inputs are written, as a program receives them."""

import keras
import numpy as np

from reprogram.predictors.features import Features
from reprogram.predictors.features import join
from reprogram.predictors.rear import behind
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources.source import Source


class Views:
    """Inputs and other ways to write them, as far as the program enters.

    What lies in front of the program is frozen: where that is more than an
    embedding, it runs once for each input and view of an experiment, not in
    every epoch and for every seed.

    Args:
        model: The Reprogrammer that is trained.
        source: Source of the model; without `augment` it has one view.
        count: Number of further views of each input.
        features: Store of the outputs of the front layers; `None` to run
            the whole model always.
    """

    def __init__(
        self,
        model: Reprogrammer,
        source: Source,
        count: int,
        features: Features | None = None,
    ):
        rear = behind(model) if features is not None else None
        self.body: keras.Model = model if rear is None else rear
        self.model, self.source, self.features = model, source, features
        self.layer = "" if rear is None else str(model.input_layer)
        self.count = 0 if source.augment is None else count

    def __call__(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Prepares inputs for the body of the model.

        Args:
            inputs: Raw inputs `(samples, ...)`.

        Returns:
            Inputs of `body` `(samples * (1 + count), ...)`, view by view, and
            the number of the sample of each.
        """
        samples = np.tile(np.arange(len(inputs)), 1 + self.count)
        if self.layer and self.features is not None:
            parts = [
                self.features(f"front {self.layer} {view}", inputs)
                for view in range(1 + self.count)
            ]
            return join(parts), samples
        return views(self.source, inputs, self.count)


def views(
    source: Source, inputs: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Preprocesses inputs together with other ways to write them.

    Args:
        source: The source; without `augment` there is only one view.
        inputs: Raw inputs `(samples, ...)`.
        count: Number of further views of each input.

    Returns:
        Model inputs `(samples * (1 + count), ...)`, view by view, and the
        number of the sample of each.
    """
    written = [inputs]
    if source.augment is not None:
        written += [source.augment(inputs, seed) for seed in range(count)]
    samples = np.tile(np.arange(len(inputs)), len(written))
    return source.preprocess(np.concatenate(written)), samples
