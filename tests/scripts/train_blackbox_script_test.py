"""Training by queries and serving, from the command line."""

import json
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest

from reprogram.blackbox.ledger import Ledger
from reprogram.experiments import prediction
from reprogram.report import record
from reprogram.service import runs
from tests import commands

SHORT = ("--task=digits", "--service=shapes", "--train_size=60")


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blackbox")
    small = (*SHORT, "--test_size=40")
    first = (*small, "--budget=1500", f"--output_dir={folder}/a")
    rows = [f"{'C' * n},{n % 2}" for n in range(1, 40)]
    table = folder / "mine.csv"
    table.write_text("\n".join(["smiles,active", *rows]) + "\n")
    claimed = f"--output_dir={folder}/z"
    lines = {
        "first": first,
        "again": first,
        "more": (*small, "--budget=2000", f"--output_dir={folder}/a"),
        "small": (*SHORT, "--budget=100", f"--output_dir={folder}/b"),
        "prime": (
            *small,
            "--budget=100",
            "--method=prime",
            "--cost=0.01",
            f"--output_dir={folder}/c",
        ),
        "cma": (
            *small,
            "--budget=1500",
            "--method=cma",
            "--program=patches",
            f"--output_dir={folder}/d",
        ),
        "label": (
            *("--task=digits", "--service=shapes", "--test_size=40"),
            *("--budget=2000", "--answers=label", "--epochs=1"),
            f"--output_dir={folder}/e",
        ),
        "nothing": ("--task=digits",),
        "recipe": (*small, "--budget=99", "--rank=2"),
        "source": (*small, "--budget=99", "--source=waves"),
        "range": (
            *("--task=digits", "--budget=99", "--value_range=1,0"),
            "--service=http://127.0.0.1:9/v2/models/m",
        ),
        "modality": (
            f"--task={table}",
            *("--service=shapes", "--budget=99", "--split=random"),
            claimed,
        ),
        "output": (*small, "--budget=99", "--output_dir=/dev/null/x"),
        "method": (*small, "--budget=99", "--estimator=newton"),
    }
    found = commands.run("reprogram.scripts.train_blackbox", *lines.values())
    return folder, dict(zip(lines, found))


def test_trains_within_the_budget_and_reports(ended):
    folder, found = ended
    assert found["first"].code == 0, found["first"].err
    saved = record.load(folder / "a" / "record.json")
    assert saved["models"][-1]["name"] == "reprogrammed by queries"
    assert (folder / "a" / "report.html").exists()
    assert (folder / "a" / "program.weights.h5").exists()
    assert "of 1500 queries" in found["first"].out
    assert "Paid: " in found["first"].out


def test_the_same_command_pays_nothing_twice_and_gives_the_same(ended):
    _, found = ended
    said = [found[name].out for name in ("first", "again")]
    paid = [out.rsplit("Paid:", 1)[1] for out in said]
    assert paid[0] == paid[1]
    table = [
        found[n].out.rsplit("reprogrammed", 1)[1] for n in ("first", "again")
    ]
    assert table[0].split()[2:5] == table[1].split()[2:5]


def test_a_larger_budget_goes_on(ended):
    folder, found = ended
    assert found["more"].code == 0, found["more"].err
    saved = record.load(folder / "a" / "record.json")
    assert 1500 < saved["queries"]["queries"] <= 2000


def test_a_budget_too_small_is_told_before_the_first_query(ended):
    folder, found = ended
    assert found["small"].code == 2
    assert "Training needs at least" in found["small"].err


def test_priming_shows_the_local_baseline(ended):
    folder, found = ended
    assert found["prime"].code == 0, found["prime"].err
    names = [
        m["name"] for m in record.load(folder / "c" / "record.json")["models"]
    ]
    assert names == [
        "majority class",
        "primed student, no queries",
        "local student, no queries",
        "service, mapping alone",
    ]
    assert "Paid: 100 queries" in found["prime"].out
    assert found["prime"].out.split("Paid:")[1].split("\n")[0].endswith("1.00")


