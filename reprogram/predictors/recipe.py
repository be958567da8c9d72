"""The choices of transform, mapping and training."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Choices of transform, mapping and training.

    Args:
        transform: Key of `transforms.TRANSFORMS`; empty for the transform
            that suits the source (a gain for `zinc-autoencoder`), or for that
            of the modality: a soft prompt for molecules and tokens, an
            overlay for images, padding for series.
        input_layer: Layer of the source behind which a prompt or a gain
            enters; empty for the one that suits the source.
        mapping: Key of `mappings.MAPPINGS`.
        labels_per_class: Number of source classes that each target class
            receives, for mappings that assign some.
        rank: Largest rank of the mappings 'linear' and 'correction'; 0 for
            any rank and for rank 1.
        features: Whether the mapping 'linear' reads the source's features
            instead of its scores.
        label_encoder: Source of text that the mapping 'semantic' compares
            names with; see `sources.load`.
        loss: Key of `losses.NAMED`; empty for the one of the problem.
        prompt_length: Number of vectors of a soft prompt.
        window: Share of height, width or length that a frame leaves to the
            data.
        program: Parametrization of the program, a key of
            `transforms.programs.PROGRAMS`.
        squash: Function that keeps a frame in the source's range: 'tanh',
            'sigmoid' or 'linear'.
        border: Part of a picture that an overlay covers: 'full', 'medium' or
            'narrow'.
        share: Share of the data in a center mix.
        total_variation: Weight of the penalty on differences between
            neighboring values of a program.
        program_rate: Learning rate of the program over that of the mapping;
            0 for the default of the modality, 10 for images.
        program_dropout: Share of a program's values that is left out in
            training.
        learning_rate: Learning rate of Adam.
        epochs: Largest number of epochs; 0 fits the mapping alone. `None` for
            40, or 0 where a linear head reads the features of a sonification.
        patience: Number of epochs without a better validation loss before
            training stops.
        batch_size: Number of samples a step.
        views: Number of further ways in which each input is written, for
            sources that know some: randomized SMILES, images moved by some
            pixels. Training uses them all, predictions are averaged over them.
    """

    transform: str = ""
    input_layer: str = ""
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


def fields(known: dict[str, Any]) -> dict[str, Any]:
    """Keeps the fields of a recipe from a record of any version."""
    names = {field.name for field in dataclasses.fields(Recipe)}
    return {name: value for name, value in known.items() if name in names}
