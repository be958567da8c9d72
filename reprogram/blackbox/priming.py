"""Prime a local student with the service's scores, then reprogram it.

Each training input is asked once. A local head learns to score like the
service, and this student is reprogrammed with true gradients.

Reference: AReS (prime, then reprogram), 2026.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.blackbox.reprogrammer import BlackBoxReprogrammer
from reprogram.predictors import training as programs
from reprogram.predictors.recipe import Recipe
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import Source
from reprogram.sources.slicing import slice_source

Pair = tuple[np.ndarray, np.ndarray]
VIEWS = 4


@dataclasses.dataclass(frozen=True)
class Primed:
    """A student, its program, and how the choice was made.

    Args:
        predict: Function from raw inputs to class probabilities; it asks the
            service only if `winner` is `"service"`.
        winner: Name of the best in `accuracies`; a student must be better than
            the service by a standard error, as its epoch was chosen on the same
            data.
        accuracies: Validation accuracies of `"primed"` (the reprogrammed
            student), `"local"` (the encoder reprogrammed without the service)
            and `"service"` (its scores under the mapping).
        models: Reprogrammed models by name, `"primed"` and `"local"`.
        sources: Sources of these models: the student and the encoder.
        agreement: Share of the training inputs to which student and service
            give the same class.
    """

    predict: Callable[[np.ndarray], np.ndarray]
    winner: str
    accuracies: dict[str, float]
    models: dict[str, Reprogrammer]
    sources: dict[str, Source]
    agreement: float

    def scores(self, name: str, inputs: np.ndarray) -> np.ndarray:
        """Returns class probabilities of one of the two models."""
        return _scores(self.models[name], self.sources[name], inputs)


def student(
    source: Source,
    inputs: np.ndarray,
    scores: np.ndarray,
    steps: int = 2000,
    seed: int = 0,
) -> Source:
    """Trains a head on a local encoder to score like a service.

    Labels are not used. Where the source knows further ways to write an
    input, each shares the scores that were paid once.

    Args:
        source: Encoder, which stays frozen.
        inputs: Raw inputs of the encoder `(samples, ...)`.
        scores: Log-probabilities or logits `(samples, classes)`.
        steps: Number of training steps of the head, in batches of 32.
        seed: Seed of the initial weights of the head.

    Returns:
        A source with the service's classes.
    """
    keras.utils.set_random_seed(seed)
    reader = Reprogrammer(source.model, feature_layer=source.feature_layer)
    written, rows = programs.views(source, inputs, VIEWS)
    features = reader.source_scores(written)
    features = features.reshape(len(features), -1)
    scale = keras.layers.Normalization()
    scale.adapt(features)
    head = keras.layers.Dense(scores.shape[-1])
    learner = keras.Sequential([keras.Input(features.shape[1:]), scale, head])
    learner.compile(
        keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(1e-2, steps),
            weight_decay=1e-2,
        ),
        keras.losses.CategoricalCrossentropy(from_logits=True),
    )
    targets = ops.convert_to_numpy(ops.softmax(scores))[rows]
    copies = max(1, 512 // len(features))
    epochs = max(1, 32 * steps // (copies * len(features)))
    learner.fit(
        np.tile(features, (copies, 1)),
        np.tile(targets, (copies, 1)),
        epochs=epochs,
        batch_size=32,
        verbose=0,
    )
    _, encoder = slice_source(source.model, None, source.feature_layer)
    layers = [encoder, keras.layers.Flatten(), learner]
    inputs = keras.Input(source.model.inputs[0].shape[1:])
    model = keras.Sequential([inputs, *layers], name="student")
    return dataclasses.replace(
        source,
        model=model,
        name=f"student on {source.name}",
        feature_layer=None,
        class_names=(),
    )


def prime(
    model: BlackBoxReprogrammer,
    source: Source,
    training: Pair,
    validation: Pair,
    recipe: Recipe | None = None,
    prepare: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> Primed:
    """Asks each input once, then does without the service where it can.

    Args:
        model: `BlackBoxReprogrammer` around the service; its mapping learns
            from the same scores.
        source: Local encoder of the same modality.
        training: Pair of raw inputs and class ids.
        validation: Pair of raw inputs and class ids that choose the winner.
        recipe: Recipe for reprogramming the student.
        prepare: Function from raw inputs to inputs of the transform in front of
            the service.

    Returns:
        The student and the choice.

    Raises:
        BudgetSpent: If the budget does not cover training and validation
            inputs; nothing was asked then.
    """
    recipe = recipe or Recipe()
    x, held = prepare(training[0]), prepare(validation[0])
    model.reserve = len(held)
    model.adapt(x, training[1])
    model.reserve = 0
    center = model.values()[None]
    taught = model.scores_at(center, x, "train")[0]
    held = model.scores_at(center, held, "validation")[0]
    learned = student(source, training[0], taught, seed=model.seed)
    sources = {"primed": learned, "local": source}
    recipes = {"primed": dataclasses.replace(recipe, features=False)}
    models = {
        name: _reprogram(
            *(local, training, validation, recipes.get(name, recipe), model)
        )
        for name, local in sources.items()
    }
    scores = {
        name: _accuracy(
            _scores(models[name], local, validation[0]), validation[1]
        )
        for name, local in sources.items()
    }
    scores["service"] = _accuracy(model.mapping(held), validation[1])
    winner = _best(scores, len(validation[1]))

    def predict(inputs: np.ndarray) -> np.ndarray:
        if winner != "service":
            return _scores(models[winner], sources[winner], inputs)
        logits = model.predict(prepare(inputs), verbose=0)
        return ops.convert_to_numpy(ops.softmax(logits))

    said = learned.model.predict(learned.preprocess(training[0]), verbose=0)
    same = said.argmax(axis=-1) == taught.argmax(axis=-1)
    return Primed(predict, winner, scores, models, sources, float(same.mean()))


def _scores(
    model: Reprogrammer, source: Source, inputs: np.ndarray
) -> np.ndarray:
    return programs.predict(model, source, "classification", inputs, VIEWS)


def _reprogram(
    source: Source,
    training: Pair,
    validation: Pair,
    recipe: Recipe,
    asked: BlackBoxReprogrammer,
) -> Reprogrammer:
    shape = (None, *source.preprocess(training[0][:1]).shape[1:])
    classes = asked.compute_output_shape((None,))[-1]
    built = programs.build(
        source, "classification", classes, recipe, shape, asked.seed
    )
    programs.train(built, source, recipe, training, validation)
    return built


def _best(scores: dict[str, float], rows: int) -> str:
    """Names the best; the students' epochs were chosen on the same rows."""
    fair = {
        name: score - (name != "service") * np.sqrt(score * (1 - score) / rows)
        for name, score in scores.items()
    }
    return max(fair, key=lambda name: fair[name])


def _accuracy(scores: Any, classes: np.ndarray) -> float:
    predicted = ops.convert_to_numpy(scores).argmax(axis=-1)
    return float(np.mean(predicted == classes))
