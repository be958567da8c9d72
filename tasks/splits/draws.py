"""Small samples of labels to learn from."""

import numpy as np

from reprogram.tasks.task import Task

# Of the labels of a class, in the order in which they are drawn, the third and
# then every fifth one validate: two to fit on come first, and a larger draw
# only adds to both parts.
_PERIOD, _VALIDATES, _FIRST = 5, 2, 3


def draw(
    task: Task,
    train_indices: np.ndarray,
    size: int | None = None,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws labels to fit on and labels to validate on.

    Both are counted in `size`, about one in five validates. For one seed a
    smaller draw is inside a larger one, part by part. Classes keep their
    share, yet each has at least two labels to fit on and one to validate on
    where the training rows have that many; a multilabel row counts as
    positive if any of its labels is.

    Args:
        task: Task to draw labels from.
        train_indices: Row numbers of the training side.
        size: Number of labels; None or 0 for all.
        seed: Seed of the draw.

    Returns:
        Row numbers to fit on and row numbers to validate on.

    Raises:
        ValueError: If there are fewer rows than asked for, or fewer are asked
            for than the classes need.

    Example:
    >>> from reprogram.tasks import load
    >>> fit, validation = draw(load("digits"), np.arange(1000), size=50)
    >>> len(fit), len(validation)
    (40, 10)
    """
    rows = np.sort(np.asarray(train_indices, int))
    rows = np.random.default_rng(seed).permutation(rows)
    strata = _strata(task)[rows]
    ranks, counts = _ranks(strata)
    size = _check_size(task, size, strata)
    turn = np.where(ranks < _FIRST, ranks - _FIRST, (ranks + 0.5) / counts)
    order = np.argsort(turn, kind="stable")[:size]
    validates = ranks[order] % _PERIOD == _VALIDATES
    return rows[order[~validates]], rows[order[validates]]


def _strata(task: Task) -> np.ndarray:
    if task.problem == "classification":
        return task.targets
    if task.problem == "multilabel":
        return np.fmax.reduce(task.targets, axis=1)
    return np.zeros(len(task.targets))


def _ranks(strata: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ranks, counts = np.zeros((2, len(strata)), int)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        ranks[members] = np.arange(len(members))
        counts[members] = len(members)
    return ranks, counts


def _check_size(task: Task, size: int | None, strata: np.ndarray) -> int:
    _, counts = np.unique(strata, return_counts=True)
    needed = max(_FIRST, int(np.minimum(counts, _FIRST).sum()))
    rows = len(strata)
    size = size or rows
    if needed <= size <= rows and counts.max() >= _FIRST:
        return size
    raise ValueError(
        f"Task {task.name!r}: a draw needs at least {needed} labels (two to"
        f" fit on and one to validate on, for each of {len(counts)} classes)"
        f" and no more than the {rows} training rows there are. Received:"
        f" size={size}. Choose a size in that range or add rows."
    )
