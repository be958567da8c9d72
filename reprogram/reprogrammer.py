"""Reprogrammer: input transform, frozen source model, label mapping."""

from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram import losses
from reprogram import mappings
from reprogram import transforms
from reprogram.program import Program
from reprogram.program import fingerprint
from reprogram.sources import log_mel
from reprogram.sources import text_encoder
from reprogram.sources.molecular import decoding
from reprogram.sources.molecular import networks
from reprogram.sources.slicing import answer
from reprogram.sources.slicing import answer_shape
from reprogram.sources.slicing import check_shape
from reprogram.sources.slicing import entered
from reprogram.sources.slicing import entered_shape
from reprogram.sources.slicing import heard
from reprogram.sources.slicing import slice_source

# Keras loads a saved model only if the classes in it are imported.
__all__ = [
    "Reprogrammer",
    "decoding",
    "log_mel",
    "losses",
    "networks",
    "text_encoder",
]


@keras.saving.register_keras_serializable("reprogram")
class Reprogrammer(keras.Model):
    """Puts a frozen model to work on a task it was never trained for.

    Data flow one way: inputs, input transform, frozen source, label mapping,
    target scores. `fit` trains the transform and the mapping, together the
    program; the source always runs in inference mode and never changes.

    Args:
        source: A built Keras model. It is frozen in place.
        transform: An input transform: a layer, a name known to
            `transforms.get`, or `None` for the identity.
        mapping: A label mapping: a layer, a name known to `mappings.get`, or
            `None` for the identity.
        input_layer: Name of the source's layer after which the program
            enters: the transform then receives and returns what this layer
            puts out, such as token embeddings `(batch, length, width)`. A
            token map takes the layer's place and receives the inputs.
        feature_layer: Name of the source's layer that the mapping reads
            instead of the source's output.

    Raises:
        ValueError: If a layer name is not in the source, or if the source is
            not a Keras model.

    Example:
    >>> source = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4)])
    >>> model = Reprogrammer(source, mapping=mappings.LinearMapping(2))
    >>> model.compile("adam", "mse")
    >>> model.predict(np.ones((3, 8)), verbose=0).shape
    (3, 2)

    References: Elsayed et al., Adversarial Reprogramming of Neural Networks,
    2019; Chen, Model Reprogramming, 2024.
    """

    def __init__(
        self,
        source: keras.Model,
        transform: keras.layers.Layer | str | None = None,
        mapping: keras.layers.Layer | str | None = None,
        input_layer: str | None = None,
        feature_layer: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not isinstance(source, keras.Model):
            raise ValueError(
                "`source` must be a Keras model; wrap a layer in"
                f" `keras.Sequential`. Received: {type(source).__name__}."
            )
        # Setting a value that a layer already has does not reach sublayers
        # built later: without the first line a reloaded source thaws.
        source.trainable = True
        source.trainable = False
        self.source = source
        self.transform = transforms.get(transform)
        self.mapping = mappings.get(mapping)
        self.input_layer = input_layer
        self.feature_layer = feature_layer
        self._together = feature_layer is not None
        self._maps_tokens = isinstance(self.transform, transforms.TokenMap)
        if self._maps_tokens:
            self.transform.check_source(source, input_layer)
        stages = slice_source(source, input_layer, feature_layer)
        self._stages = lambda: stages  # in a function Keras does not track
        readers: list[Reprogrammer] = []
        self._readers = lambda: readers

    @property
    def trainable(self) -> bool:
        """Whether the program trains; the source never does."""
        return keras.Model.trainable.fget(self)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        keras.Model.trainable.fset(self, value)
        if hasattr(self, "source"):
            self.source.trainable = False

    def build(self, input_shape: tuple) -> None:
        enter, read = self._stages()
        shape = entered_shape(enter, input_shape)
        if not self.transform.built:
            self.transform.build(input_shape if self._maps_tokens else shape)
        shape = self._transformed(shape)
        check_shape(read, self.transform, shape)
        if not read.built:
            read.build(shape)
        if not self.mapping.built:
            shape = answer_shape(enter, read, shape, self._together)
            self.mapping.build(shape)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        enter, read = self._stages()
        if enter is None:
            x = self.transform(inputs, training=training)
            x = heard(read, x, self._together)
            return self.mapping(x, training=training)
        if self._maps_tokens:
            x, *masks = self.transform.embed(enter, inputs, training)
        else:
            x, *masks = map(ops.copy, entered(enter, inputs))
            masks = [self.transform.compute_mask(x, mask) for mask in masks]
            x = self.transform(x, training=training)
        return self.mapping(answer(read, x, masks), training=training)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        enter, read = self._stages()
        shape = self._transformed(entered_shape(enter, input_shape))
        shape = answer_shape(enter, read, shape, self._together)
        return self.mapping.compute_output_shape(shape)

    def _transformed(self, shape: tuple) -> tuple:
        if self._maps_tokens:
            return shape
        return self.transform.compute_output_shape(shape)

    def adapt(
        self,
        inputs: np.ndarray,
        targets: np.ndarray,
        batch_size: int = 64,
        **options: Any,
    ) -> None:
        """Lets the mapping learn from the source's scores in one pass.

        Call it with training data only, before `fit`. A mapping without
        statistics needs no call.

        Args:
            inputs: Inputs of the model, `(samples, ...)`.
            targets: Class ids `(samples,)`, or values `(samples, targets)`
                where NaN is a missing value.
            batch_size: Number of samples in a batch.
            **options: Further arguments of the mapping's `adapt`.

        Raises:
            ValueError: If the mapping has nothing to adapt, or if inputs and
                targets differ in number.
        """
        if not hasattr(self.mapping, "adapt"):
            raise ValueError(
                f"The mapping {type(self.mapping).__name__} has nothing to"
                " adapt. Use FrequencyMapping or LinearMapping, or leave"
                " `adapt` out."
            )
        if len(inputs) != len(targets):
            raise ValueError(
                "Every input needs its target. Received:"
                f" {len(inputs)} inputs and {len(targets)} targets."
            )
        scores = self.source_scores(inputs, batch_size)
        self.mapping.adapt(scores, targets, **options)

    def source_scores(
        self, inputs: np.ndarray, batch_size: int = 64
    ) -> np.ndarray:
        """Returns what the mapping receives: scores or inner features.

        Args:
            inputs: Inputs of the model, `(samples, ...)`.
            batch_size: Number of samples in a batch.

        Returns:
            An array `(samples, source outputs)`.
        """
        reader = self.reader()
        return reader.predict(inputs, batch_size=batch_size, verbose=0)

    def reader(self) -> "Reprogrammer":
        """Returns the same model without the mapping; it shares all weights.

        Its outputs are what the mapping receives.
        """
        if not self._readers():  # Once, as each is compiled anew.
            reader = Reprogrammer(
                self.source,
                self.transform,
                None,
                self.input_layer,
                self.feature_layer,
            )
            self._readers().append(reader)
        return self._readers()[0]

    def source_fingerprint(self) -> str:
        """Returns the SHA-256 of all weights of the source, in hexadecimal."""
        return fingerprint(self.source)

    def save_program(self, path: str) -> None:
        """Saves the transform and the mapping without the source.

        Args:
            path: A file that ends in `.weights.h5`.
        """
        Program(self).save_weights(path, overwrite=True)

    def load_program(self, path: str) -> None:
        """Loads what `save_program` wrote into a model of the same build.

        Args:
            path: A file that `save_program` wrote.

        Raises:
            ValueError: If the program was trained on another source, or has
                other shapes.
        """
        Program(self).load_weights(path)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "source": keras.saving.serialize_keras_object(self.source),
            "transform": keras.saving.serialize_keras_object(self.transform),
            "mapping": keras.saving.serialize_keras_object(self.mapping),
            "input_layer": self.input_layer,
            "feature_layer": self.feature_layer,
        }

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: dict[str, Any] | None = None,
    ) -> "Reprogrammer":
        config = dict(config)
        for key in ("source", "transform", "mapping"):
            config[key] = keras.saving.deserialize_keras_object(
                config[key], custom_objects=custom_objects
            )
        return cls(**config)
