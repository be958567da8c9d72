"""Nav1.7 activity at 32, 128 and all labels: every model, every size.

    python -m benchmarks.nav17 [--quick]

Prints one JSON line a figure: the mean RMSE of each model at each size, and
the paired difference (reprogrammed minus baseline) to the two baselines that
the reprogrammed source must beat, with its 95 % interval. Runs stay in
--output_dir and are not repeated.
"""

import json
import pathlib
import subprocess
import sys

from absl import app
from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_bool("quick", False, "Size 32 and two seeds only.")
flags.DEFINE_string("output_dir", "runs/benchmark-nav17", "Of the runs.")
REQUIRED = ("linear probe", "mean predictor")


def train(size: int, seeds: int, folder: pathlib.Path) -> dict:
    """Runs scripts.train for one size and reads its record."""
    from reprogram.report import record

    command = [sys.executable, "-m", "reprogram.scripts.train", "--task=nav17"]
    command += [f"--train_size={size}", f"--seeds={seeds}"]
    command += [f"--output_dir={folder}"]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return record.load(folder)


def figures(record: dict, size: str) -> list[dict]:
    """Turns a record into figures with their bars."""
    from reprogram.report import record as records
    from reprogram.report import statistics

    lines = []
    ours = statistics.find(record, "reprogrammed")
    for model in record["models"]:
        mean, half_width = records.interval(model["metrics"]["rmse"])
        name = f"nav17/{size}/{model['name']}"
        figure = {"name": name, "value": mean, "half_width": half_width}
        lines.append(figure | {"unit": "RMSE pIC50", "bar": None})
        if model["name"] in REQUIRED:
            mine = records.interval(ours["metrics"]["rmse"])[0]
            lines[-1] |= {"bar": f"above {mine:.4f}", "holds": mine < mean}
            found = statistics.compare(record, model, ours)
            lines[-1] |= {
                "difference": found.difference,
                "difference_half_width": found.half_width,
                "verdict": found.verdict,
            }
    return lines


def main(_: list[str]) -> None:
    folder = pathlib.Path(FLAGS.output_dir)
    seeds = 2 if FLAGS.quick else 5
    for size in (32,) if FLAGS.quick else (32, 128, 0):
        run = folder / f"{size or 'all'}-{seeds}"
        for line in figures(train(size, seeds, run), str(size or "all")):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    app.run(main)
