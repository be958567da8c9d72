"""The console command `reprogram`: one command for each program."""

import difflib
import importlib
import pathlib
import sys

from reprogram import __version__
from reprogram.scripts import errors
from reprogram.scripts import help as helps

COMMANDS = (
    "train",
    "predict",
    "optimize",
    "evaluate-robustness",
    "report",
    "tune",
    "train-blackbox",
    "serve",
    "pretrain",
    "pretrain-synthetic",
)


def main() -> None:
    """Runs the command that the first argument names."""
    name, *rest = sys.argv[1:] or [""]
    if name in ("--help", "-h", "-help", "help", "--helpshort", "--helpfull"):
        print(overview())
    elif name == "--version":
        print(f"reprogram {__version__}")
    elif name in COMMANDS:
        sys.argv = [f"reprogram {name}", *rest]
        module = importlib.import_module(_module(name))
        errors.run(module.main)
    else:
        errors.end(ValueError(_unknown(name)))


def overview() -> str:
    """Returns the commands with the first sentence of each."""
    width = max(map(len, COMMANDS)) + 2
    folder = pathlib.Path(__file__).parent
    rows = []
    for name in COMMANDS:
        path = folder / f"{name.replace('-', '_')}.py"
        summary = helps.docstring(path).partition("\n")[0]
        rows.append(f"  {name:<{width}}{summary}")
    return "\n".join(
        [
            "Usage: reprogram COMMAND --FLAG=VALUE ...",
            "",
            "Commands:",
            *rows,
            "",
            "`reprogram COMMAND --help` lists the flags of a command,",
            "`reprogram --version` prints the version.",
        ]
    )


def _module(name: str) -> str:
    return f"reprogram.scripts.{name.replace('-', '_')}"


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name.replace("_", "-"), COMMANDS, 1)
    said = f"There is no command {name!r}." if name else "No command is given."
    hint = f" Did you mean `reprogram {close[0]}`?" if close else ""
    return f"{said}{hint} Expected one of {', '.join(COMMANDS)}."


if __name__ == "__main__":
    main()
