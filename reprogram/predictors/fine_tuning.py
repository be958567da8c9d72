"""Baselines that train the source itself: all weights, or low-rank additions.

The frozen source is never touched: a copy of it is trained, with the same
head, start, stopping and views as a program.
"""

import dataclasses
from typing import Any

import keras
import numpy as np

from reprogram import losses
from reprogram import mappings
from reprogram.predictors.data import Data
from reprogram.predictors.features import plain
from reprogram.predictors.recipe import Recipe
from reprogram.predictors.reprogrammed import Reprogrammed
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources.slicing import slice_source
from reprogram.sources.source import Source


@keras.saving.register_keras_serializable("reprogram")
class Still(keras.layers.Layer):
    """Runs a model in inference mode, whatever the mode around it.

    Dropout stays off and batch statistics stay, as for a frozen source.

    Args:
        model: The model to run; its weights train.
    """

    def __init__(self, model: keras.Model, **kwargs: Any):
        super().__init__(**kwargs)
        self.model = model

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.model(inputs, training=False)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.model.compute_output_shape(input_shape)


class FineTuned(Reprogrammed):
    """Trains a copy of the source, with a linear head on its features.

    The head starts as the linear probe. Epochs, patience, batch size and
    views are those of the recipe; its transform and mapping are not used.

    Args:
        name: Name of the predictor in tables of results.
        seed: Seed of the initial weights and of the batches.
        recipe: Choices of training.
        rank: Rank of the additions to the weights of dense, convolution and
            embedding layers (LoRA); 0 trains all weights.
        learning_rate: Learning rate of Adam.
    """

    def __init__(
        self,
        name: str,
        seed: int,
        recipe: Recipe,
        rank: int = 0,
        learning_rate: float = 1e-4,
    ):
        super().__init__(
            seed, dataclasses.replace(recipe, learning_rate=learning_rate)
        )
        self.name, self.rank = name, rank

    def _source(self, data: Data) -> Source:
        return plain(data.frozen_source())

    def _build(self, data: Data, example: np.ndarray) -> Reprogrammer:
        return build(
            self.source,
            data.problem,
            len(data.names),
            example,
            self.recipe.learning_rate,
            self.rank,
            self.seed,
        )

    def about(self, data: Data) -> dict[str, Any]:
        """Returns nothing: there is no program to show."""
        return {}


def build(
    source: Source,
    problem: str,
    targets: int,
    example: np.ndarray,
    learning_rate: float = 1e-4,
    rank: int = 0,
    seed: int = 0,
) -> Reprogrammer:
    """Builds and compiles a trainable copy of the source with a linear head.

    The copy takes the place of the transform, in front of a source that
    changes nothing.

    Args:
        source: The frozen source, which is copied.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        targets: Number of target classes or columns.
        example: A preprocessed batch.
        learning_rate: Learning rate of Adam.
        rank: Rank of low-rank additions; 0 trains all weights.
        seed: Seed of the initial weights.

    Returns:
        The compiled model.

    Raises:
        ValueError: If LoRA is asked for and no layer of the source takes it.
    """
    keras.utils.set_random_seed(seed)
    config = keras.saving.serialize_keras_object(source.model)
    copy = keras.saving.deserialize_keras_object(config)
    copy.set_weights(source.model.get_weights())
    _, reader = slice_source(copy, None, source.feature_layer)
    # Not already: setting a value that is there does not reach all layers.
    reader.trainable = False
    reader.trainable = True
    if rank:
        add_lora(reader, rank)
    inputs = keras.Input(reader.output_shape[1:])
    model = Reprogrammer(
        keras.Model(inputs, keras.layers.Identity()(inputs)),
        Still(reader),
        mappings.LinearMapping(targets, problem),
    )
    model(example)
    optimizer = keras.optimizers.Adam(learning_rate)
    model.compile(optimizer, losses.get("", problem))
    return model


def add_lora(model: keras.Model, rank: int) -> None:
    """Freezes a model but for low-rank additions to its weights.

    Args:
        model: A built model; changed in place.
        rank: Rank of the additions.

    Raises:
        ValueError: If no layer takes them.

    Reference: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models,
    2022.
    """
    layers = model._flatten_layers(include_self=False)
    taking = [layer for layer in layers if hasattr(layer, "enable_lora")]
    if not taking:
        raise ValueError(
            f"No layer of {model.name!r} takes low-rank additions: there is no"
            " dense, convolution or embedding layer. Train all weights."
        )
    for layer in layers:
        layer.trainable = False
    for layer in taking:
        layer.trainable = True
        layer.enable_lora(rank)
