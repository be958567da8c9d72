"""The ImageNet models of `keras.applications`."""

import functools
import inspect
import sys
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from reprogram.sources import detail
from reprogram.sources.images import fit_images
from reprogram.sources.images import shifted
from reprogram.sources.source import Source

# Module of keras.applications: licence of the weights, citation.
ORIGINS = {
    "convnext": ("MIT", "Liu et al., A ConvNet for the 2020s, 2022."),
    "densenet": (
        "BSD-3-Clause",
        "Huang et al., Densely Connected Convolutional Networks, 2017.",
    ),
    "efficientnet": ("Apache-2.0", "Tan and Le, EfficientNet, 2019."),
    "efficientnet_v2": ("Apache-2.0", "Tan and Le, EfficientNetV2, 2021."),
    "inception_resnet_v2": (
        "Apache-2.0",
        "Szegedy et al., Inception-v4 and Inception-ResNet, 2017.",
    ),
    "inception_v3": (
        "Apache-2.0",
        "Szegedy et al., Rethinking the Inception Architecture, 2016.",
    ),
    "mobilenet": ("Apache-2.0", "Howard et al., MobileNets, 2017."),
    "mobilenet_v2": ("Apache-2.0", "Sandler et al., MobileNetV2, 2018."),
    "mobilenet_v3": (
        "Apache-2.0",
        "Howard et al., Searching for MobileNetV3, 2019.",
    ),
    "nasnet": (
        "Apache-2.0",
        "Zoph et al., Learning Transferable Architectures, 2018.",
    ),
    "resnet": ("MIT", "He et al., Deep Residual Learning, 2016."),
    "resnet_v2": (
        "BSD-3-Clause",
        "He et al., Identity Mappings in Deep Residual Networks, 2016.",
    ),
    "vgg16": (
        "CC-BY-4.0",
        "Simonyan and Zisserman, Very Deep Convolutional Networks, 2015.",
    ),
    "vgg19": (
        "CC-BY-4.0",
        "Simonyan and Zisserman, Very Deep Convolutional Networks, 2015.",
    ),
    "xception": ("MIT", "Chollet, Xception, 2017."),
}


def builders() -> dict[str, Callable[..., keras.Model]]:
    """Returns the functions of `keras.applications` by lower-case name.

    Example:
    >>> builders()["mobilenetv2"].__name__
    'MobileNetV2'
    """
    members = inspect.getmembers(keras.applications, inspect.isfunction)
    return {name.lower(): function for name, function in members}


def load(name: str) -> Source:
    """Builds an ImageNet classifier with logits; downloads its weights.

    The preprocessing repeats gray to three channels, resizes, and applies the
    model's own `preprocess_input`. Where that centers every channel on its
    own, `input_range` spans all of them.

    Args:
        name: Name of a function in `keras.applications`, in upper or lower
            case.

    Returns:
        The source; `feature_layer` is the one of `detail.layer`, or the last
        global pooling layer where there is none.

    Raises:
        ValueError: If the weights cannot be downloaded.
    """
    builder = builders()[name.lower()]
    module = sys.modules[builder.__module__]
    build = functools.partial(builder, classifier_activation=None)
    try:
        model = build(weights="imagenet")
        if None in model.input_shape[1:]:
            model = build(weights="imagenet", input_shape=(224, 224, 3))
    except Exception as error:
        raise ValueError(_no_download(builder.__name__, error)) from error
    preprocess = functools.partial(
        _preprocess, model.input_shape, module.preprocess_input
    )
    black_white = np.stack([np.zeros((2, 2, 3)), np.full((2, 2, 3), 255.0)])
    reached = preprocess(black_white)
    licence, citation = ORIGINS.get(
        module.__name__.rpartition(".")[2],
        ("not stated", "https://keras.io/api/applications"),
    )
    return Source(
        model=model,
        name=builder.__name__,
        modality="image",
        preprocess=preprocess,
        input_range=(float(reached.min()), float(reached.max())),
        class_names=_class_names(module.decode_predictions),
        feature_layer=detail.layer(model) or _pooling(model),
        licence=licence,
        citation=citation,
        augment=shifted,
    )


def _preprocess(
    input_shape: tuple, preprocess_input: Callable, images: np.ndarray
) -> np.ndarray:
    fitted = fit_images(images, *input_shape[1:])
    # A tensor, because an array would be changed in place.
    return ops.convert_to_numpy(preprocess_input(ops.convert_to_tensor(fitted)))


def _class_names(decode_predictions: Callable) -> tuple[str, ...]:
    try:
        rows = decode_predictions(np.eye(1000, dtype="float32"), top=1)
    except Exception:  # The file of names is a download of its own.
        return ()
    return tuple(row[0][1] for row in rows)


def _pooling(model: keras.Model) -> str:
    pooled = [
        layer.name
        for layer in model.layers
        if isinstance(layer, keras.layers.GlobalAveragePooling2D)
    ]
    return pooled[-1] if pooled else model.layers[-2].name


def _no_download(name: str, error: Exception) -> str:
    return (
        f"The ImageNet weights of {name} could not be loaded: {error}. Put the"
        " file into the folder `models` of KERAS_HOME (~/.keras unless set);"
        " or, on a machine with internet, run `keras.applications."
        f"{name}(classifier_activation=None).save('{name}.keras')` and pass"
        f" the path of {name}.keras. The sources 'shapes' and 'waves' need no"
        " download."
    )
