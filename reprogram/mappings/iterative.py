"""Mappings that are estimated anew while the program trains."""

import keras
import numpy as np

from reprogram.mappings.frequency import FrequencyMapping


@keras.saving.register_keras_serializable("reprogram")
class IterativeMapping(FrequencyMapping):
    """A `FrequencyMapping` that follows the program as it trains.

    What the source takes the target's data for changes with the program.
    Give `fit` the callback `Readapt`, which counts anew before every epoch; a
    `Recipe` does so by itself.

    Args:
        classes: Number of target classes.
        labels_per_class: Source classes that each target class receives.
        **kwargs: See `AssignmentMapping`.

    Example:
    >>> IterativeMapping(2)(keras.ops.ones((3, 10))).shape[1:] == (2,)
    True

    Reference: Chen et al., Understanding and Improving Visual Prompting,
    2023.
    """

    each_epoch = True


class Readapt(keras.callbacks.Callback):
    """Adapts the mapping of a Reprogrammer before an epoch, in one pass.

    The mapping sees the answers to the inputs as the program changes them at
    that time. Validation during the epoch and a checkpoint after it use the
    mapping that the epoch was trained with.

    Args:
        inputs: Training inputs of the model `(samples, ...)`. Never those of
            validation or test.
        targets: Class ids `(samples,)`, or what else the mapping's `adapt`
            reads.
        batch_size: Samples a step.
        every: Epochs from one estimate to the next.

    Raises:
        ValueError: If inputs and targets differ in number, if `every` is less
            than 1, or in `fit`, if the mapping has nothing to adapt.

    Example:
    >>> Readapt(np.ones((4, 8)), np.array([0, 1, 0, 1])).every
    1
    """

    def __init__(
        self,
        inputs: np.ndarray,
        targets: np.ndarray,
        batch_size: int = 64,
        every: int = 1,
    ):
        super().__init__()
        if len(inputs) != len(targets) or every < 1:
            raise ValueError(
                "Expected a target for every input and at least 1 epoch"
                f" between estimates. Received: {len(inputs)} inputs,"
                f" {len(targets)} targets, every={every}."
            )
        self.inputs = inputs
        self.targets = targets
        self.batch_size = batch_size
        self.every = every

    def on_train_begin(self, logs: dict | None = None) -> None:
        if not hasattr(getattr(self.model, "mapping", None), "adapt"):
            raise ValueError(
                "Readapt needs a Reprogrammer whose mapping has statistics."
                f" Received: {type(self.model).__name__}. Use"
                " IterativeMapping or BayesianMapping, or leave it out."
            )
        # One reader for all epochs: compiling one takes seconds.
        self.reader = self.model.reader()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if epoch % self.every == 0:
            answers = self.reader.predict(
                self.inputs, batch_size=self.batch_size, verbose=0
            )
            self.model.mapping.adapt(answers, self.targets)
