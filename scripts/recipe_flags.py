"""The flags of a recipe: one for each of its choices."""

import dataclasses
import json
import pathlib
from typing import TYPE_CHECKING

from absl import flags

if TYPE_CHECKING:
    from reprogram.predictors.recipe import Recipe

FLAGS = flags.FLAGS
flags.DEFINE_string(
    "recipe", None, "JSON file with a recipe, as `tune` writes it, to start at."
)
flags.DEFINE_string(
    "transform", "", "Input transform, a key of transforms.TRANSFORMS."
)
flags.DEFINE_string(
    "input_layer",
    None,
    "Layer of the source behind which a prompt or a gain enters.",
)
flags.DEFINE_string(
    "mapping", "linear", "Label mapping, a key of mappings.MAPPINGS."
)
flags.DEFINE_integer(
    "labels_per_class", None, "Number of source classes a target class gets.", 1
)
flags.DEFINE_integer(
    "rank", None, "Largest rank of a linear mapping or a correction.", 0
)
flags.DEFINE_bool(
    "features",
    None,
    "Whether a linear mapping reads inner features instead of scores.",
)
flags.DEFINE_string(
    "label_encoder",
    None,
    "Source of text with which the mapping 'semantic' compares names.",
)
flags.DEFINE_string(
    "loss", None, "Loss: focal, logit_adjusted or label_smoothing."
)
flags.DEFINE_integer(
    "prompt_length", None, "Number of vectors of a soft prompt.", 1
)
flags.DEFINE_float(
    "window", None, "Share of each side that a frame leaves to the data."
)
flags.DEFINE_string(
    "program",
    None,
    "Parametrization: free, cosine, patches or low_rank.",
)
flags.DEFINE_string(
    "squash", None, "Function that bounds a frame: tanh, sigmoid or linear."
)
flags.DEFINE_string(
    "border", None, "Part an overlay covers: full, medium or narrow."
)
flags.DEFINE_float("share", None, "Share of the data in a center mix.")
flags.DEFINE_float(
    "total_variation", None, "Weight of the penalty on rough programs.", 0
)
flags.DEFINE_float(
    "program_rate",
    None,
    "Learning rate of the program over that of the mapping.",
    0,
)
flags.DEFINE_float(
    "program_dropout",
    None,
    "Share of a program's values left out in training.",
)
flags.DEFINE_float("learning_rate", None, "Learning rate of Adam.")
flags.DEFINE_integer(
    "epochs", None, "Largest number of epochs; 0 fits the mapping alone.", 0
)
flags.DEFINE_integer(
    "patience", None, "Epochs without a better loss before training stops.", 1
)
flags.DEFINE_integer("batch_size", None, "Number of samples a step.", 1)
flags.DEFINE_integer(
    "views", None, "Number of further ways in which an input is written.", 0
)


def chosen() -> "Recipe":
    """Makes the recipe of the flags, with defaults where none is given."""
    from reprogram.predictors.recipe import Recipe

    names = [field.name for field in dataclasses.fields(Recipe)]
    tuned = {}
    if FLAGS.recipe:
        tuned = json.loads(pathlib.Path(FLAGS.recipe).read_text("utf-8"))
        unknown = sorted(set(tuned) - set(names))
        if unknown:
            raise ValueError(
                f"{FLAGS.recipe} is no recipe: it holds {', '.join(unknown)}."
                " Expected the recipe.json that `tune` writes."
            )
    given = {name: FLAGS[name] for name in names if name in FLAGS}
    said = {n: flag.value for n, flag in given.items() if flag.present}
    return Recipe(**{**tuned, **said})
