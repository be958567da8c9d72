r"""Searches transform, mapping, scale and learning rate on validation data.

    reprogram tune --task=digits --train_size=100 --trials=40
    reprogram train --task=digits --train_size=100 \
        --recipe=runs/tune-digits/recipe.json

Takes the flags of `train`; those about the recipe are where the search
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
flags.DEFINE_integer(
    "trials", 40, "Number of trials in all, earlier ones included.", 1
)
flags.DEFINE_float(
    "minutes", None, "Largest number of minutes to search this time.", 0.0
)
flags.adopt_module_key_flags(train)


def main(_: list[str]) -> None:
    """Searches, and writes the best recipe and a page."""
    from reprogram import files

    if not FLAGS["seeds"].present:
        FLAGS["seeds"].value = 2
    if FLAGS.output_dir:
        files.check_writable(FLAGS.output_dir)
    rows = train.prepare()
    from reprogram.experiments import tuning
    from reprogram.report.pages import tuning as page

    folder = pathlib.Path(FLAGS.output_dir or f"runs/tune-{rows.task['name']}")
    base = recipe_flags.chosen()
    relevant = FLAGS.get_key_flags_for_module(sys.modules[__name__])
    claimed = {flag.name: flag.value for flag in relevant}
    claimed |= vars(base) | rows.identity()
    files.claim(folder, claimed, ("output_dir", "trials", "minutes"))
    seconds = FLAGS.minutes * 60 if FLAGS.minutes else None
    study = tuning.search(rows.data, base, folder, FLAGS.trials, seconds)
    page.write(study, folder)
    print(f"Best validation loss: {study.best_value:.4f}")
    print(f"Use it: --recipe={folder / 'recipe.json'}")
    print(f"Report: {folder / 'tuning.html'}")


if __name__ == "__main__":
    errors.run(main)
