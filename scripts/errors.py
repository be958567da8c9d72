"""How scripts end when the user's input is wrong."""

import logging as standard_logging
import os
import sys
from collections.abc import Callable

from absl import app
from absl import flags
from absl import logging


def run(main: Callable[[list[str]], None]) -> None:
    """Runs a script: exit code 2 and one paragraph for the user's mistakes.

    The library raises `ValueError` for bad input, `OSError` for files that
    cannot be read or written and `ImportError` for missing extras;
    `--verbosity=1` shows where. TensorFlow's own messages are kept to errors.

    Args:
        main: Takes the arguments that are not flags.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    standard_logging.getLogger("tensorflow").setLevel("ERROR")

    def guarded(argv: list[str]) -> None:
        try:
            main(argv)
        except (ValueError, OSError, ImportError) as error:
            logging.debug("Raised here:", exc_info=True)
            _end(error)

    app.run(guarded, flags_parser=_parse)


def _parse(argv: list[str]) -> list[str]:
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        _end(error)


def _end(error: Exception) -> None:
    print(f"Error: {error}", file=sys.stderr)
    sys.exit(2)
