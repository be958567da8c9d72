"""How a Reprogrammer is built and trained where nothing else is said."""

import dataclasses
import math

import keras
import numpy as np
from keras import ops

from reprogram import losses
from reprogram import mappings
from reprogram import transforms
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import Source


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Choices of transform, mapping and training.

    Args:
        transform: A key of `transforms.TRANSFORMS`; empty for the default of
            the modality: a soft prompt for molecules, else padding.
        mapping: A key of `mappings.MAPPINGS`.
        prompt_length: Vectors of a soft prompt.
        window: Share of height, width or length that padding leaves to the
            data.
        learning_rate: Learning rate of Adam.
        epochs: At most so many.
        patience: Epochs without a better validation loss before it stops.
        batch_size: Samples a step.
        views: Further ways in which each input is written, for sources that
            know some: randomized SMILES. Training uses them all, predictions
            are averaged over them.
    """

    transform: str = ""
    mapping: str = "linear"
    prompt_length: int = 8
    window: float = 0.75
    learning_rate: float = 3e-3
    epochs: int = 40
    patience: int = 4
    batch_size: int = 32
    views: int = 4


def build(
    source: Source,
    problem: str,
    targets: int,
    recipe: Recipe,
    input_shape: tuple[int | None, ...],
    seed: int = 0,
) -> Reprogrammer:
    """Builds and compiles the model of a recipe.

    Args:
        source: The frozen source.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        targets: Number of target classes or columns.
        recipe: The choices.
        input_shape: Shape of a preprocessed batch.
        seed: Of the initial weights and the random mapping.

    Returns:
        The compiled Reprogrammer.

    Raises:
        ValueError: If transform, mapping, source and problem do not go
            together.
    """
    keras.utils.set_random_seed(seed)
    name = recipe.transform or DEFAULT_TRANSFORM[source.modality]
    mapping = _mapping(recipe.mapping, problem, targets, seed)
    reads_features = recipe.mapping == "linear"
    model = Reprogrammer(
        source.model,
        _transform(name, source, recipe),
        mapping,
        input_layer=source.input_layer if name == "soft_prompt" else None,
        feature_layer=source.feature_layer if reads_features else None,
    )
    model.build(tuple(input_shape))
    width = model.compute_output_shape(tuple(input_shape))[-1]
    if width != targets:
        raise ValueError(
            f"The mapping {recipe.mapping!r} gives {width} answers and the"
            f" task has {targets} targets. Use the mapping 'linear'."
        )
    model.compile(
        keras.optimizers.Adam(recipe.learning_rate),
        losses.LOSSES[problem](),
    )
    return model


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
    recipe: Recipe,
    training: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
) -> dict[str, list[float]]:
    """Fits the program, keeps the best epoch, then fits the mapping to all.

    The mapping is warmed up on the training part, the epoch is chosen by the
    validation part, and at last a mapping that `adapt` fits is fitted once
    more, to both parts.

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
    _adapt(model, recipe, x, y, groups)
    start = float(model.evaluate(*held, verbose=0))
    warm = [ops.convert_to_numpy(w) for w in model.trainable_weights]
    stop = keras.callbacks.EarlyStopping(
        patience=recipe.patience, restore_best_weights=True
    )
    fitted = model.fit(
        x,
        y,
        validation_data=held,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        callbacks=[stop],
        verbose=0,
    ).history
    if not min(fitted["val_loss"]) < start:
        for weight, value in zip(model.trainable_weights, warm):
            weight.assign(value)
    both, rows = views(
        source, np.concatenate([training[0], validation[0]]), recipe.views
    )
    targets = np.concatenate([training[1], validation[1]])[rows]
    _adapt(model, recipe, both, targets, rows)
    return {
        "loss": [math.nan, *fitted["loss"]],
        "val_loss": [start, *fitted["val_loss"]],
    }


def _adapt(
    model: Reprogrammer,
    recipe: Recipe,
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
    x, _ = views(source, inputs, further_views)
    scores = model.predict(x, batch_size=64, verbose=0)
    if problem == "classification":
        scores = ops.softmax(scores)
    elif problem == "multilabel":
        scores = ops.sigmoid(scores)
    scores = ops.convert_to_numpy(scores)
    return scores.reshape(-1, len(inputs), *scores.shape[1:]).mean(axis=0)


def describe_mapping(
    mapping: keras.layers.Layer,
    source_names: tuple[str, ...],
    target_names: tuple[str, ...],
) -> list[list[str]] | None:
    """Says which source classes each target class reads.

    Args:
        mapping: The mapping of a model.
        source_names: Names of the source's classes; numbers where unknown.
        target_names: Names of the target classes.

    Returns:
        Rows of target name and source names; `None` for mappings that read
        all source outputs.
    """
    table = getattr(mapping, "table", None)
    if table is None:
        return None
    known = dict(enumerate(source_names))
    return [
        [target, ", ".join(str(known.get(int(i), int(i))) for i in row)]
        for target, row in zip(target_names, ops.convert_to_numpy(table))
    ]


def _mapping(
    name: str, problem: str, targets: int, seed: int
) -> keras.layers.Layer:
    if name == "linear":
        return mappings.LinearMapping(targets, problem)
    if name != "identity" and problem != "classification":
        raise ValueError(
            f"The mapping {name!r} chooses source classes and needs a"
            f" classification task. Received: {problem}. Use 'linear'."
        )
    options = {"random": {"seed": seed}}.get(name, {})
    if name in ("random", "frequency"):
        options["classes"] = targets
    return mappings.get(name, **options)


def _transform(name: str, source: Source, recipe: Recipe) -> keras.layers.Layer:
    if name == "soft_prompt":
        if source.input_layer is None:
            raise ValueError(
                f"The source {source.name!r} does not say behind which layer"
                " a soft prompt enters. Choose another transform, or set"
                " `input_layer` in the JSON file beside the source."
            )
        return transforms.SoftPrompt(recipe.prompt_length)
    if name == "padding":
        shape = tuple(source.model.inputs[0].shape[1:])
        if None in shape:
            raise ValueError(
                f"The source {source.name!r} reads any size, {shape}, so there"
                " is no frame to fill. Use another transform."
            )
        window = [max(1, int(size * recipe.window)) for size in shape[:-1]]
        low, high = source.input_range or (-1.0, 1.0)
        return transforms.Padding(shape, window, value_range=(low, high))
    return transforms.get(name)


DEFAULT_TRANSFORM = {
    "molecule": "soft_prompt",
    "token": "soft_prompt",
    "image": "padding",
    "series": "padding",
}
