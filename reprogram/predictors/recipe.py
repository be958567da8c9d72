"""How a Reprogrammer is built and trained where nothing else is said."""

import dataclasses
from collections.abc import Sequence

import keras

from reprogram import losses
from reprogram.predictors import transform_of
from reprogram.predictors.mapping_of import choose
from reprogram.predictors.training import predict
from reprogram.predictors.training import train
from reprogram.predictors.training import views
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import Source

__all__ = ["Recipe", "build", "predict", "train", "views"]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Choices of transform, mapping and training.

    Args:
        transform: A key of `transforms.TRANSFORMS`; empty for the one of the
            source, or of the modality: a soft prompt for molecules and
            tokens, an overlay for images, padding for series.
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
        window: Share of height, width or length that a frame leaves to the
            data.
        program: What numbers a program is made of, a key of
            `transforms.programs.PROGRAMS`.
        squash: How a frame is kept in the source's range: 'tanh', 'sigmoid'
            or 'linear'.
        border: Where an overlay is: 'full', 'medium' or 'narrow'.
        share: Of the data in a center mix.
        total_variation: Weight of the penalty on differences between
            neighboring values of a program.
        program_rate: How many times faster a program learns than the mapping;
            0 for the default of the modality, 10 for images.
        program_dropout: Share of a program's values that is left out in
            training.
        learning_rate: Learning rate of Adam.
        epochs: At most so many; 0 fits the mapping alone. None for 40, or 0
            where a linear head reads the features of a sonification.
        patience: Epochs without a better validation loss before it stops.
        batch_size: Samples a step.
        views: Further ways in which each input is written, for sources that
            know some: randomized SMILES, images moved by some pixels.
            Training uses them all, predictions are averaged over them.
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
    program: str = "free"
    squash: str = "tanh"
    border: str = "full"
    share: float = 0.8
    total_variation: float = 0.0
    program_rate: float = 0.0
    program_dropout: float = 0.0
    learning_rate: float = 3e-3
    epochs: int | None = None
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
    mapping = choose(recipe, source, problem, targets, seed)
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
