"""Source classes drawn by lot."""

from typing import Any

import keras
import numpy as np

from reprogram.mappings.assignment import AssignmentMapping


@keras.saving.register_keras_serializable("reprogram")
class RandomMapping(AssignmentMapping):
    """Gives each target class source classes drawn without replacement.

    Args:
        classes: Number of target classes.
        labels_per_class: Source classes that each target class receives.
        seed: Seed of the draw; equal seeds give equal mappings.
        **kwargs: See `AssignmentMapping`.

    Example:
    >>> RandomMapping(2, seed=1)(keras.ops.ones((3, 10))).shape[1:] == (2,)
    True

    Reference: Elsayed et al., Adversarial Reprogramming of Neural Networks,
    2019; many-to-one: Tsai, Chen and Ho, Transfer Learning without Knowing,
    2020.
    """

    def __init__(
        self,
        classes: int,
        labels_per_class: int = 1,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(classes, labels_per_class, **kwargs)
        self.seed = seed

    def initial_table(self, source_classes: int) -> np.ndarray:
        order = np.random.default_rng(self.seed).permutation(source_classes)
        needed = self.classes * self.labels_per_class
        return order[:needed].reshape(self.classes, self.labels_per_class)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
