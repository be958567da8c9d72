"""Which layer of an image model keeps the detail that other images need."""

import keras

from reprogram.sources.slicing import crossing


def layer(model: keras.Model) -> str | None:
    """Names the last layer before an image model last halves its feature map.

    Later layers are specific to the classes of the source. With the means of
    four quarters of this map a linear head on 100 labels is better than with
    the global mean of the last one: 0.79 instead of 0.61 of the way from chance
    to perfect, cross-validated, mean over two MobileNets and three tasks
    (`python -m benchmarks.features`).

    Args:
        model: Keras model of images.

    Returns:
        The name of a nonlinearity, sum or concatenation that all data pass
        through; `None` where there is none, as in transformers.

    Example:
    >>> fine = keras.layers.Conv2D(4, 3, 2, "same", activation="relu")
    >>> coarse = keras.layers.Conv2D(8, 3, 2, "same")
    >>> model = keras.Sequential([keras.Input((8, 8, 1)), fine, coarse])
    >>> layer(model) == fine.name
    True

    Reference: Yosinski et al., How transferable are features in deep neural
    networks?, 2014.
    """
    if not getattr(model, "inputs", None) or len(model.outputs) != 1:
        return None
    sizes = {one.name: _size(one) for one in model.layers}
    maps = [size for size in sizes.values() if size > 1]
    for one in reversed(model.layers):
        larger = maps and sizes[one.name] > maps[-1]
        if larger and _rich(one) and _whole(one, model):
            return one.name
    return None


def _size(one: keras.layers.Layer) -> int:
    """The shorter side of a layer's map, 0 where it has none."""
    shape = getattr(getattr(one, "output", None), "shape", ())
    sides = shape[1:-1] if len(shape) == 4 else (None,)
    return 0 if None in sides else min(sides)


def _rich(one: keras.layers.Layer) -> bool:
    """Whether a layer ends a block of the network."""
    layers = keras.layers
    kinds = (layers.ReLU, layers.LeakyReLU, layers.ELU)
    linear = (None, keras.activations.linear)
    return (
        isinstance(one, (*kinds, layers.Add, layers.Concatenate))
        or getattr(one, "activation", None) not in linear
    )


def _whole(one: keras.layers.Layer, model: keras.Model) -> bool:
    try:
        return not crossing(one.output, model.outputs[0])
    except ValueError:  # It is no part of the way to the answers.
        return False
