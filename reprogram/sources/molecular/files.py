"""The molecular source that ships with the project."""

import dataclasses
import hashlib
import io
import json
import pathlib
from collections.abc import Sequence

import keras
import numpy as np

from reprogram.molecules.featurizers import DESCRIPTOR_NAMES
from reprogram.molecules.smiles import randomize
from reprogram.molecules.tokenizer import TOKEN
from reprogram.molecules.tokenizer import Tokenizer
from reprogram.sources.molecular import networks
from reprogram.sources.molecular.decoding import Decode
from reprogram.sources.molecular.source import MolecularSource

WEIGHTS = pathlib.Path(__file__).parent.parent / "weights"


def save(
    folder: pathlib.Path,
    parts: Sequence[keras.Model | keras.layers.Layer],
    sizes: dict[str, int],
    tokenizer: Tokenizer,
    scale: dict[str, np.ndarray],
) -> None:
    """Writes a source: `config.json` and float16 `weights.npz`.

    Args:
        folder: Path of the folder to write into; created if missing.
        parts: Reader, expander and writer, as returned by `networks.parts`.
        sizes: Arguments of `networks.parts` by name.
        tokenizer: Tokenizer that makes the token ids the parts read.
        scale: Descriptor scale, see `corpus.descriptor_scale`.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    values = [value for part in parts for value in part.get_weights()]
    weights = {f"{i:03d}": v.astype("float16") for i, v in enumerate(values)}
    np.savez_compressed(folder / "weights.npz", **weights)
    content = (folder / "weights.npz").read_bytes()
    numbers = ("low", "high", "mean", "std")
    config = {
        "sizes": sizes,
        "tokenizer": tokenizer.get_config(),
        "descriptors": [DESCRIPTOR_NAMES[i] for i in scale["columns"]],
        "scale": {key: [float(v) for v in scale[key]] for key in numbers},
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    (folder / "config.json").write_text(json.dumps(config))


def restore(folder: pathlib.Path) -> tuple[tuple, Tokenizer, dict]:
    """Reads what `save` wrote.

    Args:
        folder: Path of the folder with `config.json` and `weights.npz`.

    Returns:
        The parts in float32, their tokenizer, and the configuration.

    Raises:
        ValueError: If a file is missing or the weights are damaged.
    """
    folder = pathlib.Path(folder)
    for name in ("config.json", "weights.npz"):
        if not (folder / name).is_file():
            raise ValueError(
                f"No {name} in {folder}. Expected a folder that"
                " scripts/pretrain.py wrote."
            )
    config = json.loads((folder / "config.json").read_text())
    content = (folder / "weights.npz").read_bytes()
    if hashlib.sha256(content).hexdigest() != config["sha256"]:
        raise ValueError(
            f"{folder / 'weights.npz'} is damaged: its checksum differs from"
            " config.json. Install the package again."
        )
    with np.load(io.BytesIO(content)) as arrays:
        weights = {key: arrays[key].astype("float32") for key in arrays}
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        parts = networks.parts(**config["sizes"])
    finally:
        keras.config.set_dtype_policy(policy)
    values = [weights[key] for key in sorted(weights)]
    for part in parts:
        part.set_weights(values[: len(part.weights)])
        values = values[len(part.weights) :]
    return parts, Tokenizer(**config["tokenizer"]), config


def scale(config: dict) -> dict[str, np.ndarray]:
    """Reads the descriptor scale, see `corpus.descriptor_scale`.

    Args:
        config: Configuration, as returned by `restore`.

    Returns:
        `columns`, `low`, `high`, `mean` and `std` of the descriptors.
    """
    columns = [DESCRIPTOR_NAMES.index(name) for name in config["descriptors"]]
    numbers = {key: np.array(row) for key, row in config["scale"].items()}
    return {"columns": np.array(columns), **numbers}


def zinc_autoencoder() -> MolecularSource:
    """Loads the source that ships with the project.

    Returns:
        A source that reads standardized SMILES.

    Raises:
        ValueError: If its files are missing or damaged.
    """
    return dataclasses.replace(
        load(WEIGHTS / "zinc-autoencoder", "zinc-autoencoder"),
        licence="Apache-2.0",
        citation="reprogram, 2026; pretrained on ZINC-250k, NCI and WEHI",
    )


def load(folder: pathlib.Path, name: str) -> MolecularSource:
    """Loads a source that `scripts/pretrain.py` wrote.

    Args:
        folder: Path of the folder with `config.json` and `weights.npz`.
        name: Name of the source.

    Returns:
        A source that reads standardized SMILES; the outputs of its `model`
        are standardized RDKit descriptors.

    Raises:
        ValueError: If a file is missing or damaged.
    """
    parts, tokenizer, config = restore(folder)
    reader, expander, writer = parts
    for part in parts:
        part.trainable = False
    descriptors, latents, _ = reader.outputs

    def preprocess(smiles: np.ndarray) -> np.ndarray:
        rows = [str(row) for row in smiles]
        longest = max((len(TOKEN.findall(row)) for row in rows), default=1)
        length = min(-(-longest // 16) * 16, tokenizer.max_length)
        return tokenizer(rows, max(length, longest))

    def augment(smiles: np.ndarray, seed: int) -> np.ndarray:
        written = [randomize(str(row), seed) for row in smiles]
        readable = [not tokenizer.explain(row) for row in written]
        return np.where(readable, np.array(written, object), smiles)

    decoder = Decode(writer, name="decode")(expander.output)
    return MolecularSource(
        model=keras.Model(reader.input, descriptors, name="describe"),
        name=name,
        modality="molecule",
        preprocess=preprocess,
        class_names=tuple(config["descriptors"]),
        input_layer="embeddings",
        program_layer="sequence",
        feature_layer="hidden",
        transform="gain",
        explain=tokenizer.explain,
        augment=augment,
        tokenizer=tokenizer,
        encoder=keras.Model(reader.input, latents, name="encode"),
        decoder=keras.Model(expander.input, decoder, name="decode"),
        language=networks.language(writer),
        reader=reader,
        expander=expander,
        writer=writer,
        scale=scale(config),
    )
