"""The part of a Reprogrammer behind the layer that its program enters."""

from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.reprogrammer import Reprogrammer
from reprogram.sources.slicing import answer

BATCH = 256


def behind(model: Reprogrammer) -> "Rear | None":
    """Cuts off the frozen layers in front of a program.

    The rest shares all weights and trains the same program. Its inputs are
    the outputs of the last of these layers, with the mask as a last channel, so
    that the frozen layers need to run only once for each input.

    Args:
        model: The whole model.

    Returns:
        The part; `None` where nothing but an embedding lies in front, or
        where it cannot be cut off.
    """
    enter, read = model._stages()
    if enter is None or model._maps_tokens or len(enter.outputs) != 2:
        return None
    weighty = [layer for layer in enter.layers if layer.weights]
    return Rear(model, read) if len(weighty) > 1 else None


class Rear(keras.Model):
    """A Reprogrammer without the frozen layers in front of its program.

    Args:
        model: The Reprogrammer; all weights are shared with it.
        read: The layers behind the program.
        headless: Whether to leave the mapping out.
    """

    def __init__(
        self, model: Reprogrammer, read: keras.Model, headless: bool = False
    ):
        super().__init__()
        self.transform = model.transform
        self.mapping = keras.layers.Identity() if headless else model.mapping
        self._parts = lambda: (model, read)  # in a function: not tracked

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        _, read = self._parts()
        x, mask = inputs[..., :-1], inputs[..., -1] > 0.5
        mask = self.transform.compute_mask(x, mask)
        x = self.transform(x, training=training)
        return self.mapping(answer(read, x, [mask]), training=training)

    def source_scores(
        self, inputs: np.ndarray, batch_size: int = 64
    ) -> np.ndarray:
        """Returns what the mapping receives, see `Reprogrammer`."""
        model, read = self._parts()
        if not hasattr(self, "_reader"):
            reader = Rear(model, read, headless=True)
            self._reader = lambda: reader
        reader = self._reader()
        # Called, not compiled: so few layers are slower to trace than to run.
        size = max(batch_size, BATCH)
        parts = [
            ops.convert_to_numpy(reader(inputs[i : i + size], training=False))
            for i in range(0, len(inputs), size)
        ]
        return np.concatenate(parts)
