"""Trains one of the two tiny sources and writes weights and model card.

python -m scripts.pretrain_synthetic --source=shapes --output_dir=runs/shapes
"""

import os
import pathlib
import time
from collections.abc import Callable

import keras
import numpy as np
from absl import flags

from reprogram.scripts import errors
from reprogram.sources import checksum
from reprogram.sources import tiny

SOURCE = flags.DEFINE_enum(
    "source", None, list(tiny.RECIPES), "Name of the source.", required=True
)
STEPS = flags.DEFINE_integer("steps", 2000, "Number of training steps.", 1)
BATCH = flags.DEFINE_integer("batch_size", 128, "Number of samples a step.", 12)
SEED = flags.DEFINE_integer("seed", 0, "Seed of the weights and the data.", 0)
OUTPUT = flags.DEFINE_string(
    "output_dir",
    None,
    "Folder that receives the weights, their checksum and the card.",
    required=True,
)

HELD_OUT = 4096
CARD = """# {source}

A classifier of drawn {source}, {parameters:,} parameters, stored in float16.

- Input: `reprogram.sources.load("{source}").preprocess`. {preprocess}
- Output: logits of {count} classes: {names}.
- Held-out accuracy: {accuracy:.4f} on {held_out:,} samples of seed {seed}, with
  the weights as stored. The smallest of one class: {worst:.4f} ({worst_name}).
- Data: `reprogram.sources.synthetic.{source}`. {description}
- Training: {steps:,} steps of {batch} samples, no sample seen twice (seeds
  {first} to {last}); AdamW, cosine decay from 2e-3; initialization seed {seed}.
- Command: `python -m scripts.pretrain_synthetic --source={source}
  --steps={steps} --batch_size={batch} --seed={seed} --output_dir=DIR`
- Cost: {seconds:.0f} seconds, {cores} CPU cores, {keras}.
- Made for: trials of reprogramming without a download. It saw nothing but
  drawings, so its accuracy says nothing about photographs or measurements.
- Licence: Apache-2.0.
"""


def samples(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    recipe = tiny.RECIPES[SOURCE.value]
    inputs, labels = recipe.draw(count, seed)
    return recipe.preprocess(inputs), labels


class Batches(keras.utils.PyDataset):
    """Batches that are drawn when they are needed."""

    def __len__(self) -> int:
        return STEPS.value

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return samples(BATCH.value, SEED.value + 1 + index)


def train(model: keras.Model) -> None:
    rate = keras.optimizers.schedules.CosineDecay(2e-3, STEPS.value)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(rate), loss, metrics=["accuracy"])
    model.fit(Batches(), verbose=2)


def class_accuracy(model: keras.Model) -> np.ndarray:
    inputs, labels = samples(HELD_OUT, SEED.value)
    logits = model.predict(inputs, 256, verbose=0)
    hits = logits.argmax(axis=1) == labels
    return np.array([hits[labels == k].mean() for k in range(logits.shape[1])])


def summary(function: Callable[..., object]) -> str:
    return (function.__doc__ or "").split("\n")[0]


def card(model: keras.Model, correct: np.ndarray, seconds: float) -> str:
    recipe = tiny.RECIPES[SOURCE.value]
    names = recipe.class_names
    return CARD.format(
        source=SOURCE.value,
        parameters=model.count_params(),
        preprocess=summary(recipe.preprocess),
        count=len(names),
        names=", ".join(names),
        accuracy=correct.mean(),
        held_out=HELD_OUT,
        seed=SEED.value,
        worst=correct.min(),
        worst_name=names[correct.argmin()],
        description=summary(recipe.draw),
        steps=STEPS.value,
        batch=BATCH.value,
        first=SEED.value + 1,
        last=SEED.value + STEPS.value,
        seconds=seconds,
        cores=os.cpu_count(),
        keras=f"Keras {keras.__version__} on {keras.backend.backend()}",
    )


def main(_: list[str]) -> None:
    keras.utils.set_random_seed(SEED.value)
    folder = pathlib.Path(OUTPUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    model = tiny.RECIPES[SOURCE.value].build()
    start = time.perf_counter()
    train(model)
    seconds = time.perf_counter() - start
    path = folder / f"{SOURCE.value}.npz"
    checksum.save_weights(model, path)
    checksum.load_weights(model, path)
    text = card(model, class_accuracy(model), seconds)
    path.with_suffix(".md").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    errors.run(main)
