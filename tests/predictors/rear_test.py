"""What runs once in front of a program is what runs in every step."""

import keras
import numpy as np
import pytest

from reprogram import sources
from reprogram.predictors import training
from reprogram.predictors.features import Features
from reprogram.predictors.rear import behind
from reprogram.predictors.recipe import Recipe
from reprogram.reprogrammer import Reprogrammer

SMILES = np.array(["CCO", "c1ccccc1C(=O)NCC", "CC(C)CCCCCCO", "N"], object)


@pytest.fixture(scope="module")
def source():
    return sources.load("zinc-autoencoder")


def built(source, transform, **options):
    recipe = Recipe(transform=transform, views=1, **options)
    keras.utils.set_random_seed(0)
    model = training.build(
        source, "regression", ["y"], recipe, (None, None), seed=0
    )
    for weight in model.trainable_weights:
        weight.assign(weight + 0.1 * np.random.normal(size=weight.shape))
    return model


@pytest.mark.parametrize("transform", ["gain", "soft_prompt"])
def test_the_kept_front_changes_no_prediction(source, transform):
    model = built(source, transform)
    assert behind(model) is not None
    known = Features(source, SMILES[:3])
    words = (model, source, "regression", SMILES, 2)
    np.testing.assert_allclose(
        training.predict(*words, known), training.predict(*words), atol=2e-5
    )


def test_training_behind_the_front_is_training(source):
    pairs = (
        (SMILES, np.array([[0.0], [1.0], [2.0], [3.0]])),
        (
            SMILES[:2],
            np.array([[0.5], [0.5]]),
        ),
    )
    recipe = Recipe(views=1, epochs=2, batch_size=4)
    losses = []
    for known in (None, Features(source, SMILES)):
        keras.utils.set_random_seed(1)
        model = training.build(
            source, "regression", ["y"], recipe, (None, None), seed=1
        )
        history = training.train(model, source, recipe, *pairs, features=known)
        losses.append(history["val_loss"])
    np.testing.assert_allclose(*losses, rtol=1e-3)


def test_embeddings_alone_are_not_worth_keeping(source):
    model = built(source, "soft_prompt", input_layer="embeddings")
    assert behind(model) is None
    whole = Reprogrammer(source.model)
    assert behind(whole) is None
