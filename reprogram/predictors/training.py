"""Training of the program of a recipe, and its predictions."""

import math
from collections.abc import Callable
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from reprogram import losses
from reprogram import mappings
from reprogram import transforms
from reprogram.predictors import mapping_of
from reprogram.predictors import transform_of
from reprogram.predictors.features import Features
from reprogram.predictors.recipe import Recipe
from reprogram.predictors.views import Views
from reprogram.predictors.views import views as views
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources.source import Source

EPOCHS = 40
PART = 512  # Preprocessed images are large, and all their views at once.
Tell = Callable[[int, int], None]


def build(
    source: Source,
    problem: str,
    targets: int | Sequence[str],
    recipe: Recipe,
    input_shape: tuple[int | None, ...],
    seed: int = 0,
) -> Reprogrammer:
    """Builds and compiles the model of a recipe.

    Args:
        source: The frozen source.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        targets: Number of target classes or columns, or their names.
        recipe: Choices of transform, mapping and training.
        input_shape: Shape of a preprocessed batch.
        seed: Seed of the initial weights and the random mapping.

    Returns:
        The compiled Reprogrammer.

    Raises:
        ValueError: If transform, mapping, source and problem do not go
            together.
    """
    keras.utils.set_random_seed(seed)
    mapping = mapping_of.choose(recipe, source, problem, targets, seed)
    reads_features = recipe.mapping == "linear" and recipe.features
    loss = losses.get(recipe.loss, problem)
    model = Reprogrammer(
        source.model,
        transform_of.choose(recipe, source, seed),
        mapping,
        input_layer=transform_of.input_layer(recipe, source),
        feature_layer=source.feature_layer if reads_features else None,
    )
    model.build(tuple(input_shape))
    width = model.compute_output_shape(tuple(input_shape))[-1]
    count = targets if isinstance(targets, int) else len(targets)
    if width != count:
        raise ValueError(
            f"The mapping {recipe.mapping!r} gives {width} answers and the"
            f" task has {count} targets. Use the mapping 'linear'."
        )
    model.compile(keras.optimizers.Adam(recipe.learning_rate), loss)
    return model


def train(
    model: Reprogrammer,
    source: Source,
    recipe: Recipe,
    training: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    tell: Tell | None = None,
    features: Features | None = None,
) -> dict[str, list[float]]:
    """Fits the program, keeps the best epoch, then fits the mapping to all.

    The mapping is warmed up on the training part, and estimated on it anew
    before every epoch if it is one that follows the program. The epoch is
    chosen by the validation part, and at last a mapping that `adapt` fits is
    fitted once more, to both parts.

    Args:
        model: Model that `recipe.build` made.
        source: The source of the model.
        recipe: Choices of training.
        training: Raw inputs and targets to fit to.
        validation: Raw inputs and targets that choose the epoch.
        tell: Function that receives the number of each epoch and how many
            there are at most.
        features: Store of the outputs of frozen layers, see `Views`.

    Returns:
        `loss` and `val_loss` of the epochs; number 0 is before training,
        where no `loss` is known (NaN).
    """
    prepare = Views(model, source, recipe.views, features)
    body = prepare.body
    x, rows = prepare(training[0])
    y, groups = training[1][rows], rows
    held_x, held_rows = prepare(validation[0])
    held = (held_x, validation[1][held_rows])
    _compile(model, body, recipe, training[1])
    _adapt(model, body, recipe, x, y, groups)
    start = float(body.evaluate(*held, verbose=0))
    fitted: dict[str, list[float]] = {"loss": [], "val_loss": []}
    if epochs(model, recipe):
        fitted = _fit(model, body, recipe, (x, y), held, start, tell)
    # A trained correction belongs to the assignment it was trained with.
    if not isinstance(model.mapping, mappings.CorrectionMapping):
        both, rows = prepare(np.concatenate([training[0], validation[0]]))
        targets = np.concatenate([training[1], validation[1]])[rows]
        _adapt(model, body, recipe, both, targets, rows)
    return {
        "loss": [math.nan, *fitted["loss"]],
        "val_loss": [start, *fitted["val_loss"]],
    }


