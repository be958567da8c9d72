"""Every call of an oracle and its answer, on disk as it goes."""

import os
import pathlib
import sqlite3
import time
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

Oracle = Callable[[Sequence[str]], Sequence[float]]
FAILURES = 3  # lists of molecules in a row that may fail

TABLES = """
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, oracle TEXT, smiles TEXT, state TEXT, value REAL,
    reason TEXT, sent REAL, seconds REAL);
CREATE INDEX IF NOT EXISTS known ON calls (oracle, smiles);
"""


class OracleFailed(RuntimeError):
    """An oracle failed so often that the search cannot go on."""


class Ledger:
    """Counts and keeps what oracles are asked, so that nothing is lost.

    The intent is written before an oracle is called, and the answers when
    they come: after a kill at any moment every call that was made is in the
    table, those of at most one list without an answer. A molecule whose
    answer is known is not asked again.

    Args:
        path: An SQLite file, made if there is none; by default nothing is
            kept on disk. Several processes may share it.

    Example:
    >>> ledger = Ledger()
    >>> ledger.ask("length", lambda rows: [len(r) for r in rows], ["CC", "C"])
    array([2., 1.])
    >>> ledger.ask("length", lambda rows: [0], ["CC"]), ledger.calls()
    (array([2.]), {'length': 2})
    """

    def __init__(self, path: str | os.PathLike = ":memory:"):
        if str(path) != ":memory:":
            pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None, timeout=60)
        # Safe against a killed process, and one write to disk a list.
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(TABLES)
        self._failed: dict[str, int] = {}

    def ask(
        self, name: str, oracle: Oracle, smiles: Sequence[str]
    ) -> np.ndarray:
        """Asks an oracle for what is not known yet.

        Args:
            name: Of the oracle.
            oracle: Takes a list of SMILES and returns as many numbers.
            smiles: Canonical SMILES.

        Returns:
            Values `(molecules,)`, float64; NaN where the oracle gives none,
            or fails: the reason is in the table.

        Raises:
            OracleFailed: If it fails three lists in a row.
        """
        known = self.find(name, smiles)
        new = [row for row in dict.fromkeys(smiles) if row not in known]
        if new:
            calls = self._begin(name, new)
            start = time.perf_counter()
            values, reasons = self._call(name, oracle, new)
            spent = (time.perf_counter() - start) / len(new)
            states = ["failed" if reason else "answered" for reason in reasons]
            cells = [None if np.isnan(value) else value for value in values]
            with self._database as database:
                database.execute("BEGIN")
                database.executemany(
                    "UPDATE calls SET state = ?, value = ?, reason = ?,"
                    " seconds = ? WHERE id = ?",
                    zip(states, cells, reasons, [spent] * len(new), calls),
                )
            known |= dict(zip(new, values))
            if self._failed.get(name, 0) >= FAILURES:
                raise OracleFailed(
                    f"The oracle {name} failed {FAILURES} times in a row, the"
                    f" last time with {reasons[-1]}. What was found until then"
                    " is kept; mend the oracle and repeat the command."
                )
        return np.array([known[row] for row in smiles], "float64")

    def repeat(self, name: str, oracle: Oracle, smiles: str) -> float:
        """Asks about one molecule again; the first answer stays the known one.

        Args:
            name: Of the oracle.
            oracle: See `ask`.
            smiles: Canonical SMILES.

        Returns:
            The new answer; NaN if there is none. The call is counted.
        """
        call = self._begin(name, [smiles])[0]
        values, reasons = self._call(name, oracle, [smiles])
        self._database.execute(
            "UPDATE calls SET state = 'repeated', reason = ? WHERE id = ?",
            (reasons[0] or f"answer {values[0]!r}", call),
        )
        return float(values[0])

    def find(self, name: str, smiles: Sequence[str]) -> dict[str, float]:
        """Returns what is known, by SMILES; NaN where there is no value."""
        found = {}
        for start in range(0, len(smiles), 500):
            part = list(smiles[start : start + 500])
            marks = ", ".join("?" * len(part))
            for row, value in self._database.execute(
                "SELECT smiles, value FROM calls WHERE oracle = ? AND state !="
                f" 'sent' AND reason = '' AND smiles IN ({marks})",
                [name, *part],
            ):
                found[row] = np.nan if value is None else value
        return found

    def calls(self) -> dict[str, int]:
        """Counts the calls of each oracle, one a molecule, failed or not."""
        rows = self._database.execute(
            "SELECT oracle, COUNT(*) FROM calls GROUP BY oracle"
        )
        return dict(rows)

    def failures(self) -> dict[str, tuple[int, str]]:
        """Counts the failed calls of each oracle, with the last reason."""
        rows = self._database.execute(
            "SELECT oracle, COUNT(*), MAX(reason) FROM calls WHERE state ="
            " 'failed' GROUP BY oracle"
        )
        return {name: (count, reason) for name, count, reason in rows}

    def _begin(self, name: str, smiles: Sequence[str]) -> list[int]:
        now = time.time()
        with self._database as database:
            database.execute("BEGIN IMMEDIATE")
            return [
                database.execute(
                    "INSERT INTO calls (oracle, smiles, state, reason, sent)"
                    " VALUES (?, ?, 'sent', '', ?)",
                    (name, row, now),
                ).lastrowid
                for row in smiles
            ]

    def _call(
        self, name: str, oracle: Oracle, smiles: Sequence[str]
    ) -> tuple[np.ndarray, list[str]]:
        try:
            values = np.asarray(list(oracle(list(smiles))), "float64")
            if values.shape != (len(smiles),):
                raise ValueError(
                    f"the oracle gave values of shape {values.shape} for"
                    f" {len(smiles)} molecules"
                )
        # The oracle is the user's: whatever it raises costs only this list.
        except Exception as error:
            self._failed[name] = self._failed.get(name, 0) + 1
            reason = f"{type(error).__name__}: {error}"
            return np.full(len(smiles), np.nan), [reason] * len(smiles)
        self._failed[name] = 0
        return np.where(np.isfinite(values), values, np.nan), [""] * len(values)
