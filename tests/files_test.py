"""Work that is interrupted, and folders that are claimed."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from reprogram import files

ROOT = pathlib.Path(__file__).parents[1]
HEADER = ["number", "square"]


def squares(start: int, stop: int, size: int = 2):
    for first in range(start, stop, size):
        last = min(first + size, stop)
        yield [[str(i), str(i * i)] for i in range(first, last)]


def write(path: pathlib.Path, parts, identity: object = 0) -> list[str]:
    told = []
    files.write_table(path, HEADER, parts, {"id": identity}, tell=told.append)
    return told


def expected(count: int) -> str:
    lines = ["number,square", *(f"{i},{i * i}" for i in range(count))]
    return "\n".join(lines) + "\n"


def interrupt(path: pathlib.Path, after: int, count: int = 9) -> None:
    """Leaves what an interruption after so many parts leaves, if any are."""

    def parts(start):
        for number, part in enumerate(squares(start, count)):
            if number == after:
                raise KeyboardInterrupt
            yield part

    with contextlib.suppress(KeyboardInterrupt):
        write(path, parts)


@settings(deadline=None, max_examples=30)
@given(
    interruptions=st.lists(st.integers(0, 4), max_size=4),
    torn=st.text("0123456789,\n", max_size=20),
)
def test_no_row_is_lost_or_twice(tmp_path_factory, interruptions, torn):
    path = tmp_path_factory.mktemp("table") / "a.csv"
    for after in interruptions:
        interrupt(path, after)
        if path.exists():
            break
        with open(f"{path}.part", "a") as file:
            file.write(torn)
    else:
        write(path, lambda start: squares(start, 9))
    assert path.read_text() == expected(9)
    assert [file.name for file in path.parent.iterdir()] == ["a.csv"]


def test_goes_on_where_it_was(tmp_path):
    path = tmp_path / "new" / "a.csv"
    interrupt(path, 2)
    starts = []

    def parts(start):
        starts.append(start)
        return squares(start, 9)

    told = write(path, parts)
    assert starts == [4]
    assert told[0] == f"goes on after the 4 rows of {path}.part"
    assert told[-1].startswith("9 rows, ")
    assert path.read_text() == expected(9)


@pytest.mark.parametrize("lost", ["identity", "notes", "part", "bytes"])
def test_starts_over_if_the_part_cannot_be_trusted(tmp_path, lost):
    path = tmp_path / "a.csv"
    interrupt(path, 2)
    part = tmp_path / "a.csv.part"
    if lost == "notes":
        (tmp_path / "a.csv.part.json").unlink()
    elif lost == "part":
        part.unlink()
    elif lost == "bytes":
        part.write_text("number")
    starts = []
    identity = 1 if lost == "identity" else 0
    write(path, lambda s: starts.append(s) or squares(s, 9), identity)
    assert starts == [0]
    assert path.read_text() == expected(9)


def test_kill_at_any_moment(tmp_path):
    path = tmp_path / "a.csv"
    code = (
        "import files_test, pathlib, sys\n"
        "parts = lambda start: files_test.squares(start, 1500, 3)\n"
        "files_test.write(pathlib.Path(sys.argv[1]), parts)\n"
    )
    search = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    environment = {**os.environ, "PYTHONPATH": search}
    command = [sys.executable, "-c", code, str(path)]
    kills = 0
    for wait in (0.0, 0.05, 0.15, None):
        process = subprocess.Popen(command, env=environment)
        deadline = time.monotonic() + 30
        part = tmp_path / "a.csv.part"
        before = part.stat().st_size if part.exists() else 0
        while process.poll() is None and time.monotonic() < deadline:
            moved = part.exists() and part.stat().st_size != before
            if moved and wait is not None:
                time.sleep(wait)
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.002)
        kills += process.wait(30) == -signal.SIGKILL
    assert kills
    assert path.read_text() == expected(1500)


def test_cells_are_written_as_they_are(tmp_path):
    path = tmp_path / "a.csv"
    row = ["a,b", 'say "hi"\nthere', "a\udce9.png"]
    files.write_table(path, ["x", "y", "z"], lambda start: [[row]], {})
    text = b'x,y,z\n"a,b","say ""hi""\nthere",a\xe9.png\n'
    assert path.read_bytes() == text


def test_a_folder_holds_one_configuration(tmp_path):
    folder = tmp_path / "run"
    flags = {"epochs": 5, "rate": 0.1, "seeds": 2, "split": None}
    files.claim(folder, flags, ["seeds"])
    assert json.loads((folder / "flags.json").read_text()) == {
        "epochs": 5,
        "rate": 0.1,
        "split": None,
    }
    (folder / "results").touch()
    files.claim(folder, {**flags, "seeds": 3}, ["seeds"])
    with pytest.raises(ValueError, match="another configuration") as error:
        files.claim(folder, {**flags, "epochs": 6, "new": "x"}, ["seeds"])
    assert str(error.value) == (
        f"The folder {folder} holds a run of another configuration: epochs was"
        " 5 and is 6 now; new was None and is 'x' now. Choose another folder"
        " for the new run, or give what was given before to resume the old"
        " one."
    )


def test_a_folder_without_results_is_free(tmp_path):
    files.claim(tmp_path, {"epochs": 5})
    files.claim(tmp_path, {"epochs": 6})
    (tmp_path / "results").touch()
    files.claim(tmp_path, {"epochs": 6})
    with pytest.raises(ValueError, match="epochs was 6 and is 5 now"):
        files.claim(tmp_path, {"epochs": 5})


def test_digest_tells_data_apart():
    smiles = np.array(["CC", "O"], object)
    others = [
        np.array(["C", "CO"], object),
        np.array(["CC", "O"]),
        np.arange(2),
        np.arange(2.0),
        np.arange(2)[:, None],
    ]
    found = {files.digest(array) for array in [smiles, *others]}
    assert len(found) == 6
    assert files.digest(smiles) == files.digest(smiles.copy())


def test_stamp_changes_with_the_files(tmp_path):
    (tmp_path / "inner").mkdir()
    file = tmp_path / "inner" / "a.txt"
    file.write_text("one")
    found = [files.stamp(tmp_path), files.stamp(file)]
    assert found == [files.stamp(tmp_path), files.stamp(file)]
    file.write_text("three")
    assert files.stamp(tmp_path) != found[0]
    assert files.stamp(file) != found[1]
