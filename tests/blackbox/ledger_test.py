"""The ledger of molecular oracles counts exactly, whatever happens."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from reprogram.blackbox.errors import OracleFailed
from reprogram.blackbox.ledger import Ledger

names = st.sampled_from(["C" * n for n in range(1, 9)])


@given(st.lists(st.lists(names, max_size=6), max_size=6))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_each_molecule_is_asked_once(lists):
    ledger, seen = Ledger(), []

    def oracle(rows):
        seen.extend(rows)
        return [len(row) / 3 for row in rows]

    for rows in lists:
        found = ledger.ask("third", oracle, rows)
        assert found.tolist() == [len(row) / 3 for row in rows]
    everything = {row for rows in lists for row in rows}
    assert sorted(seen) == sorted(everything)
    assert ledger.bill().purposes.get("third", 0) == len(everything)


def test_values_keep_all_digits(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ask("third", lambda rows: [0.9 - 1e-16], ["C"])
    again = Ledger(tmp_path / "ledger.db").find(["third\tC"])
    assert again == {"third\tC": 0.9 - 1e-16}


def test_failures_are_counted_and_asked_again():
    ledger, broken = Ledger(), True

    def oracle(rows):
        if broken:
            raise RuntimeError("disk full")
        return [1.0] * len(rows)

    assert np.isnan(ledger.ask("f", oracle, ["C", "CC"])).all()
    assert ledger.bill().unconfirmed == 2
    broken = False
    assert ledger.ask("f", oracle, ["C", "CC"]).tolist() == [1, 1]
    assert ledger.bill().purposes == {"f": 4}


def test_an_answer_that_is_not_a_number_is_kept():
    ledger, calls = Ledger(), []

    def oracle(rows):
        calls.append(rows)
        return [np.nan, np.inf]

    for _ in range(2):
        assert np.isnan(ledger.ask("f", oracle, ["C", "CC"])).all()
    assert len(calls) == 1


def test_a_wrong_number_of_answers_is_a_failure():
    ledger = Ledger()
    for _ in range(2):
        assert np.isnan(ledger.ask("f", lambda rows: [1.0], ["C", "CC"])).all()
    with pytest.raises(OracleFailed, match=r"shape \(1,\) for 2 molecules"):
        ledger.ask("f", lambda rows: [1.0], ["C", "CC"])


def test_three_failures_in_a_row_end_the_search():
    ledger = Ledger()

    def oracle(rows):
        raise OSError("no route")

    ledger.ask("f", oracle, ["C"])
    ledger.ask("f", oracle, ["CC"])
    with pytest.raises(OracleFailed, match="failed 3 times.*OSError: no rou"):
        ledger.ask("f", oracle, ["CCC"])


def test_a_kill_loses_no_call(tmp_path):
    """Every call that the oracle saw is in the table, and vice versa."""
    script = textwrap.dedent("""
        import os, signal, sys
        from reprogram.blackbox.ledger import Ledger

        def oracle(rows):
            with open("seen", "a") as file:
                file.writelines(row + "\\n" for row in rows)
            if os.path.exists("die"):
                os.remove("die")
                os.kill(os.getpid(), signal.SIGKILL)
            return [len(row) for row in rows]

        ledger = Ledger("ledger.db")
        for n in range(1, 6):
            if n == 3 and len(sys.argv) > 1:
                open("die", "w").close()
            ledger.ask("len", oracle, ["C" * n, "O" * n])
    """)
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    options = {"cwd": tmp_path, "env": environment}
    killed = subprocess.run([sys.executable, "-c", script, "die"], **options)
    assert killed.returncode == -signal.SIGKILL
    subprocess.run([sys.executable, "-c", script], check=True, **options)
    seen = (tmp_path / "seen").read_text().split()
    assert len(seen) == 12  # ten molecules, one list of two was asked twice
    assert Ledger(tmp_path / "ledger.db").bill().purposes == {"len": 12}


OLD_CALLS = """
CREATE TABLE calls (
    id INTEGER PRIMARY KEY, oracle TEXT, smiles TEXT, state TEXT, value REAL,
    reason TEXT, sent REAL, seconds REAL);
CREATE INDEX known ON calls (oracle, smiles);
INSERT INTO calls (oracle, smiles, state, value, reason) VALUES
    ('qed', 'C', 'answered', 0.25, ''), ('qed', 'N', 'answered', NULL, ''),
    ('qed', 'O', 'failed', NULL, 'OSError: no route'),
    ('qed', 'C', 'repeated', NULL, 'answer 0.3'),
    ('qed', 'S', 'sent', NULL, '');
"""
OLD_BATCHES = """
CREATE TABLE batches (
    id INTEGER PRIMARY KEY, key TEXT, purpose TEXT, rows INTEGER,
    price REAL, state TEXT, sent REAL, seconds REAL);
CREATE TABLE answers (
    key BLOB PRIMARY KEY, batch INTEGER, answer BLOB) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT);
INSERT INTO batches VALUES (1, 'k', 'train', 2, 0.5, 'answered', 0, 1);
INSERT INTO batches VALUES (2, 'l', 'train', 3, 0.5, 'lost', 0, 1);
INSERT INTO answers VALUES (x'0102', 1, x'0000803f00000040');
INSERT INTO facts VALUES ('service', 'sums');
"""


def old(path, script):
    with sqlite3.connect(path) as database:
        database.executescript(script)
    return path


def test_a_ledger_of_oracles_of_an_earlier_version_is_read(tmp_path):
    path = old(tmp_path / "ledger.db", OLD_CALLS)
    for _ in range(2):
        ledger, asked = Ledger(path), []
        assert ledger.bill().purposes["qed"] >= 5
        values = ledger.ask("qed", asked.append, ["C", "N"])
        assert values[0] == 0.25 and np.isnan(values[1]) and not asked
    ledger.ask("qed", lambda rows: [1.0] * len(rows), ["O", "S", "C"])
    assert ledger.bill().purposes == {"qed": 7}


def test_a_ledger_of_a_service_of_an_earlier_version_is_read(tmp_path):
    ledger = Ledger(old(tmp_path / "ledger.db", OLD_BATCHES))
    assert ledger.find([b"\x01\x02"])[b"\x01\x02"].tolist() == [1.0, 2.0]
    bill = ledger.bill()
    assert bill.queries == 5 and bill.price == 1.0 and bill.unconfirmed == 3
    assert ledger.fact("service", "other") == "sums"
    ledger.close(ledger.begin("m", "train", 1), "lost", "cut")
    assert ledger.bill().queries == 6
