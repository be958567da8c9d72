"""What a step of `fit` costs beside the bare gradient of the same loss.

    python -m benchmarks.step [--quick]

A user's `fit` (tf.data, several steps an execution) and a loop around the
compiled gradient of the loss to the program take turns in one process, an
epoch each, so that other work on the machine slows down both alike. Held to
the bar is the ratio of the medians over all rounds; `fit` also updates the
program and its metrics, the bare gradient does neither. Beside it stand the
ratio of processor time, which other work on the machine disturbs least, and
the ratios to a bare loop that includes the optimizer's update.

Then every transform: its compiled step and a bare one with the same networks,
see `transform_step`.
"""

import functools
import json
import time
from collections.abc import Callable

import keras
import numpy as np
from absl import app
from absl import flags
from keras import ops

from benchmarks import transform_step
from reprogram import gradients
from reprogram import mappings
from reprogram import transforms
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources.molecular import networks

QUICK = flags.DEFINE_bool("quick", False, "End within a minute.")
BAR = 1.15
BATCH = 16
STEPS = 4
WARMUP = 2


def mobilenet() -> tuple[Reprogrammer, keras.Loss, np.ndarray, np.ndarray]:
    """Images of 32 x 32 pixels for MobileNetV2 at 96 x 96, ten classes."""
    source = keras.applications.MobileNetV2(
        (96, 96, 3), weights=None, classifier_activation=None
    )
    padding = transforms.Padding((96, 96, 3))
    model = Reprogrammer(source, padding, mappings.LinearMapping(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (BATCH * STEPS, 32, 32, 3)).astype("float32")
    return model, loss, x, rng.integers(0, 10, len(x))


def molecules() -> tuple[Reprogrammer, keras.Loss, np.ndarray, np.ndarray]:
    """Molecules of 48 tokens for the molecular encoder, one value each."""
    model = Reprogrammer(
        networks.describer(64, 32),
        transforms.SoftPrompt(8),
        mappings.LinearMapping(1, "regression"),
        input_layer="embeddings",
        feature_layer="features",
    )
    rng = np.random.default_rng(0)
    x = rng.integers(1, 64, (BATCH * STEPS, 48))
    y = rng.normal(size=(len(x), 1)).astype("float32")
    return model, keras.losses.MeanSquaredError(), x, y


CASES = {"MobileNetV2": mobilenet, "molecular source": molecules}


def bare_loops(
    model: Reprogrammer, loss: keras.Loss, batches: list
) -> dict[str, Callable[[], None]]:
    """An epoch of gradients, and one of gradients and updates.

    The loops have their own copy of the program. On JAX, Keras has no update
    that one compiled function could share with TensorFlow: it is left out.
    """
    variables = model.trainable_variables
    scores = gradients.stateless(lambda x: model(x, training=True), variables)
    gradient = gradients.value_and_grad(
        lambda values, x, y: loss(y, scores(values, x))
    )
    program = [keras.Variable(variable) for variable in variables]
    optimizer = keras.optimizers.Adam()
    optimizer.build(program)

    def update(values: list, x: object, y: object) -> object:
        value, slope = gradient(values, x, y)
        optimizer.apply(slope, program)
        return value, slope

    def loop(step: Callable) -> None:
        for x, y in batches:
            value, _ = step([weight.value for weight in program], x, y)
        ops.convert_to_numpy(value)

    steps = {"gradient": gradients.compiled(gradient)}
    if keras.backend.backend() == "tensorflow":
        steps["update"] = gradients.compiled(update)
    return {name: functools.partial(loop, step) for name, step in steps.items()}


class Turns(keras.callbacks.Callback):
    """Times every epoch of `fit`, and the bare loops in between."""

    def __init__(self, loops: dict[str, Callable[[], None]]):
        super().__init__()
        self.loops = loops
        self.seconds = {name: [] for name in ("fit", *loops)}

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.start = now()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.seconds["fit"].append(now() - self.start)
        for name, loop in self.loops.items():
            start = now()
            loop()
            self.seconds[name].append(now() - start)


def now() -> np.ndarray:
    """Seconds on the clock, and of processor time over all threads."""
    return np.array([time.perf_counter(), time.process_time()])


def measure(case: str, rounds: int) -> dict[str, np.ndarray]:
    """Returns seconds a step, median of `rounds` epochs, on both clocks."""
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    model, loss, x, y = CASES[case]()
    model.compile("adam", loss, steps_per_execution=STEPS)
    model.build((None, *x.shape[1:]))
    batches = [
        (ops.array(x[i : i + BATCH]), ops.array(y[i : i + BATCH]))
        for i in range(0, len(x), BATCH)
    ]
    turns = Turns(bare_loops(model, loss, batches))
    data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), 0)
    data = data.repeat().batch(BATCH).prefetch(2)
    model.fit(
        data,
        steps_per_epoch=STEPS,
        epochs=WARMUP + rounds,
        callbacks=[turns],
        shuffle=False,
        verbose=0,
    )
    return {
        name: np.median(seconds[WARMUP:], axis=0) / STEPS
        for name, seconds in turns.seconds.items()
    }


def figures(case: str, seconds: dict[str, np.ndarray]) -> list[dict]:
    """Turns seconds a step into the lines to print; one has a bar."""
    lines = [("fit", 1e3 * seconds["fit"][0], "ms a step", None)]
    for name in [name for name in seconds if name != "fit"]:
        clock, processor = seconds["fit"] / seconds[name]
        held = BAR if name == "gradient" else None
        lines += [
            (f"bare {name}", 1e3 * seconds[name][0], "ms a step", None),
            (f"fit / bare {name}", clock, "x", held),
            (f"fit / bare {name}, processor time", processor, "x", None),
        ]
    return [
        {
            "name": f"step: {case}: {name}",
            "value": round(float(value), 3),
            "unit": unit,
            "bar": bar,
            "holds": None if bar is None else bool(value <= bar),
        }
        for name, value, unit, bar in lines
    ]


def main(_: list[str]) -> None:
    for case in CASES:
        seconds = measure(case, rounds=12 if QUICK.value else 60)
        for figure in figures(case, seconds):
            print(json.dumps(figure), flush=True)
    few = ("overlay", "trainable_resize", "soft_prompt")
    for name in few if QUICK.value else transform_step.CASES:
        for figure in transform_step.measure(name, 12 if QUICK.value else 40):
            print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    app.run(main)