def test_cma_runs(ended):
    pytest.importorskip("cma", reason="cma is not installed")
    _, found = ended
    assert found["cma"].code == 0, found["cma"].err


def test_mistakes_are_told(ended):
    folder, found = ended
    assert found["nothing"].code == found["method"].code == 2
    assert "--service" in found["nothing"].err
    assert "'newton'" in found["method"].err
    for name, said in {
        "recipe": "--rank has no effect on training by queries",
        "source": "--source is the local encoder of --method=prime",
        "range": "must be two numbers, the lower first. Received: 1, 0",
        "modality": "a task of the modality 'molecule'",
        "output": "Nothing can be written into /dev/null/x",
    }.items():
        assert found[name].code == 2 and said in found[name].err
    assert not (folder / "z").exists()


def test_a_run_predicts_with_and_without_its_service(ended):
    folder, _ = ended
    saved = record.load(folder / "a" / "record.json")
    assert saved["predictor"] == "reprogrammed by queries"
    paid = Ledger(folder / "a" / "ledger.db").bill().queries
    queried = runs.Queried.load(folder / "a", saved)
    images = np.random.default_rng(0).uniform(0, 255, (3, 8, 8, 1))
    expected = queried.predict(images)
    assert Ledger(folder / "a" / "ledger.db").bill().queries == paid + 3
    local = prediction.load(folder / "a").predictor.predict(images)
    np.testing.assert_allclose(local, expected, atol=1e-5)
    assert queried.parameters == saved["trainable_parameters"]


def test_the_program_of_a_restricted_service_asks_it(ended):
    folder, found = ended
    assert found["label"].code == 0, found["label"].err
    saved = record.load(folder / "e" / "record.json")
    assert saved["source"]["name"] == "shapes (label1)"
    assert saved["train_size"] == 128
    assert not (folder / "e" / "model.keras").exists()
    queried = prediction.load(folder / "e").predictor
    assert isinstance(queried, runs.Queried)
    assert queried.predict(np.zeros((1, 8, 8, 1))).shape == (1, 10)


def free_port():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


def test_a_served_model_is_reprogrammed_over_http(tmp_path):
    pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    pytest.importorskip("fastapi", reason="FastAPI is not installed")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "reprogram.scripts.serve",
        "--model=shapes",
    ]
    server = subprocess.Popen(
        [*command, "--name=s", f"--port={port}"], cwd=commands.ROOT
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/v2/health/ready")
        (found,) = commands.run(
            "reprogram.scripts.train_blackbox",
            (
                "--task=digits",
                f"--service=http://127.0.0.1:{port}/v2/models/s",
                "--value_range=-1,1",
                "--train_size=60",
                "--test_size=20",
                "--budget=1500",
                f"--output_dir={tmp_path}",
            ),
        )
    finally:
        server.terminate()
        server.wait()
    assert found.code == 0, found.err
    assert record.load(tmp_path / "record.json")["queries"]["queries"] > 1000


def wait_for(url):
    for _ in range(300):
        try:
            with urllib.request.urlopen(url) as answer:
                assert json.load(answer)["ready"]
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} does not answer.")


def test_serving_mistakes_are_told_before_a_model_is_loaded(tmp_path):
    taken = socket.create_server(("127.0.0.1", 0))
    found = commands.run(
        "reprogram.scripts.serve",
        (),
        (f"--model={tmp_path}/none.keras",),
        ("--model=shapes", "--key_variable=NO_SUCH_KEY"),
        ("--model=shapes", "--name=a/b"),
        ("--model=shapes", f"--port={taken.getsockname()[1]}"),
    )
    taken.close()
    assert [ended.code for ended in found] == [2, 2, 2, 2, 2]
    assert "Give --model" in found[0].err
    assert "There is no file" in found[1].err
    assert "NO_SUCH_KEY is empty" in found[2].err
    assert "--name must be of letters" in found[3].err
    assert "Address already in use" in found[4].err
