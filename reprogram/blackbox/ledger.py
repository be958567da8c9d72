"""Every query, its purpose, its price and its answer, on disk as it goes."""

import dataclasses
import hashlib
import os
import pathlib
import sqlite3
import time
from collections.abc import Sequence

import numpy as np

PURPOSES = ("train", "validation", "inference", "check")
# What became of a batch. Only a refused one was not paid.
SENT, ANSWERED, REFUSED, LOST = "sent", "answered", "refused", "lost"

TABLES = """
CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY, key TEXT, purpose TEXT, rows INTEGER,
    price REAL, state TEXT, sent REAL, seconds REAL);
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, batch INTEGER, answer BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT);
"""


@dataclasses.dataclass(frozen=True)
class Bill:
    """What was paid so far.

    Args:
        queries: Rows that were paid.
        price: What they cost.
        purposes: Rows by purpose.
        unconfirmed: Rows among them whose answer never came.
    """

    queries: int
    price: float
    purposes: dict[str, int]
    unconfirmed: int


class Ledger:
    """Counts and keeps what is asked of a service, so that nothing is lost.

    The intent is written before a batch is sent, and the answers when they
    come. After a kill at any moment at most one batch is without an answer;
    it counts as paid. An input whose answer is known is not asked again.

    Args:
        path: An SQLite file, made if there is none; by default nothing is
            kept on disk.

    Example:
    >>> ledger = Ledger()
    >>> batch = ledger.begin("a", "train", rows=1, price=0.1)
    >>> ledger.answer(batch, [b"x"], np.ones((1, 2), "float32"))
    >>> ledger.find([b"x", b"y"])[b"x"].tolist(), ledger.bill().queries
    ([1.0, 1.0], 1)
    """

    def __init__(self, path: str | os.PathLike = ":memory:"):
        if str(path) != ":memory:":
            pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path = str(path)
        self._database = sqlite3.connect(path, isolation_level=None, timeout=60)
        # Safe against a killed process, and one write to disk a batch.
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(TABLES)

    def begin(self, key: str, purpose: str, rows: int, price: float) -> int:
        """Writes down that a batch will be sent.

        Args:
            key: The same for the same batch; a service may use it to charge
                a repeated batch once.
            purpose: One of `PURPOSES`.
            rows: Inputs in the batch.
            price: Of the batch.

        Returns:
            The number of the batch.

        Raises:
            ValueError: If the purpose is unknown.
        """
        if purpose not in PURPOSES:
            raise ValueError(
                f"`purpose` must be one of {', '.join(PURPOSES)}. Received:"
                f" {purpose!r}."
            )
        row = (key, purpose, rows, price, SENT, time.time())
        return self._database.execute(
            "INSERT INTO batches (key, purpose, rows, price, state, sent)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            row,
        ).lastrowid

    def answer(
        self, batch: int, keys: Sequence[bytes], answers: np.ndarray
    ) -> None:
        """Keeps the answers of a batch.

        Args:
            batch: What `begin` returned.
            keys: Of the inputs, see `digests`.
            answers: `(rows, classes)`.
        """
        table = np.ascontiguousarray(answers, "<f4")
        rows = [(k, batch, a.tobytes()) for k, a in zip(keys, table)]
        with self._database as database:
            database.execute("BEGIN")
            database.executemany(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows
            )
            self.close(batch, ANSWERED)

    def close(self, batch: int, state: str) -> None:
        """Writes down what became of a batch."""
        self._database.execute(
            "UPDATE batches SET state = ?, seconds = ? - sent WHERE id = ?",
            (state, time.time(), batch),
        )

    def find(self, keys: Sequence[bytes]) -> dict[bytes, np.ndarray]:
        """Returns the answers that are known, by key."""
        found = {}
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            marks = ", ".join("?" * len(part))
            for key, answer in self._database.execute(
                f"SELECT key, answer FROM answers WHERE key IN ({marks})", part
            ):
                found[key] = np.frombuffer(answer, "<f4").astype("float32")
        return found

    def bill(self) -> Bill:
        """Adds up what was paid."""
        purposes = dict.fromkeys(PURPOSES, 0)
        price, unconfirmed = 0.0, 0
        for purpose, state, rows, cost in self._database.execute(
            "SELECT purpose, state, SUM(rows), SUM(price) FROM batches"
            " WHERE state != ? GROUP BY purpose, state",
            (REFUSED,),
        ):
            purposes[purpose] += rows
            price += cost
            unconfirmed += rows if state != ANSWERED else 0
        return Bill(sum(purposes.values()), price, purposes, unconfirmed)

    def fact(self, name: str, value: str) -> str:
        """Keeps a fact about the service, and returns the one kept first."""
        self._database.execute(
            "INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, value)
        )
        query = "SELECT value FROM facts WHERE name = ?"
        return self._database.execute(query, (name,)).fetchone()[0]


def digests(inputs: np.ndarray) -> list[bytes]:
    """Returns a key for each input `(rows, ...)`: a hash of its values."""
    inputs = np.ascontiguousarray(inputs, "float32")
    shape = str(inputs.shape[1:]).encode()
    return [hashlib.sha256(shape + row.data).digest()[:16] for row in inputs]
