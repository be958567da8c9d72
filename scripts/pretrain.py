"""Pretrains the molecular source from files of SMILES.

    python -m scripts.pretrain --smiles=zinc.txt.gz --minutes=30 \
        --test=jtvae_test.txt --output_dir=runs/pretrain

Reads RDKit's NCI and WEHI sets as well. The same command resumes and, once the
time is used, writes the source and its card into --output_dir/source.
"""

import pathlib
import shlex
import sys
from typing import TYPE_CHECKING

from absl import flags

from reprogram.scripts import errors

if TYPE_CHECKING:
    from reprogram.sources.pretraining.corpus import Corpus

FLAGS = flags.FLAGS
flags.DEFINE_list(
    "smiles", [], "Files of SMILES to train on, added to RDKit's sets."
)
flags.DEFINE_bool(
    "rdkit_sets", True, "Trains on RDKit's NCI and WEHI sets too."
)
flags.DEFINE_list("exclude", [], "Files of molecules that are not trained on.")
flags.DEFINE_string(
    "test", None, "File of molecules that are not trained on but measured on."
)
flags.DEFINE_string(
    "output_dir", "runs/pretrain", "Folder of checkpoints, log and `source`."
)
flags.DEFINE_float("minutes", 30.0, "Training time, over all resumptions.", 0)
flags.DEFINE_integer("steps", 0, "Budget in steps instead of minutes.", 0)
flags.DEFINE_integer("width", 256, "Width of the convolutions.", 4)
flags.DEFINE_integer("depth", 4, "Convolution blocks of the reader.", 1)
flags.DEFINE_integer("slots", 24, "Patches of 4 tokens in the latent.", 4)
flags.DEFINE_integer("code", 10, "Latent numbers of a patch.", 1)
flags.DEFINE_integer("units", 384, "Units of the recurrent writer.", 4)
flags.DEFINE_float(
    "reconstruction", 0.6, "Reconstruction loss to hold, in nats a molecule.", 0
)
flags.DEFINE_integer("batch_size", 128, "Molecules a step.", 1)
flags.DEFINE_float("learning_rate", 1e-3, "Peak learning rate.", 0)
flags.DEFINE_string("precision", "mixed_bfloat16", "Keras dtype policy.")
flags.DEFINE_integer("steps_per_epoch", 200, "Steps between checkpoints.", 1)
flags.DEFINE_bool(
    "tensorboard", False, "Logs for TensorBoard (pip install it)."
)
flags.DEFINE_string(
    "licence", "Apache-2.0", "Licence of the weights, for the card."
)
flags.DEFINE_integer("seed", 0, "Seed of weights, batches and draws.", 0)

FREE = ("minutes", "steps", "reconstruction", "tensorboard", "licence")


def shown(value: object) -> object:
    """A flag as the card shows it: files without their folders."""
    if isinstance(value, list):
        return ",".join(str(shown(one)) for one in value)
    return pathlib.Path(value).name if isinstance(value, str) else value


def described(paths: list[str], held_out: list[str]) -> dict:
    from reprogram import files
    from reprogram.sources.pretraining import corpus

    relevant = FLAGS.get_flags_for_module(sys.modules[__name__])
    relevant = [flag for flag in relevant if flag.name != "output_dir"]
    given = [f"--{f.name}={shown(f.value)}" for f in relevant if f.present]
    return {
        "command": shlex.join(
            ["python", "-m", "reprogram.scripts.pretrain", *given]
        ),
        "flags": {flag.name: shown(flag.value) for flag in relevant},
        "versions": files.versions(),
        "files": corpus.count(paths),
        "held_out": corpus.count(held_out),
        "test_file": shown(FLAGS.test),
        "licence": FLAGS.licence,
    }


def trained(folder: pathlib.Path, corpus: "Corpus") -> tuple:
    import keras

    from reprogram.sources.molecular import networks
    from reprogram.sources.pretraining import training as pretraining
    from reprogram.sources.pretraining.batches import Batches

    keras.utils.set_random_seed(FLAGS.seed)
    keras.config.set_dtype_policy(FLAGS.precision)
    outputs = corpus.targets.shape[1]
    sizes = {"vocabulary_size": corpus.tokenizer.size, "outputs": outputs}
    for name in ("width", "depth", "slots", "code", "units"):
        sizes[name] = FLAGS[name].value
    parts = networks.parts(**sizes)
    model = pretraining.pretraining_model(parts)
    schedule = FLAGS.steps_per_epoch, FLAGS.batch_size, FLAGS.seed
    data = Batches(corpus, networks.PATCH * FLAGS.slots, *schedule)
    limits = FLAGS.minutes, FLAGS.learning_rate, FLAGS.steps
    budget = pretraining.Budget(folder / "state.json", *limits)
    layer = model.get_layer("posterior")
    callbacks = [pretraining.Balance(layer, FLAGS.reconstruction)]
    if FLAGS.tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(folder / "tensorboard"))
    state = pretraining.train(model, data, budget, folder, callbacks)
    return parts, sizes, data, state


def main(_: list[str]) -> None:
    from reprogram import files as resume
    from reprogram.sources.molecular import files
    from reprogram.sources.pretraining import card
    from reprogram.sources.pretraining import corpus
    from reprogram.sources.pretraining import evaluation

    folder = pathlib.Path(FLAGS.output_dir)
    paths = corpus.rdkit_files() * FLAGS.rdkit_sets + FLAGS.smiles
    held_out = FLAGS.exclude + [FLAGS.test] * bool(FLAGS.test)
    facts = described(paths, held_out)
    counts = {name: facts[name] for name in ("files", "held_out")}
    resume.claim(folder, facts["flags"] | counts, FREE)
    made = corpus.prepare(folder, paths, held_out, 4 * FLAGS.slots)
    parts, sizes, data, state = trained(folder, made)
    source = folder / "source"
    files.save(source, parts, sizes, made.tokenizer, made.scale)
    facts |= card.training(source, data, state)
    if FLAGS.test:
        facts |= evaluation.measure(source, corpus.read_smiles(FLAGS.test))
    card.write(source, facts)
    print((source / "CARD.md").read_text())


if __name__ == "__main__":
    errors.run(main)
