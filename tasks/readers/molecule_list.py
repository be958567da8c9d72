"""Lists of molecules: a SMILES, perhaps a name, and a label in each line."""

import pathlib

from reprogram.tasks import molecules
from reprogram.tasks.task import Task


def load(path: str | pathlib.Path, problem: str = "") -> Task:
    r"""Reads a task from a `.smi` file.

    Args:
        path: The file. The first word of a line is the SMILES, the last one
            the label.
        problem: The problem; guessed where it is empty.

    Returns:
        The task.

    Raises:
        ValueError: If there is no such file, or no line can be used.

    Example:
    >>> path = getfixture("tmp_path") / "a.smi"
    >>> _ = path.write_text("CCO ethanol -0.3\\nCO methanol -0.8\\n")
    >>> load(path).targets.tolist()
    [[-0.30000001192092896], [-0.800000011920929]]
    """
    path = pathlib.Path(path)
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise ValueError(f"There is no file {path}. Check the path.") from error
    except (OSError, UnicodeError) as error:
        raise ValueError(
            f"{path} is not UTF-8 text: {error}. Save it as such."
        ) from error
    lines = [line.split() for line in text.splitlines() if line.strip()]
    return molecules.build(
        path.name.split(".")[0],
        [words[0] for words in lines],
        {"label": [words[-1] if words[1:] else "" for words in lines]},
        problem,
    )
