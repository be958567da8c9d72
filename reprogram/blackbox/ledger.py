"""Every query of a service or an oracle, on disk as it goes."""

import dataclasses
import os
import pathlib
import sqlite3
import time
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from reprogram.blackbox.errors import OracleFailed

Oracle = Callable[[Sequence[str]], Sequence[float] | np.ndarray]
Key = bytes | str
# What became of a batch. Only a refused one was not paid.
SENT, ANSWERED, REFUSED, LOST = "sent", "answered", "refused", "lost"
FAILED, REPEATED = "failed", "repeated"
FAILURES = 3  # batches in a row that an oracle may fail

TABLES = """
CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY, key TEXT, purpose TEXT, rows INTEGER,
    price REAL, state TEXT, sent REAL, seconds REAL, reason TEXT DEFAULT '');
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, batch INTEGER, answer BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT);
"""
# Ledgers of molecular oracles once had a table of their own.
CALLS = """
INSERT INTO batches (key, purpose, rows, price, state, sent, seconds, reason)
    SELECT smiles, oracle, 1, 0, state, sent, seconds, reason FROM calls;
INSERT OR IGNORE INTO answers SELECT oracle || char(9) || smiles, 0, value
    FROM calls WHERE state != 'sent' AND reason = '';
DROP TABLE calls;
"""


@dataclasses.dataclass(frozen=True)
class Bill:
    """The queries that were paid so far.

    Args:
        queries: Number of rows that were paid.
        price: Total price of these queries.
        purposes: Number of rows by purpose.
        unconfirmed: Number of paid rows without an answer.
    """

    queries: int
    price: float
    purposes: dict[str, int]
    unconfirmed: int


