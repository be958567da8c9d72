"""How fast molecules become fingerprints, source features and descriptors.

    python -m benchmarks.molecule_speed --smiles=zinc.txt.gz [--count=100000]

Without --smiles, molecules that RDKit ships, repeated. Seconds for count
fingerprints and the features of the frozen source, and the rate of all RDKit
descriptors beside RDKit's own in as many bare processes. Prints one JSON line
a figure.
"""

import gzip
import itertools
import json
import os
import pathlib
import time
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from absl import app
from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_string("smiles", None, "One SMILES a line, also .gz.")
flags.DEFINE_integer("count", 100_000, "Molecules of the first figure.", 1)
flags.DEFINE_integer("descriptors", 4_000, "Molecules of the second.", 1)
flags.DEFINE_integer("rounds", 3, "Measurements; the median counts.", 1)


def molecules() -> list[str]:
    if FLAGS.smiles:
        path = pathlib.Path(FLAGS.smiles)
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt") as file:
            rows = [line.split()[0] for line in file if line.strip()]
    else:
        from reprogram.tasks import molecules as tables

        rows = [str(row) for row in tables.nav17().inputs]
    return list(itertools.islice(itertools.cycle(rows), FLAGS.count))


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def bare(rows: Sequence[str]) -> list:
    """All descriptors, as RDKit's documentation computes them."""
    from rdkit import Chem
    from rdkit import rdBase
    from rdkit.Chem import Descriptors

    with rdBase.BlockLogs():
        return [
            Descriptors.CalcMolDescriptors(Chem.MolFromSmiles(row))
            for row in rows
        ]


def figures(rows: Sequence[str]) -> list[dict]:
    import joblib

    from reprogram.molecules import featurizers
    from reprogram.predictors.molecules import features

    features.compute(rows[:600], ["source"], "zinc-autoencoder", jobs=-1)
    spent = {
        name: seconds(
            lambda name=name: features.compute(
                rows, [name], "zinc-autoencoder", jobs=-1
            )
        )
        for name in ("ecfp4", "source")
    }
    cores = os.cpu_count()
    part = rows[: FLAGS.descriptors]
    halves = [part[i::cores] for i in range(cores)]

    def alone() -> list:
        work = (joblib.delayed(bare)(half) for half in halves)
        return joblib.Parallel(cores)(work)

    alone(), featurizers.descriptors(part[:600], jobs=-1)
    pairs = [
        (
            seconds(alone),
            seconds(lambda: featurizers.descriptors(part, jobs=-1)),
        )
        for _ in range(FLAGS.rounds)
    ]
    shares = [first / second for first, second in pairs]
    total = sum(spent.values())
    return [
        {
            "name": f"fingerprints and source features, {len(rows)} molecules",
            "value": total,
            "unit": "seconds",
            "parts": spent,
            "bar": 180 * len(rows) / 100_000,
            "holds": total <= 180 * len(rows) / 100_000,
        },
        {
            "name": f"descriptors, of RDKit's rate in {cores} processes",
            "value": float(np.median(shares)),
            "unit": "ratio of throughput",
            "spread": [min(shares), max(shares)],
            "molecules_a_second": len(part) / min(s for _, s in pairs),
            "bar": 0.8,
            "holds": float(np.median(shares)) >= 0.8,
        },
    ]


def main(_: list[str]) -> None:
    for figure in figures(molecules()):
        print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    app.run(main)
