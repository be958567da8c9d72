"""Splits of a task into training and test rows."""

import zlib
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from reprogram.tasks.task import Task

SIDES = {
    "train": "train",
    "training": "train",
    "valid": "train",
    "validation": "train",
    "val": "train",
    "test": "test",
    "testing": "test",
}
Split = tuple[np.ndarray, np.ndarray]


def sides(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Reads the given side of each row.

    Args:
        names: Name of the side of each row in the file. Validation rows are
            training rows: `draw` carves its own validation out of those.

    Returns:
        `"train"`, `"test"` or empty for each row; and for each row what is
        wrong with it, empty where nothing is.

    Example:
    >>> sides(["Train", "valid", "test", "?"])[0]
    ['train', 'train', 'test', '']
    """
    found = [SIDES.get(str(name).strip().casefold(), "") for name in names]
    reasons = [
        "" if side else f"the split is neither train nor test: {name!r}"
        for side, name in zip(found, names)
    ]
    return found, reasons


def scaffold_split(smiles: Sequence[str], test_fraction: float = 0.2) -> Split:
    """Splits molecules so that no scaffold is on both sides.

    Deterministic: groups of one Bemis-Murcko scaffold, the largest first,
    train where they still fit. Groups of equal size are in the order of a
    checksum, so that a file sorted by its labels does not put one label on
    the test side, and the order of the rows does not matter.

    Args:
        smiles: Valid SMILES strings of shape `(rows,)`.
        test_fraction: Share of rows to test on.

    Returns:
        Sorted row numbers of the training and of the test side.

    Raises:
        ValueError: If `test_fraction` is not between 0 and 1.

    Example:
    >>> train, test = scaffold_split(["c1ccccc1C", "CCO", "Cc1ccccc1"], 0.3)
    >>> train.tolist(), test.tolist()
    ([0, 2], [1])

    Reference: Bemis and Murcko, The Properties of Known Drugs, 1996.
    """
    from reprogram.molecules.featurizers import scaffold

    _check_fraction(test_fraction)
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(smiles):
        groups.setdefault(scaffold(text), []).append(row)
    room = round(len(smiles) * (1 - test_fraction))
    train: list[int] = []
    test: list[int] = []
    for text in sorted(groups, key=lambda s: (-len(groups[s]), _checksum(s))):
        fits = len(train) + len(groups[text]) <= room
        (train if fits else test).extend(groups[text])
    return np.array(sorted(train), int), np.array(sorted(test), int)


def random_split(
    task: Task, test_fraction: float = 0.2, seed: int = 0
) -> Split:
    """Splits rows at random, class by class for a classification.

    Args:
        task: Task to split.
        test_fraction: Share of rows to test on.
        seed: Seed of the draw.

    Returns:
        Sorted row numbers of the training and of the test side.

    Raises:
        ValueError: If there are too few rows of a class.

    Example:
    >>> from reprogram.tasks import load
    >>> train, test = random_split(load("digits"))
    >>> len(train), len(test)
    (1437, 360)
    """
    from sklearn.model_selection import train_test_split

    _check_fraction(test_fraction)
    classes = task.targets if task.problem == "classification" else None
    rows = np.arange(len(task.targets))
    try:
        train, test = train_test_split(
            rows, test_size=test_fraction, random_state=seed, stratify=classes
        )
    except ValueError as error:
        raise ValueError(
            f"Task {task.name!r}: {len(rows)} rows cannot be split at random"
            f" with test_fraction={test_fraction}: {error}"
        ) from error
    return np.sort(train), np.sort(test)


def given_split(task: Task) -> Split:
    """Splits rows as given by the task.

    Args:
        task: A task with `split`.

    Returns:
        Sorted row numbers of the training and of the test side.

    Raises:
        ValueError: If the task has no split of its own.

    Example:
    >>> task = Task("toy", "molecule", "regression", ["CO", "CCO"],
    ...             [[1], [2]], ("y",), "rmse", split=["train", "test"])
    >>> given_split(task)
    (array([0]), array([1]))
    """
    if task.split is None:
        raise ValueError(
            f"Task {task.name!r} comes without a split. Choose random, or"
            " scaffold for molecules; in a table name the `split_column`."
        )
    is_test = task.split == "test"
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def _scaffold(task: Task, test_fraction: float, seed: int) -> Split:
    if task.modality != "molecule":
        raise ValueError(
            f"Task {task.name!r}: only molecules have scaffolds, not"
            f" {task.modality} inputs. Choose random or given."
        )
    return scaffold_split(list(task.inputs), test_fraction)


SPLITS: dict[str, Callable[[Task, float, int], Split]] = {
    "scaffold": _scaffold,
    "random": random_split,
    "given": lambda task, test_fraction, seed: given_split(task),
}


def split(
    task: Task, kind: str = "", test_fraction: float = 0.2, seed: int = 0
) -> Split:
    """Splits a task into training and test rows and checks both sides.

    Args:
        task: Task to split.
        kind: `"given"`, `"scaffold"` or `"random"`; empty for the first of
            them that the task has.
        test_fraction: Share of rows to test on; not for a given split.
        seed: Seed of a random split.

    Returns:
        Sorted row numbers of the training and of the test side.

    Raises:
        ValueError: If the kind does not suit the task, or a side has no rows
            or a single class.

    Example:
    >>> from reprogram.tasks import load
    >>> [len(side) for side in split(load("nav17"))]
    [814, 203]
    """
    if not kind:
        kind = "scaffold" if task.modality == "molecule" else "random"
        kind = kind if task.split is None else "given"
    if kind not in SPLITS:
        raise ValueError(
            f"There is no split {kind!r}. Choose one of {', '.join(SPLITS)}."
        )
    train, test = SPLITS[kind](task, test_fraction, seed)
    for name, rows in (("training", train), ("test", test)):
        found = _distinct(task.targets[rows])
        needed = 1 if task.problem == "regression" else 2
        if found < needed:
            raise ValueError(
                f"Task {task.name!r}: the {kind} split leaves {len(rows)} rows"
                f" with {found} different targets on the {name} side; at least"
                f" {needed} needed. Choose another split or `test_fraction`."
            )
    return train, test


def _checksum(text: str) -> int:
    return zlib.crc32(text.encode())


def _distinct(targets: np.ndarray) -> int:
    columns = targets.T if targets.ndim == 2 else [targets]
    return max(len(np.unique(c[~np.isnan(c)])) for c in columns)


def _check_fraction(test_fraction: float) -> None:
    if not 0 < test_fraction < 1:
        raise ValueError(
            "`test_fraction` is a share between 0 and 1."
            f" Received: {test_fraction}."
        )
