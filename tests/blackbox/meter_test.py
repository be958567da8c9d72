"""Budgets, ledgers and services that misbehave."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from reprogram.blackbox import scores
from reprogram.blackbox.errors import BudgetSpent
from reprogram.blackbox.errors import Lost
from reprogram.blackbox.errors import Refused
from reprogram.blackbox.errors import ServiceError
from reprogram.blackbox.ledger import Ledger
from reprogram.blackbox.meter import Meter
from reprogram.blackbox.meter import digests

INPUTS = np.arange(40, dtype="float32").reshape(10, 4)


class Service:
    """Answers row sums; fails as its script says."""

    name = "sums"

    def __init__(self, script=()):
        self.script, self.calls = list(script), []

    def send(self, inputs, key):
        self.calls.append((len(inputs), key))
        event = self.script.pop(0) if self.script else None
        if isinstance(event, Exception):
            raise event
        if event is not None:
            return event
        total = inputs.sum(axis=1)
        return np.stack([total, -total], axis=1)


def test_queries_are_counted_by_purpose_and_price():
    meter, seen = Meter(Service(), price=0.5, batch_size=4), []
    meter.watch = seen.append
    meter.query(INPUTS[:6], "train")
    assert seen == [4, 6]
    meter.query(INPUTS[6:], "validation")
    bill = meter.bill()
    assert bill.queries == 10 and bill.price == 5.0
    assert bill.purposes["train"] == 6 and bill.purposes["validation"] == 4
    assert [size for size, _ in meter.service.calls] == [4, 2, 4]


def test_known_inputs_are_not_asked_again_and_answers_keep_their_rows():
    meter = Meter(Service(), batch_size=3)
    first = meter.query(INPUTS[[3, 1, 3]], "train")
    again = meter.query(INPUTS[[1, 2, 3]], "train")
    assert meter.bill().queries == 3
    np.testing.assert_array_equal(first[:, 0], INPUTS[[3, 1, 3]].sum(1))
    np.testing.assert_array_equal(again[:, 0], INPUTS[1:4].sum(1))


def test_budget_is_checked_before_anything_is_sent():
    meter = Meter(Service(), budget=8)
    with pytest.raises(BudgetSpent, match="10 queries are needed, 8"):
        meter.query(INPUTS, "train")
    assert not meter.service.calls
    meter.query(INPUTS[:8], "train")
    meter.query(INPUTS[:8], "train")
    with pytest.raises(BudgetSpent, match="Raise the budget"):
        meter.query(INPUTS[8:], "train")
    assert meter.bill().queries == 8


def test_reserved_queries_are_left():
    meter = Meter(Service(), budget=10)
    with pytest.raises(BudgetSpent, match="3 are reserved"):
        meter.query(INPUTS[:8], "train", reserve=3)
    meter.query(INPUTS[:7], "train", reserve=3)
    meter.query(INPUTS[7:], "validation")


def test_refused_batches_cost_nothing_lost_ones_do():
    script = [Refused("busy", wait=0.0), Lost("cut"), None]
    meter = Meter(Service(script), batch_size=10)
    meter.service.script[1].wait = 0.0
    meter.query(INPUTS, "train")
    bill = meter.bill()
    assert bill.queries == 20 and bill.unconfirmed == 10
    keys = {key for _, key in meter.service.calls}
    assert len(keys) == 1  # a repeated batch keeps its idempotency key


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.full((10, 2), np.nan), "NaN"),
        (np.ones((9, 2)), r"shape \(10, classes\)"),
        (np.ones(10), r"shape \(10, classes\)"),
    ],
)
def test_wrong_answers_are_refused_after_the_last_attempt(answer, message):
    meter = Meter(Service([answer]), attempts=1)
    with pytest.raises(ServiceError, match=message):
        meter.query(INPUTS, "train")
    assert meter.bill().unconfirmed == 10


def test_other_classes_than_before_stop_at_once():
    meter = Meter(Service([None, np.ones((4, 3))]))
    meter.query(INPUTS[:6], "train")
    with pytest.raises(ServiceError, match="2 classes before and 3 now"):
        meter.query(INPUTS[6:], "train")
    assert len(meter.service.calls) == 2


def test_a_ledger_belongs_to_one_service(tmp_path):
    Meter(Service(), Ledger(tmp_path / "l.db")).query(INPUTS, "train")
    with pytest.raises(ValueError, match="belongs to the service 'sums'"):
        Meter(Service(), Ledger(tmp_path / "l.db"), name="other")


def test_infinite_queries_are_not_sent():
    meter = Meter(Service())
    with pytest.raises(ValueError, match="nothing was sent"):
        meter.query(np.full((1, 4), np.inf), "train")
    assert not meter.service.calls


@pytest.mark.parametrize("name", ["budget", "batch_size", "attempts", "rate"])
def test_numbers_must_be_positive(name):
    with pytest.raises(ValueError, match=f"`{name}` must be positive"):
        Meter(Service(), **{name: -1})


def test_a_service_that_changes_its_mind_is_found():
    draws = iter(range(100))
    noisy = Meter(lambda x: np.full((len(x), 2), float(next(draws))))
    assert not noisy.deterministic(INPUTS)
    assert noisy.bill().purposes["check"] == 2
    assert Meter(Service()).deterministic(INPUTS)


def test_digests_tell_shapes_and_values_apart():
    zeros = np.zeros((2, 4), "float32")
    assert digests(zeros)[0] == digests(zeros)[1]
    assert digests(zeros)[0] != digests(zeros.reshape(2, 2, 2))[0]
    assert digests(zeros)[0] != digests(zeros + 1)[0]


CHILD = """
    import os, signal, sys
    import numpy as np
    from reprogram.blackbox.ledger import Ledger
    from reprogram.blackbox.meter import Meter

    count = 0
    def service(x):
        global count
        count += 1
        with open(sys.argv[2], "a") as log:
            log.write(f"{len(x)}\\n")
        if count == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return np.stack([x.sum(1), -x.sum(1)], 1)

    inputs = np.arange(40, dtype="float32").reshape(10, 4)
    meter = Meter(service, Ledger(sys.argv[1]), batch_size=2, name="sums")
    meter.query(inputs, "train")
