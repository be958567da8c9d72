"""What attacks cost against bare gradients, and how strong they are.

    python -m benchmarks.robustness [--quick]

PGD with 20 steps on a batch of 256 against 20 bare compiled gradients, in one
process, interleaved. AutoAttack on a CNN and 128 digits for which the official
implementation is known (../shared/data/robustness/autoattack_case.npz): 97.7 %
clean, 65.6 % robust at 0.1 in Linf. Black-box attacks and certificates against
bare queries and gradients (benchmarks/robustness_ratios.py). Prints one JSON
line a figure.
"""

import json
import pathlib
import time

import keras
import numpy as np
from absl import app
from absl import flags
from keras import ops

from benchmarks.robustness_models import network
from benchmarks.robustness_ratios import ratios

FLAGS = flags.FLAGS
flags.DEFINE_bool("quick", False, "Without FAB and Square.")
flags.DEFINE_string("data", "../shared/data/robustness", "Of the case.")
flags.DEFINE_integer("rounds", 9, "Pairs of measurements.", 1)


def cost(rounds: int) -> dict:
    """Time of PGD-20 over that of its bare gradients."""
    from reprogram.gradients import compiled
    from reprogram.gradients import value_and_grad
    from reprogram.robustness import Linf
    from reprogram.robustness.attacks import get

    keras.utils.set_random_seed(0)
    model = network()
    x = np.random.default_rng(0).uniform(0, 1, (256, 28, 28, 1))
    x = x.astype("float32")
    y = model.predict(x, batch_size=256, verbose=0).argmax(axis=1)
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="sum"
    )
    bare = compiled(lambda v: value_and_grad(lambda u: loss(y, model(u)))(v)[1])

    def gradients() -> None:
        v = ops.convert_to_tensor(x)
        for _ in range(20):
            v = v + 1e-6 * ops.sign(bare(v))
        ops.convert_to_numpy(v)

    def attack() -> None:
        # So small a radius that nothing falls: all 20 steps are made.
        get("pgd")(model, x, y, Linf(1e-6), steps=20)

    spent = {gradients: [], attack: []}
    for turn in range(rounds + 1):
        for function, seconds in spent.items():
            start = time.perf_counter()
            function()
            if turn:
                seconds.append(time.perf_counter() - start)
    ratios = np.divide(spent[attack], spent[gradients])
    value = float(np.median(ratios))
    return {
        "name": "PGD-20, batch 256, over 20 bare gradients",
        "value": value,
        "spread": [float(ratios.min()), float(ratios.max())],
        "unit": "ratio of time",
        "bar": 1.1,
        "holds": value <= 1.1,
    }


def strength(quick: bool) -> dict:
    """Robust accuracy after AutoAttack."""
    from reprogram.robustness import Linf
    from reprogram.robustness import auto_attack

    found = np.load(pathlib.Path(FLAGS.data) / "autoattack_case.npz")
    model = network()
    model.set_weights([found[f"w{i}"] for i in range(8)])
    x = found["x"].astype("float32").reshape(-1, 28, 28, 1)
    start = time.perf_counter()
    result = auto_attack(
        model,
        x,
        found["y"].astype("int32"),
        Linf(0.1),
        version="fast" if quick else "standard",
        queries=1000,
    )
    value = result.robust_accuracy()
    return {
        "name": "AutoAttack, Linf 0.1, robust accuracy",
        "value": value,
        "stages": result.stages,
        "seconds": time.perf_counter() - start,
        "unit": "share of 128 digits",
        "bar": 0.664,
        "holds": value <= 0.664,
    }


def main(_: list[str]) -> None:
    rounds = 3 if FLAGS.quick else FLAGS.rounds
    print(json.dumps(cost(rounds)), flush=True)
    for figure in ratios(network, rounds, FLAGS.quick):
        print(json.dumps(figure), flush=True)
    if pathlib.Path(FLAGS.data).is_dir():
        print(json.dumps(strength(FLAGS.quick)), flush=True)
    else:
        print(f"# There is no folder {FLAGS.data}: AutoAttack is left out.")


if __name__ == "__main__":
    app.run(main)
