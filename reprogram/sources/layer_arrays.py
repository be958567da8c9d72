"""Weights of a model in an `.npz` file: `<layer name>/<index>` each."""

import pathlib
import zipfile
from collections.abc import Mapping

import keras
import numpy as np


def read(path: str | pathlib.Path) -> dict[str, np.ndarray]:
    """Reads the arrays of a file, without running code from it.

    Args:
        path: Path of an `.npz` file.

    Returns:
        The arrays by their names.

    Raises:
        ValueError: If the file is missing, damaged or not of numbers.
    """
    file = pathlib.Path(path)
    if not file.is_file():
        raise ValueError(
            f"There is no file {file}. Expected the path of an `.npz` file;"
            f" the folder searched is {file.parent.absolute()}."
        )
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{file} ({file.stat().st_size} bytes) is damaged or no `.npz`"
            f" archive of numbers: {error}. Copy it again."
        ) from error


def check(
    file: pathlib.Path,
    arrays: Mapping[str, np.ndarray],
    ranks: Mapping[str, tuple[int, ...]],
    what: str,
) -> None:
    """Raises an error if a file belongs to another model.

    Args:
        file: Path of the file that held the arrays.
        arrays: Arrays by name, as `read` returns them.
        ranks: Ranks of the weights of each layer.
        what: Name of the model for error messages.

    Raises:
        ValueError: If an array is missing, unknown or of another rank.
    """
    expected = {
        f"{name}/{index}": rank
        for name, layer in ranks.items()
        for index, rank in enumerate(layer)
    }
    received = {key: value.ndim for key, value in arrays.items()}
    if received == expected:
        return
    wrong = dict(received.items() ^ expected.items())
    raise ValueError(
        f"{file} does not hold the {what}. Expected {len(expected)} arrays"
        f" {', '.join(list(expected)[:3])}, ..., {list(expected)[-1]}."
        f" Missing, unknown or of another rank: {', '.join(sorted(wrong)[:8])}."
        " Save another model with `model.save('name.keras')` and pass that"
        " file."
    )


def fill(
    file: pathlib.Path,
    model: keras.Model,
    arrays: Mapping[str, np.ndarray],
    ranks: Mapping[str, tuple[int, ...]],
) -> None:
    """Sets the weights of the layers named in `ranks`.

    Raises:
        ValueError: If the shapes of the layers do not fit together.
    """
    for name, weights in ranks.items():
        layer = model.get_layer(name)
        values = [arrays[f"{name}/{index}"] for index in range(len(weights))]
        expected = [tuple(weight.shape) for weight in layer.weights]
        received = [value.shape for value in values]
        if received != expected:
            raise ValueError(
                f"The layers in {file} do not fit together: {name!r} has"
                f" weights of shapes {received}, expected {expected} behind the"
                " layer before. Write the file again."
            )
        layer.set_weights(values)
