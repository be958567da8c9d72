"""How the program of a recipe is trained, and how it predicts."""

import math
from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import ops

from reprogram import losses
from reprogram import mappings
from reprogram import transforms
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import Source

if TYPE_CHECKING:
    from reprogram.predictors.recipe import Recipe

EPOCHS = 40
PART = 512  # Preprocessed images are large, and all their views at once.


def views(
    source: Source, inputs: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Preprocesses inputs together with other ways to write them.

    Args:
        source: The source; without `augment` there is only one view.
        inputs: Raw inputs `(samples, ...)`.
        count: Further views of each input.

    Returns:
        Model inputs `(samples * (1 + count), ...)`, view by view, and the
        number of the sample of each.
    """
    written = [inputs]
    if source.augment is not None:
        written += [source.augment(inputs, seed) for seed in range(count)]
    samples = np.tile(np.arange(len(inputs)), len(written))
    return source.preprocess(np.concatenate(written)), samples


def train(
    model: Reprogrammer,
    source: Source,
    recipe: "Recipe",
    training: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
) -> dict[str, list[float]]:
    """Fits the program, keeps the best epoch, then fits the mapping to all.

    The mapping is warmed up on the training part, and estimated on it anew
    before every epoch if it is one that follows the program. The epoch is
    chosen by the validation part, and at last a mapping that `adapt` fits is
    fitted once more, to both parts.

    Args:
        model: What `build` made.
        source: Its source.
        recipe: The choices.
        training: Raw inputs and targets.
        validation: The same, for the choice of the epoch.

    Returns:
        `loss` and `val_loss` of the epochs; number 0 is before training,
        where no `loss` is known (NaN).
    """
    x, rows = views(source, training[0], recipe.views)
    y, groups = training[1][rows], rows
    held_x, held_rows = views(source, validation[0], recipe.views)
    held = (held_x, validation[1][held_rows])
    _weigh(model, recipe, x, training[1])
    _adapt(model, recipe, x, y, groups)
    start = float(model.evaluate(*held, verbose=0))
    fitted = {"loss": [], "val_loss": []}
    if epochs(model, recipe):
        fitted = _fit(model, recipe, (x, y), held, start)
    # A trained correction belongs to the assignment it was trained with.
    if not isinstance(model.mapping, mappings.CorrectionMapping):
        both, rows = views(
            source, np.concatenate([training[0], validation[0]]), recipe.views
        )
        targets = np.concatenate([training[1], validation[1]])[rows]
        _adapt(model, recipe, both, targets, rows)
    return {
        "loss": [math.nan, *fitted["loss"]],
        "val_loss": [start, *fitted["val_loss"]],
    }


def epochs(model: Reprogrammer, recipe: "Recipe") -> int:
    """Returns how many epochs a program is trained at most.

    None where a head reads the features of sounds: on ten UCR sets training
    the sound was no better than the head alone on nine, and by 0.001 on one.
    """
    if recipe.epochs is not None:
        return recipe.epochs
    sound = isinstance(model.transform, transforms.Sonification)
    head = isinstance(model.mapping, mappings.LinearMapping)
    return 0 if sound and head and model.feature_layer else EPOCHS


def _fit(
    model: Reprogrammer,
    recipe: "Recipe",
    training: tuple[np.ndarray, np.ndarray],
    held: tuple[np.ndarray, np.ndarray],
    start: float,
) -> dict[str, list[float]]:
    """Fits by gradients and keeps the best epoch, or what was at the start."""
    changing = _changing(model)
    warm = [ops.convert_to_numpy(w) for w in changing]
    callbacks = [
        *_callbacks(model.transform),
        keras.callbacks.EarlyStopping(
            patience=recipe.patience, restore_best_weights=True
        ),
    ]
    if getattr(model.mapping, "each_epoch", False):
        callbacks.append(mappings.Readapt(*training, recipe.batch_size))
    fitted = model.fit(
        *training,
        validation_data=held,
        epochs=epochs(model, recipe),
        batch_size=recipe.batch_size,
        callbacks=callbacks,
        verbose=0,
    ).history
    if not min(fitted["val_loss"]) < start:
        for weight, value in zip(changing, warm):
            weight.assign(value)
    return fitted


def _weigh(
    model: Reprogrammer, recipe: "Recipe", x: np.ndarray, labels: np.ndarray
) -> None:
    """Tells a loss that weighs classes how large they are."""
    if recipe.loss and labels.ndim == 1:
        classes = model.compute_output_shape((None, *x.shape[1:]))[-1]
        counts = np.bincount(labels, minlength=classes)
        model.compile(
            keras.optimizers.Adam(recipe.learning_rate),
            losses.get(recipe.loss, "classification", counts),
        )


def _callbacks(transform: keras.layers.Layer) -> list[keras.callbacks.Callback]:
    """What a transform needs, before what keeps the best weights."""
    if isinstance(transform, transforms.SparseTokenMap):
        return [transforms.SparseCoding()]
    if isinstance(transform, transforms.TokenRewriting):
        return [transforms.Annealing()]
    return []


def _changing(model: Reprogrammer) -> list[keras.Variable]:
    """All weights that training changes: some change without a gradient."""
    return [*model.transform.weights, *model.mapping.weights]


def _adapt(
    model: Reprogrammer,
    recipe: "Recipe",
    x: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
) -> None:
    if isinstance(model.mapping, mappings.LinearMapping):
        model.adapt(x, y, recipe.batch_size, groups=groups)
    elif hasattr(model.mapping, "adapt"):
        model.adapt(x, y, recipe.batch_size)


def predict(
    model: Reprogrammer,
    source: Source,
    problem: str,
    inputs: np.ndarray,
    further_views: int = 0,
) -> np.ndarray:
    """Predicts values or probabilities, averaged over the views.

    Args:
        model: A trained Reprogrammer.
        source: Its source.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        inputs: Raw inputs `(samples, ...)`.
        further_views: Views besides the inputs as they are, see `Recipe`.

    Returns:
        Class probabilities `(samples, classes)`, probabilities or values
        `(samples, columns)`.
    """
    parts = [
        _predict(model, source, problem, inputs[i : i + PART], further_views)
        for i in range(0, len(inputs), PART)
    ]
    return np.concatenate(parts)


def _predict(
    model: Reprogrammer,
    source: Source,
    problem: str,
    inputs: np.ndarray,
    further_views: int,
) -> np.ndarray:
    x, _ = views(source, inputs, further_views)
    scores = model.predict(x, batch_size=64, verbose=0)
    if problem == "classification":
        scores = ops.softmax(scores)
    elif problem == "multilabel":
        scores = ops.sigmoid(scores)
    scores = ops.convert_to_numpy(scores)
    return scores.reshape(-1, len(inputs), *scores.shape[1:]).mean(axis=0)
