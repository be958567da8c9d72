"""Searches transform, mapping, scale and learning rate on validation data.

    python -m scripts.tune --task=digits --train_size=100 --trials=40
    python -m scripts.train --task=digits --train_size=100 \
        --recipe=runs/tune-digits/recipe.json

Takes the flags of scripts.train; those about the recipe are where the search
starts. Every trial is kept in --output_dir: the same command goes on. Writes
recipe.json and tuning.html, which shows what mattered. The test set is not
used. Needs: pip install "reprogram[tune]"
"""

import pathlib
import sys

from absl import flags

from reprogram.scripts import errors
from reprogram.scripts import recipe_flags
from reprogram.scripts import train

FLAGS = flags.FLAGS
flags.DEFINE_integer("trials", 40, "In all, earlier ones included.", 1)
flags.DEFINE_float("minutes", None, "At most so many, this time.", 0.0)
flags.adopt_module_key_flags(train)


def main(_):
    from reprogram import files
    from reprogram.experiments import tuning
    from reprogram.report.pages import tuning as page

    if not FLAGS["seeds"].present:
        FLAGS.seeds = 2
    data, source, task, _, _ = train.prepare()
    folder = pathlib.Path(FLAGS.output_dir or f"runs/tune-{task['name']}")
    base = recipe_flags.chosen()
    relevant = FLAGS.get_key_flags_for_module(sys.modules[__name__])
    claimed = {flag.name: flag.value for flag in relevant}
    claimed |= vars(base)
    claimed["data"] = files.digest(data.inputs, data.targets, data.test)
    files.claim(folder, claimed, ("output_dir", "trials", "minutes"))
    seconds = FLAGS.minutes * 60 if FLAGS.minutes else None
    study = tuning.search(data, source, base, folder, FLAGS.trials, seconds)
    page.write(study, folder)
    print(f"Best validation loss: {study.best_value:.4f}")
    print(f"Use it: --recipe={folder / 'recipe.json'}")
    print(f"Report: {folder / 'tuning.html'}")


if __name__ == "__main__":
    errors.run(main)
