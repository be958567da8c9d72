"""What frozen sources say about molecules."""

import functools
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from reprogram.parallel import map_chunks

BATCH = 256


# One pass gives both, and both are asked for one after the other.
@functools.lru_cache(2)
def read_layers(
    smiles: tuple[str, ...], source: str, jobs: int = 1, random: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Reads molecules with a frozen source, in their standard form.

    Args:
        smiles: Valid SMILES strings.
        source: What `sources.load` takes: a source of molecules, one of text
            that reads SMILES, or one of images, which sees their drawings.
        jobs: Processes that bring the SMILES into their standard form.
        random: How many random SMILES of each molecule are read; the mean is
            taken. 0 for the canonical one alone.

    Returns:
        The output of the layer before the head, and the answers, such as the
        descriptors that it estimates: float32 arrays `(molecules, features)`,
        NaN for a molecule that the source cannot read.

    Raises:
        ValueError: If the source reads neither molecules, text nor images.

    Example:
    >>> [part.shape for part in read_layers(("CCO",), "zinc-autoencoder")]
    [(1, 768), (1, 199)]
    """
    from reprogram.molecules.smiles import read

    model, preprocess, explain = _reader(source)
    parts = map_chunks(read, smiles, jobs)
    rows = [row for part, _ in parts for row in part]
    good = [i for i, row in enumerate(rows) if row and not explain(row)]
    # Strings of like length together need little padding.
    good.sort(key=lambda i: len(rows[i]))
    sizes = [int(np.prod(out.shape[1:])) for out in model.outputs]
    found = [np.full((len(rows), n), np.nan, "float32") for n in sizes]
    for start in range(0, len(good), BATCH):
        part = good[start : start + BATCH]
        texts = _written([rows[i] for i in part], random, explain)
        values = [model.predict_on_batch(preprocess(text)) for text in texts]
        for table, layer in zip(found, zip(*values), strict=True):
            mean = np.mean(layer, axis=0)
            table[part] = mean.reshape(len(part), -1)
    return found[0], found[-1]


def _written(
    rows: Sequence[str], random: int, explain: Callable[[str], str]
) -> list[np.ndarray]:
    """Writes molecules in so many ways that a source reads."""
    from reprogram.molecules.smiles import randomize

    canonical = np.array(rows, object)
    found = []
    for seed in range(random):
        other = np.array([randomize(row, seed) for row in rows], object)
        fits = np.array([not explain(row) for row in other])
        found.append(np.where(fits, other, canonical))
    return found or [canonical]


@functools.lru_cache(4)
def _reader(source: str) -> tuple:
    import keras

    from reprogram import sources
    from reprogram.sources.slicing import slice_source

    found = sources.load(source)
    if found.modality not in ("molecule", "token", "image"):
        raise ValueError(
            f"The source {source!r} reads {found.modality} inputs. Choose one"
            " of molecules, of text or of images."
        )
    preprocess = found.preprocess
    if found.modality == "image":
        preprocess = functools.partial(_drawn, found)
    _, features = slice_source(found.model, None, found.feature_layer)
    outputs = [features.outputs[0], found.model.outputs[0]]
    both = keras.Model(found.model.inputs, outputs)
    return both, preprocess, found.explain or (lambda row: "")


def _drawn(source: object, smiles: Sequence[str]) -> np.ndarray:
    shape = source.model.inputs[0].shape[1:3]
    height, width = (size or 224 for size in shape)
    return source.preprocess(draw(smiles, (height, width)))


def draw(smiles: Sequence[str], size: tuple[int, int]) -> np.ndarray:
    """Draws molecules as chemists do.

    Args:
        smiles: Valid SMILES strings.
        size: Height and width in pixels.

    Returns:
        RGB images `(molecules, height, width, 3)` with values from 0 to 255.

    Example:
    >>> draw(["CCO"], (64, 64)).shape
    (1, 64, 64, 3)
    """
    from rdkit.Chem import Draw

    from reprogram.molecules.smiles import parse

    side = max(*size, 64)
    images = [Draw.MolToImage(parse(row), (side, side)) for row in smiles]
    images = [image.convert("RGB").resize(size[::-1]) for image in images]
    return np.stack([np.asarray(image, "float32") for image in images])
