"""The rows of a file to predict for."""

import itertools
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

Read = tuple[list, list[str]]


class Inputs(NamedTuple):
    """Rows that are read a part at a time.

    Args:
        columns: Names of the cells of a row.
        rows: Pairs of the cells of a row and its argument for `read`.
        read: Function from some rows to their inputs, as in `Task`, and
            the reason why each row has none, empty if it has one.
        size: Number of rows in a part.
        delimiter: Character between the cells.
    """

    columns: list[str]
    rows: Iterable[tuple[list[str], object]]
    read: Callable[[Sequence], Read]
    size: int
    delimiter: str = ","

    def parts(
        self, start: int = 0
    ) -> Iterator[tuple[tuple[list[str], ...], list, list[str]]]:
        """Yields the cells, the inputs and the reasons of each part.

        Args:
            start: Number of rows to skip.
        """
        rows = itertools.islice(self.rows, start, None)
        while part := list(itertools.islice(rows, self.size)):
            cells, unread = zip(*part)
            yield cells, *self.read(unread)
