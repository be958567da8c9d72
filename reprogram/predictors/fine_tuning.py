"""Baselines that train the source itself: all weights, or low-rank additions.

The frozen source is never touched: a copy of it is trained, with the same
head, start, stopping and views as a program.
"""

import dataclasses
from typing import TYPE_CHECKING

import keras
import numpy as np

from reprogram import losses
from reprogram import mappings
from reprogram.predictors import training
from reprogram.predictors.baselines import Tuned
from reprogram.predictors.recipe import Recipe
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import Source
from reprogram.sources.slicing import slice_source

if TYPE_CHECKING:
    from reprogram.predictors.data import Data


@keras.saving.register_keras_serializable("reprogram")
class Still(keras.layers.Layer):
    """Runs a model in inference mode, whatever the mode around it.

    Dropout stays off and batch statistics stay, as for a frozen source.

    Args:
        model: The model to run; its weights train.
    """

    def __init__(self, model: keras.Model, **kwargs: object):
        super().__init__(**kwargs)
        self.model = model

    def build(self, input_shape):
        self.built = True

    def call(self, inputs, training=None):
        return self.model(inputs, training=False)

    def compute_output_shape(self, input_shape):
        return self.model.compute_output_shape(input_shape)


def fit_predict(
    method: Tuned, data: "Data", source: Source, recipe: Recipe, seed: int
) -> tuple[np.ndarray, int]:
    """Trains a copy of the source and predicts.

    Args:
        method: Which weights, and how fast.
        data: Rows, draws and test set.
        source: The source; it stays as it is.
        recipe: Epochs, patience, batch size and views. Its transform and
            mapping are not used: the head is linear, on the source's
            features, and starts as the linear probe.
        seed: Which draw.

    Returns:
        Predictions as `metrics.evaluate` reads them, and the number of values
        that were trained.
    """
    fit, validation = data.draws[seed]
    example = source.preprocess(data.inputs[fit[:1]])
    model = build(method, source, data.problem, len(data.names), example, seed)
    recipe = dataclasses.replace(
        recipe, learning_rate=method.learning_rate, loss=""
    )
    training.train(
        model,
        source,
        recipe,
        (data.inputs[fit], data.targets[fit]),
        (data.inputs[validation], data.targets[validation]),
    )
    found = training.predict(
        model, source, data.problem, data.inputs[data.test], recipe.views
    )
    count = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    return found, count


def build(
    method: Tuned,
    source: Source,
    problem: str,
    targets: int,
    example: np.ndarray,
    seed: int = 0,
) -> Reprogrammer:
    """Builds and compiles a trainable copy of the source with a linear head.

    The copy takes the place of the transform, in front of a source that
    changes nothing.

    Args:
        method: Which weights, and how fast.
        source: The source.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        targets: Number of target classes or columns.
        example: A preprocessed batch.
        seed: Of the initial weights.

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
    if method.rank:
        add_lora(reader, method.rank)
    inputs = keras.Input(reader.output_shape[1:])
    model = Reprogrammer(
        keras.Model(inputs, keras.layers.Identity()(inputs)),
        Still(reader),
        mappings.LinearMapping(targets, problem),
    )
    model(example)
    optimizer = keras.optimizers.Adam(method.learning_rate)
    model.compile(optimizer, losses.get("", problem))
    return model


def add_lora(model: keras.Model, rank: int) -> None:
    """Freezes a model but for low-rank additions to its weights.

    Args:
        model: A built model; changed in place.
        rank: Of the additions.

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
