"""How a Reprogrammer is built and trained where nothing else is said."""

import dataclasses
from collections.abc import Sequence

import keras

from reprogram import losses
from reprogram import transforms
from reprogram.mappings.choice import choose
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import Source
from reprogram.training import predict
from reprogram.training import train
from reprogram.training import views

__all__ = ["Recipe", "build", "predict", "train", "views"]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Choices of transform, mapping and training.

    Args:
        transform: A key of `transforms.TRANSFORMS`; empty for the default of
            the modality: a soft prompt for molecules, else padding.
        mapping: A key of `mappings.MAPPINGS`.
        labels_per_class: Source classes that each target class receives, for
            mappings that assign some.
        rank: Of the mappings 'linear' and 'correction'; 0 for any and for 1.
        features: Whether the mapping 'linear' reads the source's features
            instead of its answers.
        label_encoder: Source of text that the mapping 'semantic' compares
            names with; see `sources.load`.
        loss: A key of `losses.NAMED`; empty for the one of the problem.
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
    labels_per_class: int = 1
    rank: int = 0
    features: bool = True
    label_encoder: str = ""
    loss: str = ""
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
    mapping = choose(recipe, source, problem, targets, seed)
    reads_features = recipe.mapping == "linear" and recipe.features
    loss = losses.get(recipe.loss, problem)
    model = Reprogrammer(
        source.model,
        _transform(name, source, recipe),
        mapping,
        input_layer=source.input_layer if name == "soft_prompt" else None,
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
