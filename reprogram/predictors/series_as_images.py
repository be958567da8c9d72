"""Image sources that read series: as pictures of them."""

import dataclasses
import functools

import numpy as np
from keras import ops

from reprogram.sources import Source
from reprogram.transforms.rendering import Rendering

BATCH = 64


def reader(source: Source, modality: str, view: str = "line") -> Source:
    """Makes a source of images read series, and leaves others as they are.

    Args:
        source: Frozen source of any modality.
        modality: Modality of the data.
        view: Kind of picture of a series, see `Rendering`.

    Returns:
        The source; where it reads images and the data are series, its
        preprocessing draws raw series `(batch, length, channels)` into the
        source's range of values.

    Raises:
        ValueError: If such a source reads images of any size.

    Example:
    >>> from reprogram import sources
    >>> source = reader(sources.load("shapes"), "series")
    >>> source.preprocess(np.random.rand(2, 50, 1)).shape
    (2, 32, 32, 1)
    """
    if (source.modality, modality) != ("image", "series"):
        return source
    shape = tuple(source.model.inputs[0].shape[1:])
    if None in shape:
        raise ValueError(
            f"The source {source.name!r} reads images of any size, {shape}:"
            " there is no size to draw series in. Choose another source."
        )
    picture = Rendering(
        shape, view, value_range=source.input_range or (-1.0, 1.0)
    )
    draw = functools.partial(_draw, picture)
    return dataclasses.replace(source, preprocess=draw, augment=None)


def _draw(picture: Rendering, series: np.ndarray) -> np.ndarray:
    starts = range(0, len(series), BATCH)
    drawn = [picture(ops.array(series[i : i + BATCH])) for i in starts]
    return np.concatenate([ops.convert_to_numpy(part) for part in drawn])
