"""The ledger of molecular oracles counts exactly, whatever happens."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from reprogram.optimization.ledger import Ledger
from reprogram.optimization.ledger import OracleFailed

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
    assert ledger.calls().get("third", 0) == len(everything)


def test_values_keep_all_digits(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ask("third", lambda rows: [0.9 - 1e-16], ["C"])
    again = Ledger(tmp_path / "ledger.db").find("third", ["C"])
    assert again == {"C": 0.9 - 1e-16}


def test_failures_are_counted_and_asked_again():
    ledger, broken = Ledger(), True

    def oracle(rows):
        if broken:
            raise RuntimeError("disk full")
        return [1.0] * len(rows)

    assert np.isnan(ledger.ask("f", oracle, ["C", "CC"])).all()
    assert ledger.failures() == {"f": (2, "RuntimeError: disk full")}
    broken = False
    assert ledger.ask("f", oracle, ["C", "CC"]).tolist() == [1, 1]
    assert ledger.calls() == {"f": 4}


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
    assert np.isnan(ledger.ask("f", lambda rows: [1.0], ["C", "CC"])).all()
    assert "shape (1,) for 2 molecules" in ledger.failures()["f"][1]


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
        from reprogram.optimization.ledger import Ledger

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
    assert Ledger(tmp_path / "ledger.db").calls() == {"len": 12}
