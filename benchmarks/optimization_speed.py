"""What molecular search costs beside the work it cannot avoid.

    python -m benchmarks.optimization_speed

The decode loop of QMO against the decoder alone, and scoring on all cores
against RDKit in one process, times the cores. Prints one JSON line a figure.
"""

import json
import os
import time
from collections.abc import Callable

import numpy as np
from absl import app
from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_integer("rounds", 3, "Measurements; the median counts.", 1)
flags.DEFINE_bool("quick", False, "Fewer molecules.")


def rate(run: Callable[[], int]) -> float:
    """Items a second."""
    start = time.perf_counter()
    return run() / (time.perf_counter() - start)


def decoding() -> dict:
    from reprogram import sources
    from reprogram.optimization.objective import Objective
    from reprogram.optimization.search import Archive
    from reprogram.optimization.search import get

    source = sources.load("zinc-autoencoder")
    starts = [row for row in source.generate(80, seed=0) if row]
    starts = [r for r in starts if not source.tokenizer.explain(r)][:16]
    latents = source.sample_latents(16 * 51, seed=1)
    wanted = Objective(["logp"])

    def bare() -> int:
        for _ in range(2 if FLAGS.quick else 5):
            source.decode(latents)
        return (2 if FLAGS.quick else 5) * len(latents)

    def loop() -> int:
        archives = [Archive(wanted, start) for start in starts]
        search = get("qmo", source)
        for archive in archives:
            archive.add([archive.start], np.zeros((1, 1)))
        for _ in range(2 if FLAGS.quick else 5):
            asked = search(archives, [10**6] * len(archives))
            for archive, rows in zip(archives, asked):
                new = [r for r in dict.fromkeys(rows) if r not in archive.rows]
                archive.add(new, np.zeros((len(new), 1)))
        return (2 if FLAGS.quick else 5) * len(archives) * 51

    bare(), loop()
    shares = [rate(loop) / rate(bare) for _ in range(FLAGS.rounds)]
    return figure("QMO's decode loop, of the decoder's own rate", shares, 0.7)


def scoring() -> dict:
    from reprogram import sources
    from reprogram.molecules import parse
    from reprogram.optimization.constraints import Frame
    from reprogram.optimization.objective import Objective
    from reprogram.optimization.oracles import ORACLES
    from reprogram.optimization.oracles import score

    source = sources.load("zinc-autoencoder")
    count = 1000 if FLAGS.quick else 8000
    rows = [r for r in source.generate(count, seed=2) if r]
    frame = Frame(Objective(["qed"], similarity=0.4), rows[0])
    cores = os.cpu_count()

    def alone() -> int:
        part = rows[: len(rows) // cores]
        for row in part:
            molecule = parse(row)
            ORACLES["qed"](molecule), frame.similarity(molecule)
        return len(part)

    def together() -> int:
        score(rows, ["qed"])
        return len(rows)

    together()
    shares = [rate(together) / rate(alone) / cores for _ in range(FLAGS.rounds)]
    name = f"scoring QED on {cores} cores, of RDKit's own rate times the cores"
    return figure(name, shares, 0.8)


def figure(name: str, shares: list[float], bar: float) -> dict:
    value = float(np.median(shares))
    return {
        "name": name,
        "value": value,
        "unit": "ratio of throughput",
        "spread": [min(shares), max(shares)],
        "bar": bar,
        "holds": value >= bar,
    }


def main(_: list[str]) -> None:
    for run in (decoding, scoring):
        print(json.dumps(run()), flush=True)


if __name__ == "__main__":
    app.run(main)
