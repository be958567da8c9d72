"""The molecular source that ships with the project."""

import dataclasses
import hashlib
import io
import json
import pathlib

import keras
import numpy as np

from reprogram.molecules.featurizers import DESCRIPTOR_NAMES
from reprogram.molecules.smiles import randomize
from reprogram.molecules.tokenizer import TOKEN
from reprogram.molecules.tokenizer import Tokenizer
from reprogram.sources import Source
from reprogram.sources.smiles_encoder import smiles_encoder

WEIGHTS = pathlib.Path(__file__).parent / "weights"


def save(
    folder: pathlib.Path,
    encoder: keras.Model,
    sizes: dict[str, int],
    tokenizer: Tokenizer,
    scale: dict[str, np.ndarray],
) -> None:
    """Writes an encoder: `config.json` and float16 `weights.npz`.

    Args:
        folder: Where to write; made if missing.
        encoder: A model made by `smiles_encoder`.
        sizes: The arguments that made it.
        tokenizer: Its tokenizer.
        scale: The descriptor scale, see `corpus.descriptor_scale`.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        f"{i:03d}": value.astype("float16")
        for i, value in enumerate(encoder.get_weights())
    }
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


def restore(folder: pathlib.Path) -> tuple[keras.Model, Tokenizer, dict]:
    """Reads what `save` wrote.

    Args:
        folder: The folder with `config.json` and `weights.npz`.

    Returns:
        The encoder in float32, its tokenizer, and the configuration.

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
        weights = [arrays[key].astype("float32") for key in sorted(arrays)]
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        encoder = smiles_encoder(**config["sizes"])
    finally:
        keras.config.set_dtype_policy(policy)
    encoder.set_weights(weights)
    return encoder, Tokenizer(**config["tokenizer"]), config


def scale(config: dict) -> dict[str, np.ndarray]:
    """Reads the descriptor scale, see `corpus.descriptor_scale`.

    Args:
        config: What `restore` returns last.

    Returns:
        `columns`, `low`, `high`, `mean` and `std` of the descriptors.
    """
    columns = [DESCRIPTOR_NAMES.index(name) for name in config["descriptors"]]
    numbers = {key: np.array(row) for key, row in config["scale"].items()}
    return {"columns": np.array(columns), **numbers}


def zinc_encoder() -> Source:
    """Loads the encoder that ships with the project.

    Returns:
        A source that reads standardized SMILES.

    Raises:
        ValueError: If its files are missing or damaged.
    """
    return dataclasses.replace(
        load(WEIGHTS / "zinc-encoder", "zinc-encoder"),
        licence="Apache-2.0",
        citation="reprogram, 2026; pretrained on ZINC-250k, NCI and WEHI",
    )


def load(folder: pathlib.Path, name: str) -> Source:
    """Loads an encoder that `scripts/pretrain.py` wrote.

    Args:
        folder: The folder with `config.json` and `weights.npz`.
        name: Name of the source.

    Returns:
        A source that reads standardized SMILES; its outputs are standardized
        RDKit descriptors.

    Raises:
        ValueError: If a file is missing or damaged.
    """
    encoder, tokenizer, config = restore(folder)

    def preprocess(smiles: np.ndarray) -> np.ndarray:
        rows = [str(row) for row in smiles]
        longest = max((len(TOKEN.findall(row)) for row in rows), default=1)
        length = min(-(-longest // 16) * 16, tokenizer.max_length)
        return tokenizer(rows, max(length, longest))

    def augment(smiles: np.ndarray, seed: int) -> np.ndarray:
        written = [randomize(str(row), seed) for row in smiles]
        readable = [not tokenizer.explain(row) for row in written]
        return np.where(readable, np.array(written, object), smiles)

    return Source(
        model=encoder,
        name=name,
        modality="molecule",
        preprocess=preprocess,
        class_names=tuple(config["descriptors"]),
        input_layer="embeddings",
        feature_layer="features",
        explain=tokenizer.explain,
        augment=augment,
    )
