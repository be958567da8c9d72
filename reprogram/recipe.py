"""How a Reprogrammer is built and trained where nothing else is said."""

import dataclasses

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
        learning_rate: Peak learning rate of Adam.
        epochs: At most so many.
        patience: Epochs without a better validation loss before it stops.
        batch_size: Samples a step.
    """

    transform: str = ""
    mapping: str = "linear"
    prompt_length: int = 8
    window: float = 0.75
    learning_rate: float = 1e-3
    epochs: int = 60
    patience: int = 10
    batch_size: int = 32


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
        steps_per_execution=8,
    )
    return model


def train(
    model: Reprogrammer,
    recipe: Recipe,
    training: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    callbacks: tuple = (),
) -> dict[str, list[float]]:
    """Warms the mapping up, fits the program, keeps the best epoch.

    Args:
        model: What `build` made.
        recipe: The choices.
        training: Preprocessed inputs and targets.
        validation: The same, for the choice of the epoch.
        callbacks: Further Keras callbacks.

    Returns:
        `loss` and `val_loss`; the first value of `val_loss` is the one
        before training.
    """
    if hasattr(model.mapping, "adapt"):
        model.adapt(*training, batch_size=recipe.batch_size)
    start = float(model.evaluate(*validation, verbose=0))
    warm = [ops.convert_to_numpy(w) for w in model.trainable_weights]
    stop = keras.callbacks.EarlyStopping(
        patience=recipe.patience, restore_best_weights=True
    )
    fitted = model.fit(
        *training,
        validation_data=validation,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        callbacks=[stop, *callbacks],
        verbose=0,
    ).history
    if not min(fitted["val_loss"]) < start:
        for weight, value in zip(model.trainable_weights, warm):
            weight.assign(value)
    return {"loss": fitted["loss"], "val_loss": [start, *fitted["val_loss"]]}


def predict(
    model: Reprogrammer, problem: str, inputs: np.ndarray, batch_size: int = 64
) -> np.ndarray:
    """Predicts values or probabilities.

    Args:
        model: A Reprogrammer.
        problem: `"classification"`, `"multilabel"` or `"regression"`.
        inputs: Preprocessed inputs `(samples, ...)`.
        batch_size: Samples a step.

    Returns:
        Class probabilities `(samples, classes)`, probabilities or values
        `(samples, columns)`.
    """
    scores = model.predict(inputs, batch_size=batch_size, verbose=0)
    if problem == "classification":
        scores = ops.softmax(scores)
    elif problem == "multilabel":
        scores = ops.sigmoid(scores)
    return ops.convert_to_numpy(scores)


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
