"""Language models in the format of Hugging Face or KerasHub."""

import functools
import pathlib
import re
from types import ModuleType
from typing import Any

import numpy as np
from keras import ops

from reprogram.sources.source import Source
from reprogram.sources.text_encoder import text_encoder

LENGTH = 128
STEP = 16
READS = {"token_ids", "padding_mask", "segment_ids"}


def load(preset: str) -> Source:
    """Loads an encoder or decoder of text through KerasHub.

    The model maps token ids `(batch, length)` to the mean of the last hidden
    states over the tokens that are not padding, `(batch, width)`. The
    preprocessing turns strings `(batch,)` into at most 128 tokens each, with
    the start and end tokens of the preset, padded to the longest of them, in
    steps of 16; integers `(batch, length)` pass as
    they are, padded with the padding id of the tokenizer, or 0.

    Args:
        preset: Name `hf://...` or `kaggle://...`, or path of a folder with the
            files of a preset, including config.json.

    Returns:
        The source, without class names; a program can enter after
        "embeddings".

    Raises:
        ImportError: If KerasHub is not installed.
        ValueError: If the preset cannot be loaded or is no text model.
    """
    folder = None if "://" in preset else pathlib.Path(preset)
    if folder and not (folder / "config.json").is_file():
        names = sorted(file.name for file in folder.iterdir())
        raise ValueError(
            f"The folder {folder} is no preset: it has no config.json."
            " Expected a folder in the format of Hugging Face or KerasHub."
            f" Received: {', '.join(names[:5]) or 'an empty folder'}."
        )
    keras_hub = _keras_hub(preset)
    try:
        backbone = keras_hub.models.Backbone.from_preset(preset)
    except Exception as error:
        raise ValueError(_no_preset(preset, error)) from error
    reads = set(backbone.input) if isinstance(backbone.input, dict) else set()
    if not {"token_ids", "padding_mask"} <= reads <= READS:
        raise ValueError(
            f"The preset {preset!r} is a {type(backbone).__name__} that reads"
            f" {', '.join(sorted(reads)) or 'one unnamed input'}; expected a"
            " text model that reads token_ids and padding_mask. Save the part"
            " to reprogram with `model.save('name.keras')` and pass that file."
        )
    tokenizer = _tokenizer(keras_hub, preset)
    return Source(
        model=text_encoder(backbone, _pad(tokenizer)),
        name=folder.resolve().name if folder else preset,
        modality="token",
        preprocess=functools.partial(
            _token_ids,
            keras_hub,
            tokenizer,
            min(LENGTH, getattr(backbone, "max_sequence_length", LENGTH)),
        ),
        input_layer="embeddings",
        feature_layer="pooled",
        licence=_licence(folder),
        citation=f"see the model card of {preset}",
    )


def _keras_hub(preset: str) -> ModuleType:
    try:
        import keras_hub
    except ImportError as error:
        raise ImportError(
            f"The preset {preset!r} needs KerasHub, which cannot be imported"
            f" ({error}). Run `pip install reprogram[hub]`."
        ) from error
    return keras_hub


def _no_preset(preset: str, error: Exception) -> str:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return (
        f"KerasHub cannot load the preset {preset!r}: {reason} Expected"
        " 'hf://owner/name', 'kaggle://owner/model/keras/variation' or a folder"
        " with all files of one. Without internet, copy such a folder to this"
        " machine. A missing module is installed by `pip install"
        " reprogram[hub]`."
    )


def _tokenizer(keras_hub: ModuleType, preset: str) -> Any:
    try:
        return keras_hub.models.Tokenizer.from_preset(preset)
    except Exception:  # Token ids can still be given.
        return None


def _pad(tokenizer: Any) -> int:
    return getattr(tokenizer, "pad_token_id", None) or 0


def _token_ids(
    keras_hub: ModuleType, tokenizer: Any, length: int, batch: np.ndarray
) -> np.ndarray:
    batch = np.asarray(batch)
    if np.issubdtype(batch.dtype, np.integer):
        return batch.astype("int32")
    if tokenizer is None:
        raise ValueError(
            "The preset has no tokenizer that KerasHub reads, so strings"
            " cannot be used. Give integer token ids (batch, length)."
        )
    start = getattr(tokenizer, "cls_token_id", None)
    end = getattr(tokenizer, "sep_token_id", None)
    pack = keras_hub.layers.StartEndPacker(
        length,
        start_value=getattr(tokenizer, "start_token_id", start),
        end_value=getattr(tokenizer, "end_token_id", end),
        pad_value=_pad(tokenizer),
    )
    found = ops.convert_to_numpy(pack(tokenizer(batch.tolist())))
    longest = np.flatnonzero((found != _pad(tokenizer)).any(axis=0))
    # In steps, so that few lengths need a graph of their own.
    return found[:, : STEP * -(-(int(longest[-1]) + 1) // STEP)]


def _licence(folder: pathlib.Path | None) -> str:
    card = folder / "README.md" if folder else None
    if card is None or not card.is_file():
        return "not stated"
    found = re.search(r"^license:\s*(\S+)", card.read_text(), re.MULTILINE)
    return found[1] if found else "not stated"
