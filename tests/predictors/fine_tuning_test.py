"""Baselines that train a copy of the source."""

import dataclasses

import keras
import numpy as np
import pytest
from small_sources import images
from small_sources import tokens

from reprogram.predictors import fine_tuning
from reprogram.predictors.data import Data
from reprogram.predictors.recipe import Recipe
from reprogram.program import fingerprint

FULL, LORA = 0, 2  # ranks
RECIPE = Recipe(epochs=3, views=0)


def data(problem="classification", samples=48):
    rng = np.random.default_rng(0)
    x = rng.random((samples, 6, 6, 1)) * rng.random((samples, 1, 1, 1))
    score = x.mean((1, 2, 3)) - 0.25
    targets = {
        "classification": (score > 0).astype("int64"),
        "multilabel": np.stack([score > 0, score < -0.1], 1).astype("float32"),
        "regression": score[:, None].astype("float32"),
    }[problem]
    return Data(
        inputs=(255 * x).astype("float32"),
        targets=targets,
        problem=problem,
        modality="image",
        names=("a",) if problem == "regression" else ("a", "b"),
        draws={3: (np.arange(24), np.arange(24, 32))},
        test=np.arange(32, 48),
    )


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        (FULL, "classification"),
        (FULL, "regression"),
        (LORA, "multilabel"),
        (LORA, "classification"),
    ],
)
def test_a_copy_is_trained_and_the_source_is_not(method, problem):
    source = images()
    rows = dataclasses.replace(data(problem), source=source)
    before = fingerprint(source.model)
    model = fine_tuning.FineTuned("tuned", 3, RECIPE, method, 1e-2)
    model.fit(rows, *rows.draws[3])
    found, count = model.predict(rows.inputs[rows.test]), model.parameters
    assert fingerprint(source.model) == before
    assert found.shape == (16, len(rows.names)) and np.isfinite(found).all()
    head = (4 + 1) * len(rows.names)
    inner = (3 * 3 * 1 * 4) + 4 if not method else (9 + 4) * 2 + 4
    assert count == head + inner


def built(method, source, batch):
    return fine_tuning.build(
        source, "classification", 2, batch, 1e-2, rank=method
    )


@pytest.mark.parametrize("method", [FULL, LORA])
def test_it_starts_as_the_source_with_a_new_head(method):
    source = images()
    x = source.preprocess(data().inputs[:4])
    model = built(method, source, x)
    reader = keras.Model(
        source.model.inputs, source.model.get_layer("pooled").output
    )
    np.testing.assert_allclose(
        model.source_scores(x), reader.predict(x, verbose=0), atol=1e-6
    )
    model.fit(x, np.array([0, 1, 0, 1]), epochs=3, verbose=0)
    moved = np.abs(model.source_scores(x) - reader.predict(x, verbose=0)).max()
    assert moved > 1e-5


def test_low_rank_leaves_all_other_weights_alone():
    source = tokens()
    batch = np.random.default_rng(0).integers(2, 9, (6, 5)).astype("int32")
    model = built(LORA, source, batch)
    names = [w.path for w in model.transform.trainable_weights]
    assert any("lora" in name for name in names)
    frozen = {
        w.path: np.array(w)
        for w in model.transform.weights
        if w.path not in names and "seed" not in w.path
    }
    model.fit(batch, np.arange(6) % 2, epochs=3, verbose=0)
    for weight in model.transform.weights:
        if weight.path in frozen:
            np.testing.assert_array_equal(weight, frozen[weight.path])
    assert len(frozen) > 4
    total = sum(np.prod(w.shape) for w in model.transform.trainable_weights)
    assert total < model.transform.count_params()


def test_dropout_stays_off_and_statistics_stay():
    inputs = keras.Input((6, 6, 1))
    x = keras.layers.Conv2D(3, 3)(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Dropout(0.9)(x)
    x = keras.layers.GlobalAveragePooling2D(name="pooled")(x)
    frozen = keras.Model(inputs, keras.layers.Dense(5)(x))
    frozen.trainable = False
    source = dataclasses.replace(images(), model=frozen)
    batch = data().inputs[:8] / 255
    model = built(FULL, source, batch)
    norm = model.transform.model.get_layer("norm")
    before = np.array(norm.moving_mean), np.array(norm.gamma)
    model.fit(batch, np.arange(8) % 2, epochs=3, verbose=0)
    np.testing.assert_array_equal(norm.moving_mean, before[0])
    assert (np.array(norm.gamma) != before[1]).any()
    a, b = (np.asarray(model(batch, training=True)) for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_a_source_without_such_layers_is_refused():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Rescaling(2.0)])
    with pytest.raises(ValueError, match="no dense, convolution or embedding"):
        fine_tuning.add_lora(model, 2)
