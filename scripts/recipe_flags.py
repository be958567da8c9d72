"""The flags of a recipe: one for each of its choices."""

import dataclasses
import json
import pathlib

from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_string("recipe", None, "JSON file of scripts.tune to start from.")
flags.DEFINE_string("transform", "", "Input transform, by its name.")
flags.DEFINE_string("mapping", "linear", "Label mapping, by its name.")
flags.DEFINE_integer("labels_per_class", None, "Source classes a class.", 1)
flags.DEFINE_integer("rank", None, "Of a linear mapping or correction.", 0)
flags.DEFINE_bool("features", None, "Whether a linear mapping reads features.")
flags.DEFINE_string("label_encoder", None, "Source of text for 'semantic'.")
flags.DEFINE_string("loss", None, "focal, logit_adjusted or label_smoothing.")
flags.DEFINE_integer("prompt_length", None, "Vectors of a soft prompt.", 1)
flags.DEFINE_float("window", None, "Share that a frame leaves to the data.")
flags.DEFINE_string("program", None, "What numbers a program is made of.")
flags.DEFINE_string("squash", None, "Of a frame: tanh, sigmoid or linear.")
flags.DEFINE_string("border", None, "Of an overlay: full, medium or narrow.")
flags.DEFINE_float("share", None, "Of the data in a center mix.")
flags.DEFINE_float("total_variation", None, "Penalty on rough programs.", 0)
flags.DEFINE_float("program_rate", None, "Faster than the mapping by it.", 0)
flags.DEFINE_float("program_dropout", None, "Share left out in training.")
flags.DEFINE_float("learning_rate", None, "Learning rate.")
flags.DEFINE_integer("epochs", None, "At most; 0 for the mapping alone.", 0)
flags.DEFINE_integer("patience", None, "Epochs without a better loss.", 1)
flags.DEFINE_integer("batch_size", None, "Samples a step.", 1)
flags.DEFINE_integer("views", None, "Further ways to write an input.", 0)


def chosen():
    """The recipe of the flags; its own default where a flag is not given."""
    from reprogram.predictors.recipe import Recipe

    names = [field.name for field in dataclasses.fields(Recipe)]
    tuned = {}
    if FLAGS.recipe:
        tuned = json.loads(pathlib.Path(FLAGS.recipe).read_text("utf-8"))
        unknown = sorted(set(tuned) - set(names))
        if unknown:
            raise ValueError(
                f"{FLAGS.recipe} is no recipe: it holds {', '.join(unknown)}."
                " Expected the recipe.json that scripts.tune writes."
            )
    given = {name: FLAGS[name] for name in names if name in FLAGS}
    said = {n: flag.value for n, flag in given.items() if flag.present}
    return Recipe(**{**tuned, **said})
