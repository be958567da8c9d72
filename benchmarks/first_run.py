"""The first minute: how long a newcomer waits for the first command.

    python -m benchmarks.first_run [--quick]
    python -m benchmarks.first_run --before=PATH_OF_AN_OLDER_CHECKOUT

Prints one JSON line a figure: seconds from the start of Python to the first
progress line and to the table of `train --task=nav17`, peak memory, and the
seconds of `import reprogram` and of `reprogram --help`. --before runs the same
task with the code of another checkout, one after the other on the same
machine, and prints the ratio. The commands run on a pseudo-terminal, as
progress is silent in a pipe.
"""

import json
import os
import pathlib
import pty
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from absl import app
from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_bool("quick", False, "Use 32 labels and one draw.")
flags.DEFINE_string(
    "before", None, "Checkout of an older version to compare with."
)
ROOT = pathlib.Path(__file__).parents[1]
TABLE = b"linear probe"
BARS = {"first line": 6.0, "table": 60.0, "memory": 2.0}


def watch(command: list[str], folder: pathlib.Path) -> dict[str, float]:
    """Runs a command on a terminal of its own and times what it shows.

    Args:
        command: Command and its arguments.
        folder: Checkout whose code runs.

    Returns:
        Seconds to the first output, to the table and to the end, and peak
        memory in GiB.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    start = time.perf_counter()
    times: dict[str, float] = {}
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execvp(command[0], command)
    seen = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        spent = time.perf_counter() - start
        seen += part
        times.setdefault("first line", spent)
        if TABLE in seen and b"trainable parameters" in seen:
            times.setdefault("table", spent)
    _, status = os.waitpid(process, 0)
    times["end"] = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    times["memory"] = max(before, after) / 2**20
    if status or "table" not in times:
        raise RuntimeError(
            f"{' '.join(command)} ended with {status}: {seen[-2000:].decode()}"
        )
    return times


def train(folder: pathlib.Path) -> dict[str, float]:
    """Trains on nav17 with the code of a checkout, into a new folder."""
    with tempfile.TemporaryDirectory() as output:
        command = [sys.executable, "-m", "scripts.train", "--task=nav17"]
        command += [f"--output_dir={output}/run"]
        if FLAGS.quick:
            command += ["--train_size=32", "--seeds=1"]
        return watch(command, folder)


def seconds(*arguments: str) -> float:
    """Returns the least of five times that Python needs for something."""
    spent = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments],
            check=True,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        spent.append(time.perf_counter() - start)
    return min(spent)


def figures() -> Iterator[tuple[str, float, str, float | None]]:
    """Yields name, value, unit and bar of each figure."""
    times = train(ROOT)
    for name in ("first line", "table", "end"):
        yield f"nav17, {name}", times[name], "s", BARS.get(name)
    yield "nav17, peak memory", times["memory"], "GiB", BARS["memory"]
    if FLAGS.before:
        old = train(pathlib.Path(FLAGS.before))
        yield "nav17, table, before", old["table"], "s", None
        yield (
            "nav17, table over before",
            times["table"] / old["table"],
            "",
            (1 / 6),
        )
    bare = seconds("-c", "pass")
    yield "import", seconds("-c", "import reprogram") - bare, "s", 0.1
    yield "help", seconds("-m", "reprogram", "--help"), "s", 1.0


def main(_: list[str]) -> None:
    """Prints the figures."""
    for name, value, unit, bar in figures():
        line = {"name": name, "value": round(value, 3), "unit": unit}
        line |= {"bar": bar, "holds": None if bar is None else value <= bar}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    app.run(main)