class Ledger:
    """Counts and keeps what services and oracles are asked.

    The intent is written before a batch is sent, and the answers when they
    come. After a kill at any moment at most one batch is without an answer;
    it counts as paid. An input whose answer is known is not asked again.

    Args:
        path: Path of an SQLite file, created if missing; by default nothing is
            kept on disk. Several processes may share the file.

    Example:
    >>> ledger = Ledger()
    >>> ledger.ask("length", lambda rows: [len(r) for r in rows], ["CC", "C"])
    array([2., 1.])
    >>> ledger.ask("length", lambda rows: [0], ["CC"])
    array([2.])
    >>> ledger.bill().purposes
    {'length': 2}
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
        self._migrate()
        self._failed: dict[str, int] = {}

    def _migrate(self) -> None:
        """Brings files of earlier versions to the tables above."""
        execute = self._database.execute
        with self._database:
            execute("BEGIN IMMEDIATE")
            columns = execute("SELECT name FROM pragma_table_info('batches')")
            if ("reason",) not in columns.fetchall():
                execute("ALTER TABLE batches ADD COLUMN reason TEXT DEFAULT ''")
            tables = execute("SELECT name FROM sqlite_master").fetchall()
            if ("calls",) in tables:
                for statement in CALLS.split(";"):
                    execute(statement)

    def begin(
        self, key: str, purpose: str, rows: int, price: float = 0.0
    ) -> int:
        """Writes down that a batch will be sent, and returns its number.

        Args:
            key: Name of the batch, equal for equal batches.
            purpose: Purpose of the batch, or name of the oracle.
            rows: Number of inputs in the batch.
            price: Price of the batch.
        """
        cursor = self._database.execute(
            "INSERT INTO batches (key, purpose, rows, price, state, sent)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (key, purpose, rows, price, SENT, time.time()),
        )
        return cursor.lastrowid or 0

    def answer(
        self, batch: int, keys: Sequence[Key], answers: np.ndarray
    ) -> None:
        """Keeps the answers of a batch, by the keys of its inputs.

        Scores `(rows, classes)` are kept as float32, values `(rows,)` as
        float64; NaN stands for no value.
        """
        cells = answers.tolist()
        if answers.ndim > 1:
            table = np.ascontiguousarray(answers, "<f4")
            cells = [row.tobytes() for row in table]
        rows = [(key, batch, cell) for key, cell in zip(keys, cells)]
        with self._database as database:
            database.execute("BEGIN")
            database.executemany(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows
            )
            self.close(batch, ANSWERED)

    def close(self, batch: int, state: str, reason: str = "") -> None:
        """Writes down what became of a batch: its state, and why."""
        self._database.execute(
            "UPDATE batches SET state = ?, seconds = ? - sent, reason = ?"
            " WHERE id = ?",
            (state, time.time(), reason, batch),
        )

    def find(self, keys: Sequence[Key]) -> dict[Key, Any]:
        """Looks up what is known: by key the scores, or a number or NaN."""
        known: dict[Key, Any] = {}
        for start in range(0, len(keys), 500):
            part = list(keys[start : start + 500])
            marks = ", ".join("?" * len(part))
            for key, answer in self._database.execute(
                f"SELECT key, answer FROM answers WHERE key IN ({marks})", part
            ):
                if isinstance(answer, bytes):
                    answer = np.frombuffer(answer, "<f4").astype("float32")
                known[key] = np.nan if answer is None else answer
        return known

    def ask(
        self, name: str, oracle: Oracle, smiles: Sequence[str]
    ) -> np.ndarray:
        """Asks an oracle for values that are not known yet.

        Args:
            name: Name of the oracle.
            oracle: Function from a list of SMILES to as many numbers.
            smiles: Canonical SMILES strings.

        Returns:
            Values `(molecules,)`, float64; NaN where the oracle gives none,
            or fails: the reason is kept with the batch.

        Raises:
            OracleFailed: If it fails three batches in a row.
        """
        keys = [f"{name}\t{row}" for row in smiles]
        known = self.find(keys)
        new = [key for key in dict.fromkeys(keys) if key not in known]
        if new:
            rows = [key.removeprefix(f"{name}\t") for key in new]
            batch = self.begin("\n".join(rows), name, len(rows))
            values, reason = self._call(name, oracle, rows)
            if reason:
                self.close(batch, FAILED, reason)
            else:
                self.answer(batch, new, values)
            known.update(zip(new, values))
            if self._failed[name] >= FAILURES:
                raise OracleFailed(
                    f"The oracle {name} failed {FAILURES} times in a row, the"
                    f" last time with {reason}. What was found until then is"
                    " kept; mend the oracle and repeat the command."
                )
        return np.array([known[key] for key in keys], "float64")

    def repeat(self, name: str, oracle: Oracle, smiles: str) -> float:
        """Asks about one molecule again; the first answer stays the known one.

        The call is counted. The new answer is NaN if there is none.
        """
        batch = self.begin(smiles, name, 1)
        values, reason = self._call(name, oracle, [smiles])
        self.close(batch, REPEATED, reason or f"answer {values[0]!r}")
        return float(values[0])

    def _call(
        self, name: str, oracle: Oracle, smiles: Sequence[str]
    ) -> tuple[np.ndarray, str]:
        try:
            values = np.asarray(list(oracle(list(smiles))), "float64")
            if values.shape != (len(smiles),):
                raise ValueError(
                    f"the oracle gave values of shape {values.shape} for"
                    f" {len(smiles)} molecules"
                )
        # The oracle is the user's: whatever it raises costs only this batch.
        except Exception as error:
            self._failed[name] = self._failed.get(name, 0) + 1
            reason = f"{type(error).__name__}: {error}"
            return np.full(len(smiles), np.nan), reason
        self._failed[name] = 0
        return np.where(np.isfinite(values), values, np.nan), ""

    def bill(self) -> Bill:
        """Adds up what was paid."""
        purposes: dict[str, int] = {}
        price, unconfirmed = 0.0, 0
        for purpose, state, rows, cost in self._database.execute(
            "SELECT purpose, state, SUM(rows), SUM(price) FROM batches"
            " WHERE state != ? GROUP BY purpose, state",
            (REFUSED,),
        ):
            purposes[purpose] = purposes.get(purpose, 0) + rows
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