"""


def test_after_a_kill_only_the_unconfirmed_batch_is_asked_again(tmp_path):
    ledger, log = tmp_path / "ledger.db", tmp_path / "log"
    script = textwrap.dedent(CHILD)
    command = [sys.executable, "-c", script, str(ledger), str(log)]
    paths = os.pathsep.join(p for p in sys.path if p)
    env = {**os.environ, "PYTHONPATH": paths}
    killed = subprocess.run(command, env=env)
    assert killed.returncode == -signal.SIGKILL
    bill = Ledger(ledger).bill()
    assert bill.queries == 6 and bill.unconfirmed == 2
    subprocess.run(command, env=env)  # dies again, after two more batches
    subprocess.run(command, env=env, check=True)
    bill = Ledger(ledger).bill()
    asked = [int(line) for line in log.read_text().split()]
    assert sum(asked) == bill.queries == 14 and bill.unconfirmed == 4


def test_restricted_services():
    def service(x):
        return np.tile([0.6, 0.3, 0.08, 0.02], (len(x), 1))

    label = scores.restrict(service, "label")(INPUTS)
    assert label[0].tolist() == [1, 0, 0, 0]
    top = scores.restrict(service, "top_k", 2)(INPUTS)
    np.testing.assert_allclose(top[0], [0.6, 0.3, 0.05, 0.05], rtol=1e-5)
    rounded = scores.restrict(service, "rounded", 1)(INPUTS)
    np.testing.assert_allclose(rounded[0], [0.6, 0.3, 0.1, 0.0])
    with pytest.raises(ValueError, match="'loud'"):
        scores.restrict(service, "loud")
    with pytest.raises(ValueError, match="labels 0 to 2"):
        scores.from_labels(np.array([3]), 3)
