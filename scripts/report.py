r"""Renders report cards again; several become one page, side by side.

python -m scripts.report --card=card.json --output=card.html
python -m scripts.report --card=a/card.json,b/card.json --output=both.md
"""

import pathlib

from absl import flags

from reprogram.scripts import errors

FLAGS = flags.FLAGS
flags.DEFINE_list("card", [], "Files or folders of cards, with commas.")
flags.DEFINE_string("output", None, "A .html or .md; default: beside a card.")


def main(_):
    from reprogram.report.pages import card

    if not FLAGS.card:
        raise ValueError("--card is missing: a card.json, or several.")
    cards = [card.load(path) for path in FLAGS.card]
    names = [found["name"] for found in cards]
    for place, found in enumerate(cards):
        if names.count(found["name"]) > 1:
            found["name"] = f"{found['name']} ({FLAGS.card[place]})"
    if not FLAGS.output and len(cards) > 1:
        raise ValueError("Several cards need --output=PAGE.html or .md.")
    first = pathlib.Path(FLAGS.card[0])
    folder = first if first.is_dir() else first.parent
    for path in [FLAGS.output] if FLAGS.output else ["card.html", "card.md"]:
        path = pathlib.Path(path) if FLAGS.output else folder / path
        card.write(cards, path)
        print(f"Report card: {path}")


if __name__ == "__main__":
    errors.run(main)
