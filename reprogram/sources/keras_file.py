"""A source from a `.keras` file of the user."""

import functools
import json
import pathlib
import re
import zipfile
from typing import Any

import keras
import numpy as np

from reprogram import series as lengths
from reprogram.sources import detail
from reprogram.sources.images import fit_images
from reprogram.sources.images import shifted
from reprogram.sources.source import Source

FIELDS = {
    "modality",
    "input_range",
    "class_names",
    "input_layer",
    "feature_layer",
    "licence",
    "citation",
}
MODALITIES = ("image", "series", "token")


def load(path: str) -> Source:
    """Loads a `.keras` file, without running code that came with it.

    The modality follows from the input: rank 4 is an image, integers of rank
    2 are tokens, numbers of rank 2 or 3 are series. A file `<path>.json`
    beside it, if there is one, overrides this and tells the rest: an object
    with any of modality, input_range, class_names, input_layer,
    feature_layer, licence, citation. The feature layer of images is that of
    `detail.layer` where the file names none.

    The preprocessing brings images to the size and color of the input, and
    maps [0, 255] to `input_range` when that is given. Everything else passes
    as it is: series and token ids must be what the model was trained on.

    Args:
        path: Path of the `.keras` file.

    Returns:
        The source; see `reprogram.sources.load`.

    Raises:
        ValueError: If the file is missing, damaged or no Keras model; if the
            model has `Lambda` or unregistered layers, or not one input and
            one output; or if the JSON file does not fit the model.

    Example:
    >>> import tempfile
    >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/mine.keras")
    ...     source = load(f"{folder}/mine.keras")
    >>> source.name, source.modality
    ('mine', 'series')
    """
    file = pathlib.Path(path)
    _check_archive(file)
    try:
        model = keras.saving.load_model(file, compile=False, safe_mode=True)
    except Exception as error:
        raise ValueError(f"{file} cannot be loaded. {_cure(error)}") from error
    _check_model(file, model)
    about = _about(file, model)
    modality = about.get("modality") or _modality(file, model)
    input_range = about.get("input_range")
    # What a model of series was trained with behind their ends is not known.
    preprocess, inner = lengths.filled, None
    if modality == "image":
        inner = detail.layer(model)
        preprocess = functools.partial(
            _image_inputs, model.input_shape, input_range
        )
    return Source(
        model=model,
        name=file.stem,
        modality=modality,
        preprocess=preprocess,
        input_range=(float(input_range[0]), float(input_range[1]))
        if input_range
        else None,
        class_names=tuple(about.get("class_names", ())),
        input_layer=about.get("input_layer"),
        feature_layer=about.get("feature_layer") or inner,
        licence=about.get("licence", "not stated"),
        citation=about.get("citation", "not stated"),
        augment=shifted if modality == "image" else None,
    )


def _image_inputs(
    input_shape: tuple, input_range: list | None, images: np.ndarray
) -> np.ndarray:
    fitted = fit_images(images, *input_shape[1:])
    if input_range is None:
        return fitted
    low, high = input_range
    return (low + fitted / 255 * (high - low)).astype("float32")


def _check_archive(file: pathlib.Path) -> None:
    if not file.is_file():
        raise ValueError(
            f"There is no file {file}. Expected the path of a model written by"
            " `model.save('name.keras')`; the folder searched is"
            f" {file.parent.absolute()}."
        )
    if not zipfile.is_zipfile(file):
        raise ValueError(
            f"{file} ({file.stat().st_size} bytes) is damaged or not a Keras"
            " model: expected a whole zip archive. Copy it again; a model in"
            " another format, such as HDF5, must be loaded with the Keras that"
            " wrote it and saved with `model.save('name.keras')`."
        )
    try:
        with zipfile.ZipFile(file) as archive:
            names, damaged = archive.namelist(), archive.testzip()
    except (zipfile.BadZipFile, RuntimeError, OSError) as error:
        names, damaged = ["config.json"], str(error)
    if damaged:
        raise ValueError(f"{file} is damaged ({damaged}). Copy it again.")
    if "config.json" not in names or "metadata.json" not in names:
        raise ValueError(
            f"{file} is a zip archive but not a Keras model: it holds"
            f" {', '.join(sorted(names)[:5]) or 'nothing'}; expected"
            " config.json, metadata.json and the weights. Write it with"
            " `model.save('name.keras')`."
        )


