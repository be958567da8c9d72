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
        columns: The names of the cells of a row.
        rows: The cells of each row and what `read` takes of it.
        read: Gives the inputs of some rows, as in `Task`, and for each row
            why there is none, empty if there is one.
        size: How many rows make a part.
        delimiter: What stands between the cells.
    """

    columns: list[str]
    rows: Iterable[tuple[list[str], object]]
    read: Callable[[Sequence], Read]
    size: int
    delimiter: str = ","

    def parts(
        self, start: int = 0
    ) -> Iterator[tuple[tuple[list[str], ...], list, list[str]]]:
        """Yields the cells, the inputs and the reasons of the next rows.

        Args:
            start: How many rows to leave out.
        """
        rows = itertools.islice(self.rows, start, None)
        while part := list(itertools.islice(rows, self.size)):
            cells, unread = zip(*part)
            yield cells, *self.read(unread)
