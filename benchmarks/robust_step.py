"""What a step of adversarial training costs against bare passes.

    python -m benchmarks.robust_step [--quick]

A step of PGD-7 on a batch of 256 through Keras, attack, optimizer and metrics
in it, against eight bare forward and backward passes of the same network:
seven to the inputs and one to the weights. In one process, interleaved,
medians. The same of each other method over its passes. Prints one JSON line a
figure.
"""

import json
import time

import keras
import numpy as np
from absl import app
from absl import flags

from benchmarks.robustness_models import network

FLAGS = flags.FLAGS
flags.DEFINE_bool("quick", False, "Three rounds.")
flags.DEFINE_integer("rounds", 9, "Pairs of measurements.", 1)
flags.DEFINE_integer("batch_size", 256, "Images a step.", 1)

BAR = 1.15
PASSES = {"pgd": 8, "trades": 9, "fast": 2, "free": 7}


def bare(model: keras.Model, loss: keras.losses.Loss, x, y) -> tuple:
    """Compiled passes to the inputs and to the weights."""
    from reprogram.gradients import compiled
    from reprogram.gradients import value_and_grad

    def to_inputs(v):
        return value_and_grad(lambda u: loss(y, model(u)))(v)[1]

    def to_weights(v):
        # The weights are watched as an argument of the function.
        values = [w.value for w in model.trainable_weights]

        def total(values):
            pairs = list(zip(model.trainable_weights, values))
            with keras.StatelessScope(state_mapping=pairs):
                return loss(y, model(v, training=True))

        return value_and_grad(total)(values)[1]

    return compiled(to_inputs), compiled(to_weights)


def measure(method: str, rounds: int) -> dict:
    """Time of a training step over that of its bare passes."""
    from reprogram.robustness import Linf
    from reprogram.robustness.hardening.hardened import Hardened

    keras.utils.set_random_seed(0)
    model = network()
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (FLAGS.batch_size, 28, 28, 1)).astype("float32")
    y = rng.integers(0, 10, FLAGS.batch_size)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    hardened = Hardened(model, Linf(0.1), method, steps=7)
    hardened.compile("adam", loss)
    to_inputs, to_weights = bare(model, loss, x, y)
    tensor = keras.ops.convert_to_tensor(x)

    def passes() -> None:
        free = method == "free"
        for _ in range(0 if free else PASSES[method] - 1):
            last = to_inputs(tensor)
        for _ in range(PASSES[method] if free else 1):
            last = to_weights(tensor)[0]
        keras.ops.convert_to_numpy(last)

    spent = {passes: [], lambda: hardened.train_on_batch(x, y): []}
    for turn in range(rounds + 1):
        for function, seconds in spent.items():
            start = time.perf_counter()
            function()
            if turn:
                seconds.append(time.perf_counter() - start)
    base, step = (np.array(seconds) for seconds in spent.values())
    ratios, best = step / base, float(step.min() / base.min())
    value = float(np.median(ratios))
    held = method == "pgd"
    return {
        "name": f"step of {method}, over {PASSES[method]} bare passes",
        "value": value,
        "of the fastest": best,
        "spread": [float(ratios.min()), float(ratios.max())],
        "milliseconds": 1000 * float(np.median(step)),
        "unit": "ratio of time",
        "bar": BAR if held else None,
        "holds": value <= BAR if held else None,
    }


def main(_: list[str]) -> None:
    for method in PASSES:
        rounds = 3 if FLAGS.quick else FLAGS.rounds
        print(json.dumps(measure(method, rounds)), flush=True)


if __name__ == "__main__":
    app.run(main)
