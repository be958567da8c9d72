"""The three models that attacks are compared on, with inputs in [0, 1].

Used by the benchmarks of robustness. Each function takes the folder of
data and sources and that of a run, and returns a model, images and labels.
"""

import pathlib

import keras
import numpy as np


def network() -> keras.Model:
    """The network of the reference case of AutoAttack."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )


def cnn(shared: str, run: str) -> tuple:
    """The case whose robust accuracy under AutoAttack is known."""
    found = np.load(
        pathlib.Path(shared) / "data/robustness/autoattack_case.npz"
    )
    model = network()
    model.set_weights([found[f"w{i}"] for i in range(8)])
    return model, found["x"].reshape(-1, 28, 28, 1), found["y"]


def resnet8(shared: str, run: str) -> tuple:
    """ResNet-8, and patches of two photographs with its own answers."""
    from sklearn import datasets

    model = _resnet8(shared)
    rng, patches = np.random.default_rng(0), []
    for photo in datasets.load_sample_images().images:
        for _ in range(128):
            side = int(rng.integers(64, 256))
            top = rng.integers(0, photo.shape[0] - side)
            left = rng.integers(0, photo.shape[1] - side)
            patch = photo[top : top + side, left : left + side] / 255.0
            small = keras.ops.image.resize(patch, (32, 32), antialias=True)
            patches.append(keras.ops.convert_to_numpy(small))
    x = np.clip(patches, 0, 1).astype("float32")
    x = x[rng.permutation(len(x))]
    return model, x, model.predict(x, verbose=0).argmax(axis=1)


def _resnet8(shared: str) -> keras.Model:
    layers = keras.layers
    path = "sources/vision/mlperf_resnet8_cifar10.npz"
    weights = np.load(pathlib.Path(shared) / path)
    image = keras.Input((32, 32, 3))

    def conv(x, number: int, count: int, size: int = 3, stride: int = 1):
        name = f"conv{number}"
        layer = layers.Conv2D(count, size, stride, "same", name=name)
        return layer(x)

    def norm(x, number: int):
        return layers.BatchNormalization(name=f"bn{number}")(x)

    x = layers.Rescaling(255.0)(image)
    x = layers.ReLU()(norm(conv(x, 0, 16), 0))
    for first, count, stride in ((1, 16, 1), (3, 32, 2), (6, 64, 2)):
        y = layers.ReLU()(norm(conv(x, first, count, 3, stride), first))
        y = norm(conv(y, first + 1, count), first + 1)
        if stride > 1:
            x = conv(x, first + 2, count, 1, stride)
        x = layers.ReLU()(layers.add([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, layers.Dense(10, name="dense")(x))
    for layer in model.layers:
        layer.set_weights(
            [weights[f"{layer.name}/{i}"] for i in range(len(layer.weights))]
        )
    return model


def mobilenet(shared: str, run: str) -> tuple:
    """The model of a run of scripts.train on digits, and its test rows."""
    from reprogram.robustness import suite

    subject = suite.of_run(run)
    low, high = subject.bounds
    image = keras.Input(subject.x.shape[1:])
    scaled = keras.layers.Rescaling(high - low, low)(image)
    model = keras.Model(image, subject.model(scaled))
    return model, (subject.x - low) / (high - low), subject.y


MODELS = {"cnn": cnn, "resnet8": resnet8, "mobilenet": mobilenet}
