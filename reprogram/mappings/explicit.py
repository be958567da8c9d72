"""Source classes that the user names."""

import difflib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from reprogram.mappings.assignment import AssignmentMapping


@keras.saving.register_keras_serializable("reprogram")
class ExplicitMapping(AssignmentMapping):
    """Gives each target class the source classes it is told.

    Args:
        assignment: For each target class its source classes: ids, or names
            that `source_names` knows. The lists may differ in length; no
            source class may serve twice.
        aggregation: See `AssignmentMapping`.
        from_logits: See `AssignmentMapping`.
        source_names: Names of all source classes, if `assignment` has names.

    Raises:
        ValueError: If a name is not known, a list is empty, or a source class
            appears twice.

    Example:
    >>> names = ("beagle", "tabby", "pug")
    >>> mapping = ExplicitMapping(
    ...     [["beagle", "pug"], ["tabby"]], source_names=names
    ... )
    >>> mapping.assignment
    ((0, 2), (1,))
    """

    def __init__(
        self,
        assignment: Sequence[Sequence[int | str]],
        aggregation: str = "probability",
        from_logits: bool = True,
        source_names: Sequence[str] = (),
        **kwargs: Any,
    ):
        names = tuple(source_names)
        rows = tuple(
            tuple(_id(one, names) for one in row) for row in assignment
        )
        used = [one for row in rows for one in row]
        if min(map(len, rows), default=0) < 1 or len(set(used)) < len(used):
            twice = sorted({one for one in used if used.count(one) > 1})
            raise ValueError(
                "Every target class needs a source class of its own. Received:"
                f" {[len(row) for row in rows]} source classes"
                + (f", more than once: {twice}." if twice else ".")
                + " Give each target class at least one, and no source class"
                " to two."
            )
        longest = max(map(len, rows))
        super().__init__(len(rows), longest, aggregation, from_logits, **kwargs)
        self.assignment = rows
        self.source_names = names

    def check_source(self, shape: tuple) -> None:
        largest = max(max(row) for row in self.assignment)
        if len(shape) != 2 or (shape[-1] or 0) <= largest:
            raise ValueError(
                f"The assignment names the source class {largest} and needs"
                f" answers of shape (batch, {largest + 1} or more). Received"
                f" {shape}. Count source classes from 0."
            )

    def initial_table(self, source_classes: int) -> np.ndarray:
        table = np.full((self.classes, self.labels_per_class), -1)
        for row, sources in zip(table, self.assignment):
            row[: len(sources)] = sources
        return table

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["classes"], config["labels_per_class"]
        return {
            **config,
            "assignment": [list(row) for row in self.assignment],
            "source_names": list(self.source_names),
        }


def _id(one: int | str, names: tuple[str, ...]) -> int:
    if isinstance(one, str):
        if one in names:
            return names.index(one)
        close = difflib.get_close_matches(one, names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"`source_names` has no class {one!r} among its {len(names)}.{hint}"
        )
    if one != int(one) or one < 0:
        raise ValueError(
            f"A source class is a name or an id from 0. Received: {one!r}."
        )
    return int(one)
