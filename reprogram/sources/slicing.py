"""The layers at which a program enters a frozen source and is read."""

import math
from typing import Any

import keras
from keras import ops

PARTS = 4


def slice_source(
    source: keras.Model, input_layer: str | None, feature_layer: str | None
) -> tuple[keras.Model | None, keras.Model]:
    """Cuts the source where the program enters and where it is read.

    Args:
        source: Keras model to cut.
        input_layer: Name of the layer behind which the program enters, if any.
        feature_layer: Name of the layer to read instead of the output, if any.

    Returns:
        A model that gives what the transform receives and the masks of it
        that later layers read, `None` if the program enters at the input; and
        a model that takes the same and gives the outputs.

    Raises:
        ValueError: If there is no such layer, or no way through it.
    """
    outlet = None
    if feature_layer:
        outlet = _features(_layer(source, feature_layer).output)
    if input_layer is None:
        if outlet is None:
            return None, source
        return None, keras.Model(_only(source.inputs, source), outlet)
    inlet = _layer(source, input_layer).output
    outlet = source.outputs[0] if outlet is None else outlet
    masks = crossing(inlet, outlet)
    if any(tuple(mask.shape) != tuple(inlet.shape[:2]) for mask in masks):
        raise ValueError(
            f"The source {source.name!r} cannot be entered behind"
            f" {input_layer!r}: later layers also read"
            f" {[mask.name for mask in masks]}. Choose a layer that all data"
            " pass through."
        )
    own = getattr(inlet, "_keras_mask", None)
    if masks and not any(mask is own for mask in masks):
        # A source loaded from disk computes its mask twice, by one name.
        own = masks[0]
    others = [mask for mask in masks if mask is not own]
    inlets = [inlet, *([] if own is None else [own]), *others]
    start = _only(source.inputs, source)
    read = keras.Model(inlets, outlet)
    read.supports_masking = True  # or Keras warns that the mask is lost
    return keras.Model(start, inlets), read


def _features(outlet: keras.KerasTensor) -> keras.KerasTensor:
    """Makes features of a layer's output that a linear head can read.

    Axes of size 1, which MobileNet keeps behind its pooling, are dropped. The
    map of an image gives the means of its quarters, which keep positions. A
    long sequence gives the means of `PARTS` parts of it and the distribution of
    each feature over all, as brief events are lost in a mean.
    """
    shape = tuple(outlet.shape)
    inner = shape[1:-1]
    if inner and all(size == 1 for size in inner):
        return keras.layers.Flatten()(outlet)
    if len(inner) == 2 and None not in inner:
        halves = [math.ceil(size / 2) for size in inner]
        pooled = keras.layers.AveragePooling2D(halves, padding="same")(outlet)
        return keras.layers.Flatten()(pooled)
    if len(inner) == 1 and inner[0] and inner[0] > PARTS:
        size = math.ceil(inner[0] / PARTS)
        pooled = keras.layers.AveragePooling1D(size, padding="same")(outlet)
        parts = keras.layers.Flatten()(pooled)
        ends = [ops.max(outlet, axis=1), ops.min(outlet, axis=1)]
        spread = ops.sqrt(ops.var(outlet, axis=1) + keras.config.epsilon())
        share = ops.mean(ops.cast(outlet > 0, outlet.dtype), axis=1)
        return ops.concatenate([parts, *ends, spread, share], axis=-1)
    return outlet


def _only(tensors: list, source: keras.Model) -> Any:
    return tensors[0] if len(tensors) == 1 else source.input


def crossing(
    inlet: keras.KerasTensor, outlet: keras.KerasTensor
) -> list[keras.KerasTensor]:
    """Finds the tensors that bypass `inlet` on the way to `outlet`.

    Raises:
        ValueError: If `outlet` does not depend on `inlet`.
    """
    behind = {id(inlet): True}
    bypassing: dict[int, keras.KerasTensor] = {}

    def parents(tensor: keras.KerasTensor) -> list:
        operation, index, _ = tensor._keras_history
        return operation._inbound_nodes[index].input_tensors

    def is_behind(tensor: keras.KerasTensor) -> bool:
        if id(tensor) not in behind:
            before = [is_behind(parent) for parent in parents(tensor)]
            behind[id(tensor)] = any(before)
            if any(before):
                bypassing.update(
                    (id(parent), parent)
                    for parent, yes in zip(parents(tensor), before)
                    if not yes
                )
        return behind[id(tensor)]

    if not is_behind(outlet):
        raise ValueError(
            "The layer to read does not depend on the layer to enter. Choose"
            " a `feature_layer` behind `input_layer`."
        )
    return list(bypassing.values())


