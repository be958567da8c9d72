"""Peak memory of our attacks beside the same attacks of ART and Foolbox.

    python -m benchmarks.robustness_memory [--models=cnn] [--attacks=pgd]

The models and attacks of `benchmarks.robustness_strength`, few steps of each
on --batch images at once, each in a process of its own; the peak of a process
that only asks the model is taken off. Cells stay in --output_dir, and the
same command goes on. Prints one JSON line a model and attack.
"""

import dataclasses
import itertools
import json
import pathlib
import resource
import subprocess
import sys

import numpy as np
from absl import app
from absl import flags

from benchmarks import robustness_peers as peers
from benchmarks import robustness_strength as strength

FLAGS = flags.FLAGS
flags.DEFINE_integer("batch", 256, "Images that are attacked at once.", 1)
flags.DEFINE_list("only", [], "Model, attack and whose: measures that alone.")

SHORT = {"steps": 5, "long_steps": 5, "leaps": 5, "searches": 2, "square": 20}
SHORT |= {"jumps": 2, "walks": 20, "turns": (3, 3)}
LEFT_OUT = {"boundary", "carlini_wagner"}


def measure(name: str, attack: str, who: str) -> float:
    """Runs one attack in this process; returns its peak in MiB."""
    model, x, y = strength.subject(name)
    rows = np.arange(FLAGS.batch) % len(x)
    x, y = x[rows], y[rows]
    setting = dataclasses.replace(strength.SETTINGS[name], **SHORT)
    model.predict(x, batch_size=len(x), verbose=0)
    if who == "ours":
        strength.ours(attack, model, x, y, setting, 400)
    elif who != "nobody":
        peers.PEERS[who][0](attack, peers.Counted(model), x, y, setting)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(name: str, attack: str, who: str) -> float:
    """Measures in a new process."""
    command = [sys.executable, "-m", "benchmarks.robustness_memory"]
    command += [f"--only={name},{attack},{who}", f"--batch={FLAGS.batch}"]
    command += [f"--shared={FLAGS.shared}", f"--run={FLAGS.run}"]
    found = subprocess.run(command, capture_output=True, text=True)
    if found.returncode:
        raise RuntimeError(f"{command} failed:\n{found.stderr[-2000:]}")
    return json.loads(found.stdout.splitlines()[-1])


def cell(name: str, attack: str, nobody: float) -> dict:
    """Peaks of all who know the attack, above the model's alone."""
    known = [who for who in FLAGS.peers if attack in peers.PEERS[who][1]]
    peaks = {who: apart(name, attack, who) for who in ["ours", *known]}
    line = {"cell": [name, attack], "images": FLAGS.batch, "unit": "MiB"}
    line |= {who: max(0.0, peak - nobody) for who, peak in peaks.items()}
    line["whole process"] = peaks | {"nobody": nobody}
    line["holds"] = all(peaks["ours"] <= peaks[who] for who in known)
    return line


def main(_: list[str]) -> None:
    if FLAGS.only:
        print(json.dumps(measure(*FLAGS.only)))
        return
    from reprogram.files import write_text

    folder, nobody = pathlib.Path(FLAGS.output_dir), {}
    for name, attack in itertools.product(FLAGS.models, FLAGS.attacks):
        path = folder / f"memory-{name}-{attack}.json"
        if attack in LEFT_OUT:  # too slow
            continue
        if not path.exists():
            nobody[name] = nobody.get(name) or apart(name, attack, "nobody")
            found = cell(name, attack, nobody[name])
            write_text(path, json.dumps(found) + "\n")
        print(path.read_text("utf-8").strip(), flush=True)


if __name__ == "__main__":
    app.run(main)