def epochs(model: Reprogrammer, recipe: Recipe) -> int:
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
    body: keras.Model,
    recipe: Recipe,
    training: tuple[np.ndarray, np.ndarray],
    held: tuple[np.ndarray, np.ndarray],
    start: float,
    tell: Tell | None,
) -> dict[str, list[float]]:
    """Fits by gradients and keeps the best epoch, or what was at the start."""
    changing = _changing(model)
    warm = [ops.convert_to_numpy(w) for w in changing]
    limit = epochs(model, recipe)
    callbacks = [
        *_callbacks(model.transform),
        keras.callbacks.EarlyStopping(
            patience=recipe.patience, restore_best_weights=True
        ),
    ]
    if tell is not None:
        callbacks.append(
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: tell(epoch + 1, limit)
            )
        )
    if getattr(model.mapping, "each_epoch", False):
        callbacks.append(mappings.Readapt(*training, recipe.batch_size))
    fitted = body.fit(
        *training,
        validation_data=held,
        epochs=limit,
        batch_size=recipe.batch_size,
        callbacks=callbacks,
        verbose=0,
    ).history
    if not min(fitted["val_loss"]) < start:
        for weight, value in zip(changing, warm):
            weight.assign(value)
    return fitted


def _compile(
    model: Reprogrammer,
    body: keras.Model,
    recipe: Recipe,
    labels: np.ndarray,
) -> None:
    """Compiles with a loss that knows the sizes of the classes."""
    if recipe.loss and labels.ndim == 1:
        mapping = model.mapping
        count = getattr(mapping, "classes", getattr(mapping, "targets", 0))
        counts = np.bincount(labels, minlength=count)
        loss = losses.get(recipe.loss, "classification", counts.tolist())
        model.compile(keras.optimizers.Adam(recipe.learning_rate), loss)
    if body is not model:
        # Shared, so that one optimizer serves both.
        body.compile(keras.optimizers.Adam(recipe.learning_rate), model.loss)


def _callbacks(transform: keras.layers.Layer) -> list[keras.callbacks.Callback]:
    """Callbacks that a transform needs in training."""
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
    body: keras.Model,
    recipe: Recipe,
    x: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
) -> None:
    if not hasattr(model.mapping, "adapt"):
        return
    options = {}
    if isinstance(model.mapping, mappings.LinearMapping):
        options = {"groups": groups}
    scores = body.source_scores(x, recipe.batch_size)
    model.mapping.adapt(scores, y, **options)


def predict(
    model: Reprogrammer,
    source: Source,
    problem: str,
    inputs: np.ndarray,
    further_views: int = 0,
    features: Features | None = None,
) -> np.ndarray:
    """Predicts values or probabilities, averaged over the views.

    Args:
        model: A trained Reprogrammer.
        source: The source of the model.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        inputs: Raw inputs `(samples, ...)`.
        further_views: Number of views besides the inputs as they are.
        features: Store of the outputs of frozen layers, see `Views`.

    Returns:
        Class probabilities `(samples, classes)`, probabilities or values
        `(samples, columns)`.
    """
    prepare = Views(model, source, further_views, features)
    parts = [
        _predict(prepare, problem, inputs[i : i + PART])
        for i in range(0, len(inputs), PART)
    ]
    return np.concatenate(parts)


def _predict(prepare: Views, problem: str, inputs: np.ndarray) -> np.ndarray:
    x, _ = prepare(inputs)
    if prepare.layer:
        # The function that reads features is compiled already.
        scores = prepare.model.mapping(prepare.body.source_scores(x))
    else:
        scores = prepare.body.predict(x, batch_size=64, verbose=0)
    if problem == "classification":
        scores = ops.softmax(scores)
    elif problem == "multilabel":
        scores = ops.sigmoid(scores)
    scores = ops.convert_to_numpy(scores)
    return scores.reshape(-1, len(inputs), *scores.shape[1:]).mean(axis=0)