def entered(enter: keras.Model, inputs: Any) -> list:
    """Returns the input of the transform, and its masks."""
    # Keras gives a tensor instead of a list where there is no mask.
    return keras.tree.flatten(enter(inputs, training=False))


def answer(read: keras.Model, x: Any, masks: list) -> Any:
    """Returns the output of the source, run from the entered layer.

    Args:
        read: Second model that `slice_source` returns.
        x: Output of the input transform.
        masks: Masks `(batch, length)` of that output; the mask of the
            entered layer comes first.
    """
    # Attention finds its mask on the tensor, other layers among the inputs.
    on_tensor = [masks[0], *[None] * len(masks)] if masks else None
    inputs = [ops.copy(x), *masks]
    return ops.copy(read(inputs, training=False, mask=on_tensor))


def sounds(read: keras.Model, shape: tuple) -> int:
    """Counts how many inputs of the source a longer series can be cut into."""
    inputs = getattr(read, "inputs", None)
    expected = tuple(inputs[0].shape) if inputs else ()
    if len(expected) != 3 or len(shape) != 3 or not (expected[1] and shape[1]):
        return 1
    count, rest = divmod(shape[1], expected[1])
    return 1 if rest else max(1, count)


def heard(read: keras.Model, x: Any, together: bool) -> Any:
    """Returns the outputs for series that may be several times too long.

    Args:
        read: Second model that `slice_source` returns.
        x: Inputs `(batch, ...)`; a series several times as long as the source
            reads is cut into parts of that length.
        together: Whether the outputs of the parts are concatenated; if
            not, they are averaged.
    """
    count = sounds(read, tuple(x.shape))
    if count == 1:
        return read(x, training=False)
    parts = ops.reshape(x, (-1, x.shape[1] // count, x.shape[2]))
    answers = read(parts, training=False)
    answers = ops.reshape(answers, (-1, count, answers.shape[-1]))
    if not together:
        return ops.mean(answers, axis=1)
    return ops.reshape(answers, (-1, count * answers.shape[-1]))


def heard_shape(read: keras.Model, shape: tuple, together: bool) -> tuple:
    """Returns the shape of what `heard` returns."""
    count = sounds(read, shape)
    if count == 1:
        return read.compute_output_shape(shape)
    part = (shape[0], shape[1] // count, shape[2])
    width = read.compute_output_shape(part)[-1]
    return (shape[0], width * count if together else width)


def entered_shape(enter: keras.Model | None, shape: tuple) -> tuple:
    """Returns the shape that the transform receives."""
    return shape if enter is None else enter.compute_output_shape(shape)[0]


def answer_shape(
    enter: keras.Model | None,
    read: keras.Model,
    shape: tuple,
    together: bool = True,
) -> tuple:
    """Returns the shape of the source's outputs for a transformed batch."""
    if enter is None:
        return heard_shape(read, shape, together)
    masks = [shape[:-1]] * (len(read.inputs) - 1)
    return read.compute_output_shape([shape, *masks])


def _layer(source: keras.Model, name: str) -> keras.layers.Layer:
    names = [layer.name for layer in source.layers]
    if name not in names or not hasattr(source, "inputs"):
        raise ValueError(
            f"The source {source.name!r} has no layer {name!r} to enter or"
            f" read. Its layers: {', '.join(names)}. Only functional and"
            " sequential models can be read inside."
        )
    return source.get_layer(name)


def check_shape(
    source: keras.Model, transform: keras.layers.Layer, shape: tuple
) -> None:
    """Checks that the source can read what the transform gives.

    Raises:
        ValueError: If it cannot.
    """
    inputs = getattr(source, "inputs", None) or ()
    if not inputs or not isinstance(shape, tuple):
        return
    expected = tuple(inputs[0].shape)
    fits = len(shape) == len(expected) and all(
        a is None or b is None or a == b
        for a, b in zip(shape[1:], expected[1:])
    )
    if not fits and sounds(source, shape) == 1:
        raise ValueError(
            f"The transform {type(transform).__name__} gives shape {shape} and"
            f" the source reads {expected}. Choose a transform, or its"
            " arguments, so that the two agree."
        )
