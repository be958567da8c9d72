"""Commands of a script, many in one process because starting one is slow."""

import contextlib
import fcntl
import functools
import importlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SHARED = "REPROGRAM_TEST_RUNS"  # Set by conftest, for all processes.
ROOT = pathlib.Path(__file__).parents[1]
SHORT = (
    "--epochs=2",
    "--seeds=2",
    "--predictor=reprogrammed",
    "--compare=trivial,probe",
    "--norefit",
)


class Ended(NamedTuple):
    """The exit code of a command and what it said."""

    code: int
    out: str
    err: str


def python(*arguments: object, text: str = "") -> subprocess.CompletedProcess:
    """Runs Python in a fresh process."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=300,
    )


def run(module: str, *commands: Sequence[object]) -> list[Ended]:
    """Runs a script once for each list of arguments."""
    lines = [[str(word) for word in command] for command in commands]
    found = python(__file__, module, text=json.dumps(lines))
    assert found.returncode == 0, found.stderr
    return [Ended(*entry) for entry in json.loads(found.stdout)]


def _run_all(module: str, commands: list[list[str]]) -> list[Ended]:
    from absl import flags

    from reprogram.scripts import errors

    script = importlib.import_module(module)
    found = []
    for command in commands:
        flags.FLAGS.unparse_flags()
        sys.argv = [script.__file__, *command]
        out, err, code = io.StringIO(), io.StringIO(), 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                errors.run(script.main)
            except SystemExit as end:
                code = end.code or 0
            except Exception:
                code = 1
                traceback.print_exc()
        found.append(Ended(code, out.getvalue(), err.getvalue()))
    return found


class Runs(NamedTuple):
    """Folders of tiny runs, the data of two of them, and how they ended."""

    molecules: pathlib.Path
    table: pathlib.Path
    images: pathlib.Path
    series: pathlib.Path
    ensemble: pathlib.Path
    forest: pathlib.Path
    waves: pathlib.Path
    ended: list[Ended]


def runs() -> Runs:
    """Trains once for all tests that read a run, whichever process they use.

    Tests only read these folders, or copy them.
    """
    found = _train()
    for ended in found.ended:
        assert ended.code == 0, ended.err
    return found


@functools.cache
def _train() -> Runs:
    folder = pathlib.Path(os.environ.get(SHARED) or _FOLDER.name)
    found = Runs(
        molecules=folder / "molecules",
        table=folder / "mol.csv",
        images=folder / "images",
        series=folder / "series",
        ensemble=folder / "ensemble",
        forest=folder / "forest",
        waves=folder / "waves.tsv",
        ended=[],
    )
    tasks = {
        found.molecules: (f"--csv={found.table}", "--train_size=20"),
        found.images: ("--task=digits", "--train_size=40"),
        found.series: (f"--task={found.waves}", "--train_size=20"),
        found.ensemble: (
            f"--task={found.table}",
            "--predictor=ensemble",
            "--compare=trivial",
        ),
        found.forest: (
            f"--task={found.table}",
            "--predictor=forest-ecfp4",
            "--compare=none",
            "--refit",
        ),
    }
    commands = [
        (*SHORT, *words, f"--output_dir={output}")
        for output, words in tasks.items()
    ]
    kept = folder / "ended.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # The others wait for the first.
        if not kept.exists():
            write_molecules(found.table)
            write_series(found.waves)
            ended = run("reprogram.scripts.train", *commands)
            kept.write_text(json.dumps(ended))
    found.ended.extend(Ended(*row) for row in json.loads(kept.read_text()))
    return found


def molecules(count: int) -> list[tuple[str, float]]:
    """SMILES of anilides, acids and amines, with their number of carbons."""
    heads = ("c1ccccc1NC(=O)", "OC(=O)", "CN(C)C", "c1ccncc1CC", "O=S(=O)(N)")
    chains = [
        "C" * n + end for n in range(1, 6) for end in ("", "O", "Br", "F")
    ]
    found = [head + chain for chain in chains for head in heads]
    return [(row, row.lower().count("c") + 0.25) for row in found[:count]]


def write_molecules(path: pathlib.Path) -> pathlib.Path:
    """Writes 40 molecules and, as rows 2, 4 and 6, three that are not."""
    rows = [f"m{i},{s},{y}" for i, (s, y) in enumerate(molecules(40))]
    for row, bad in ((1, "x,C1CC,1.0"), (3, "y,CCN,"), (5, "z,CCS,high")):
        rows.insert(row, bad)
    path.write_text("\n".join(["id,smiles,target", *rows]) + "\n")
    return path


def write_series(path: pathlib.Path, count: int = 40) -> pathlib.Path:
    """Writes slow and fast sines, in turn, of 60 steps."""
    draw = np.random.default_rng(0)
    lines = []
    for i in range(count):
        speed = (1, 3)[i % 2] * draw.uniform(0.9, 1.1)
        values = np.sin(speed * np.arange(60) / 5 + draw.uniform(0, 6))
        label = ("slow", "fast")[i % 2]
        lines.append("\t".join([label, *(f"{v:.4f}" for v in values)]))
    path.write_text("\n".join(lines) + "\n")
    return path


_FOLDER = tempfile.TemporaryDirectory(prefix="reprogram-")

if __name__ == "__main__":
    results = _run_all(sys.argv[1], json.load(sys.stdin))
    json.dump(results, sys.stdout)
