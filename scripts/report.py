r"""Writes pages again: the report of a run, or report cards, side by side.

python -m scripts.report --run=runs/nav17
python -m scripts.report --card=card.json --output=card.html
python -m scripts.report --card=a/card.json,b/card.json --output=both.md
"""

import pathlib

from absl import flags

from reprogram.scripts import errors

FLAGS = flags.FLAGS
flags.DEFINE_string("run", None, "Folder of a run of train or train_blackbox.")
flags.DEFINE_list("card", [], "Files or folders of report cards, with commas.")
flags.DEFINE_string(
    "output",
    None,
    "Page to write; by default report.html in the run, or card.html and"
    " card.md beside the card. A name that ends in .md is for cards only.",
)


def show_run() -> None:
    from reprogram.report import record
    from reprogram.report.pages import run

    loaded = record.load(FLAGS.run)
    path = pathlib.Path(FLAGS.run)
    folder = path if path.is_dir() else path.parent
    page = pathlib.Path(FLAGS.output or folder / "report.html")
    if page.suffix != ".html":
        raise ValueError(f"A run is written as .html. Received: {page}.")
    run.write(page, loaded)
    print(f"{record.table(loaded)}\n\nReport: {page}")


def main(_: list[str]) -> None:
    if bool(FLAGS.run) == bool(FLAGS.card):
        raise ValueError(
            "--card is missing, a card.json or several, or --run, the folder"
            " of a run; one of the two."
        )
    if FLAGS.run:
        show_run()
        return
    from reprogram.report.pages import card

    cards = [card.load(path) for path in FLAGS.card]
    names = [entry["name"] for entry in cards]
    for place, entry in enumerate(cards):
        if names.count(entry["name"]) > 1:
            entry["name"] = f"{entry['name']} ({FLAGS.card[place]})"
    if not FLAGS.output and len(cards) > 1:
        raise ValueError("Several cards need --output=PAGE.html or .md.")
    first = pathlib.Path(FLAGS.card[0])
    folder = first if first.is_dir() else first.parent
    for path in [FLAGS.output] if FLAGS.output else ["card.html", "card.md"]:
        page = pathlib.Path(path) if FLAGS.output else folder / path
        card.write(cards, page)
        print(f"Report card: {page}")


if __name__ == "__main__":
    errors.run(main)
