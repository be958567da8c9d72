"""How programs start and end: flags, help, mistakes and interruptions."""

import difflib
import os
import pathlib
import sys
import textwrap
import traceback
from collections.abc import Callable
from typing import NoReturn

from absl import flags
from absl import logging

from reprogram.scripts import help as helps
from reprogram.scripts import quiet

HELP = {"help", "h", "helpshort", "helpfull", "?"}
INTERRUPTED = 130


def run(main: Callable[[list[str]], None]) -> None:
    """Runs a program: exit code 2 and one paragraph for the user's mistakes.

    The library raises `ValueError` for bad input, `OSError` for files that
    cannot be read or written and `ImportError` for missing extras;
    `--verbosity=1` shows where. Ctrl-C ends with code 130. Other exceptions
    are faults of the library and keep their traceback.

    Args:
        main: Main function; its argument is a list with the program's name.
    """
    module, verbose = main.__module__, False
    try:
        if {word.lstrip("-") for word in _dashed()} & HELP:
            print(helps.text(module, program()))
            return
        rest = _parse(module)
        verbose = flags.FLAGS.verbosity > logging.INFO
        if not verbose:
            quiet.quieten()
        _refuse(rest[1:], module)
        main(rest[:1])
    except KeyboardInterrupt:
        print("\nInterrupted; the same command resumes.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except (ValueError, OSError, ImportError, flags.Error) as error:
        if verbose:
            traceback.print_exc()
        end(error)


def program() -> str:
    """Returns the command of this program: `"reprogram train"`."""
    if sys.argv[0].startswith("reprogram "):
        return sys.argv[0]
    return f"python -m scripts.{pathlib.Path(sys.argv[0]).stem}"


def end(error: Exception) -> NoReturn:
    """Prints an error as one paragraph and ends with exit code 2.

    Args:
        error: Error whose message is shown to the user.
    """
    print(f"Error: {error}", file=sys.stderr)
    sys.exit(2)


def _dashed() -> list[str]:
    """The words before `--` that look like flags."""
    words = sys.argv[1:]
    if "--" in words:
        words = words[: words.index("--")]
    return [word for word in words if word.startswith("-")]


def _parse(module: str) -> list[str]:
    try:
        return flags.FLAGS(sys.argv)
    except flags.UnrecognizedFlagError as error:
        name = error.flagname
        names = [flag.name for flag in helps.own_flags(module)]
        close = difflib.get_close_matches(name, names, 1)
        hint = f" Did you mean --{close[0]}?" if close else ""
        raise ValueError(
            f"There is no flag --{name}.{hint} `{program()} --help` lists all."
        ) from error


def _refuse(words: list[str], module: str) -> None:
    """Raises an error for words that belong to no flag."""
    if not words:
        return
    texts = [
        flag.name
        for flag in helps.own_flags(module)
        if flag.flag_type() == "string"
    ]
    hint = f" Perhaps --{texts[0]}={words[0]} was meant." if texts else ""
    raise ValueError(
        "Every argument needs the name of its flag."
        f" Received: {textwrap.shorten(' '.join(words), 60)}.{hint}"
        f" `{program()} --help` lists all flags."
    )