def _cure(error: Exception) -> str:
    message = str(error)
    if "`Lambda` layer" in message or "Lambda" in message.split("\n")[0]:
        return (
            "It has a `Lambda` layer, which would run code from the file."
            " Replace the layer by a registered one, such as"
            " `keras.layers.Rescaling`, and save the model again."
        )
    found = re.search(r"Could not locate (?:class|function) '([^']+)'", message)
    if found:
        return (
            f"It uses {found[1]!r}, which is not registered. Decorate the"
            " definition with `@keras.saving.register_keras_serializable()`,"
            " save the model again, and import the definition before loading."
        )
    return (
        f"Keras {keras.__version__} says: {message.strip().splitlines()[0]}"
        " Save it again with this version of Keras."
    )


def _check_model(file: pathlib.Path, model: Any) -> None:
    inputs = getattr(model, "inputs", None) or []
    outputs = getattr(model, "outputs", None) or []
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(
            f"{file} must hold a model with one input and one output."
            f" Received: {type(model).__name__} with {len(inputs)} inputs and"
            f" {len(outputs)} outputs. Wrap it:"
            " `keras.Model(one_input, one_output).save('name.keras')`."
        )


def _about(file: pathlib.Path, model: keras.Model) -> dict[str, Any]:
    sidecar = file.with_name(file.name + ".json")
    if not sidecar.is_file():
        return {}
    try:
        about = json.loads(sidecar.read_text())
    except ValueError as error:
        raise ValueError(f"{sidecar} is not JSON: {error}.") from error
    if not isinstance(about, dict) or not FIELDS.issuperset(about):
        raise ValueError(
            f"{sidecar} must be an object with any of"
            f" {', '.join(sorted(FIELDS))}. Received:"
            f" {json.dumps(about)[:200]}."
        )
    for field, (holds, expected) in _expectations(about, model).items():
        if about.get(field) is not None and not holds:
            raise ValueError(
                f"`{field}` in {sidecar} must be {expected}."
                f" Received: {about[field]!r}."
            )
    return {key: value for key, value in about.items() if value is not None}


def _expectations(
    about: dict[str, Any], model: keras.Model
) -> dict[str, tuple[bool, str]]:
    layers = [layer.name for layer in model.layers]
    outputs = model.output_shape[-1]
    names = about.get("class_names")
    named = isinstance(names, list) and len(names) == outputs
    a_layer = f"a layer of the model: {', '.join(layers)}"
    return {
        "modality": (
            about.get("modality") in MODALITIES,
            f"one of {', '.join(MODALITIES)}",
        ),
        "input_range": (
            _increasing(about.get("input_range")),
            "two numbers, the smaller first",
        ),
        "class_names": (named, f"a list of {outputs} names"),
        "input_layer": (about.get("input_layer") in layers, a_layer),
        "feature_layer": (about.get("feature_layer") in layers, a_layer),
    }


def _increasing(span: object) -> bool:
    if not isinstance(span, list) or len(span) != 2:
        return False
    numbers = all(isinstance(bound, int | float) for bound in span)
    return numbers and span[0] < span[1]


def _modality(file: pathlib.Path, model: keras.Model) -> str:
    rank = len(model.input_shape)
    integer = "int" in keras.backend.standardize_dtype(model.inputs[0].dtype)
    if rank == 4:
        return "image"
    if rank == 2 and integer:
        return "token"
    if rank in (2, 3) and not integer:
        return "series"
    raise ValueError(
        f"The modality of {file} cannot be guessed from its input of shape"
        f" {model.input_shape} and type {model.inputs[0].dtype}. Write it into"
        f' {file.name}.json beside it: {{"modality": "image"}}, or "series",'
        ' or "token".'
    )
