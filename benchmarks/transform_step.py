"""What the step of a transform costs beside a bare step; see `step`.

The bare step is the compiled gradient of the same loss through the same
source, whose inputs have the right size already and only a program is added
to them; and through the same networks, where a transform has some.
"""

import dataclasses
import functools
import time
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from reprogram import gradients
from reprogram import mappings
from reprogram import transforms
from reprogram.reprogrammer import Reprogrammer
from reprogram.sources import tiny
from reprogram.sources.molecular import networks

BAR = 1.2
BATCH = 16
WARMUP = 3
IMAGE = (128, 128, 3)
SERIES = (1024, 1)
TOKENS = 64
PROMPT = 8


@dataclasses.dataclass(frozen=True)
class Case:
    """A transform, the shape of its data, and its networks.

    Args:
        make: Makes the layer.
        data: Shape of the data without the batch.
        bare: From the built layer and data of full size to what the source
            reads, without the program.
    """

    make: Callable[[], keras.layers.Layer]
    data: tuple[int, ...] = (32, 32, 3)
    bare: Callable | None = None


def masked(layer: keras.layers.Layer, x: object) -> object:
    """The network of `SampleMask`."""
    return x * layer.generator(x)


def coordinated(layer: keras.layers.Layer, x: object) -> object:
    """The networks of `Coordinator`."""
    seen = ops.reshape(layer.encoder(x), (BATCH, -1))
    trigger = ops.tile(ops.convert_to_tensor(layer.trigger), (BATCH, 1))
    coarse = ops.concatenate([seen, trigger], axis=1)
    grid = (BATCH, *layer.decoder.input_shape[1:])
    height, width, _ = IMAGE
    return x + layer.decoder(ops.reshape(coarse, grid))[:, :height, :width]


def encoder() -> keras.Model:
    model = source("image")
    return keras.Model(model.inputs[0], model.get_layer("pooled").output)


@functools.cache
def source(kind: str) -> keras.Model:
    """A small source: the smaller it is, the more a transform weighs."""
    if kind == "tokens":
        return networks.describer(TOKENS, 32)
    if kind == "series":
        return tiny.waves_classifier()
    body = keras.applications.MobileNet(
        IMAGE, alpha=0.25, weights=None, include_top=False
    )
    x = keras.layers.GlobalAveragePooling2D(name="pooled")(body.output)
    return keras.Model(body.input, keras.layers.Dense(1000)(x))


def _layer(name: str, *args: object, **options: object) -> Callable:
    return lambda: transforms.TRANSFORMS[name](*args, **options)


RANGE = {"value_range": (-1.0, 1.0)}
SMOOTH = {"regularizer": transforms.TotalVariation(1e-5)}
CASES = {
    "padding": Case(_layer("padding", IMAGE, (96, 96))),
    "center_mix": Case(_layer("center_mix", IMAGE, (96, 96))),
    "overlay": Case(_layer("overlay", IMAGE, **RANGE)),
    "overlay, cosine": Case(_layer("overlay", IMAGE, program="cosine")),
    "overlay, total variation": Case(_layer("overlay", IMAGE, **SMOOTH)),
    "patch": Case(_layer("patch", IMAGE, 32, "random", **RANGE)),
    "trainable_resize": Case(_layer("trainable_resize", IMAGE, 3.0)),
    "trainable_resize, full size": Case(
        _layer("trainable_resize", IMAGE), IMAGE
    ),
    "sample_mask": Case(_layer("sample_mask", IMAGE, **RANGE), bare=masked),
    "coordinator": Case(
        lambda: transforms.Coordinator(IMAGE, encoder(), **RANGE),
        bare=coordinated,
    ),
    "table_image": Case(_layer("table_image", IMAGE), (100,)),
    "rendering": Case(_layer("rendering", IMAGE), (96, 1)),
    "gain": Case(_layer("gain"), IMAGE),
    "segments": Case(_layer("segments", SERIES, 3), (300, 1)),
    "sonification": Case(_layer("sonification", SERIES), (300, 1)),
    "mixing": Case(_layer("mixing", 1), (1024, 3)),
    "resampling": Case(_layer("resampling", 1024), (300, 1)),
    "missing": Case(_layer("missing"), SERIES),
    "soft_prompt": Case(_layer("soft_prompt", PROMPT), (48,)),
    "dense_token_map": Case(_layer("dense_token_map", TOKENS, TOKENS), (48,)),
    "sparse_token_map": Case(_layer("sparse_token_map", TOKENS, 256), (48,)),
    "token_rewriting": Case(_layer("token_rewriting", TOKENS, TOKENS), (48,)),
}
INNER = ("soft_prompt", "dense_token_map", "sparse_token_map")
INNER += ("token_rewriting",)
OF_SERIES = ("segments", "mixing", "resampling", "missing", "sonification")


def models(name: str) -> tuple[Reprogrammer, keras.Model, np.ndarray]:
    """The Reprogrammer, the bare source behind its program, and data."""
    case, rng = CASES[name], np.random.default_rng(0)
    kind = "tokens" if name in INNER else "image"
    kind = "series" if name in OF_SERIES else kind
    layer = case.make()
    model = Reprogrammer(
        source(kind),
        layer,
        mappings.LinearMapping(10),
        input_layer="embeddings" if name in INNER else None,
        feature_layer="features" if name in INNER else None,
    )
    if kind == "tokens":
        x = rng.integers(1, TOKENS, (BATCH, *case.data))
    else:
        x = rng.uniform(-1, 1, (BATCH, *case.data)).astype("float32")
    model.build((None, *case.data))
    return model, layer, x


def bare_forward(name: str, model: Reprogrammer) -> tuple[Callable, object]:
    """The bare forward pass of data and program, and its data."""
    case, rng = CASES[name], np.random.default_rng(0)
    enter, read = model._stages()
    if enter is not None:
        length = case.data[0] + (PROMPT if name == "soft_prompt" else 0)
        tokens = rng.integers(1, TOKENS, (BATCH, length))
        vectors, *masks = map(ops.convert_to_tensor, enter(tokens))

        def forward(x: object, program: object) -> object:
            return model.mapping(read([x + program, *masks]))

        return forward, vectors
    shape = read.input_shape[1:]
    x = ops.array(rng.uniform(-1, 1, (BATCH, *shape)).astype("float32"))

    def forward(x: object, program: object) -> object:
        x = x if case.bare is None else case.bare(model.transform, x)
        return model.mapping(read(x + program, training=False))

    return forward, x


def steps(name: str) -> dict[str, Callable[[], None]]:
    """The compiled step of the transform and the bare one."""
    model, layer, x = models(name)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    y = ops.array(np.arange(BATCH) % 10)
    own = model.trainable_variables
    forward, full = bare_forward(name, model)
    theirs = own if CASES[name].bare else model.mapping.trainable_variables
    blank = ops.zeros(full.shape[1:])

    def penalized(x: object) -> object:
        value = loss(y, model(x, training=True))
        return value + sum(model.losses)

    def transformed(values: list, x: object) -> object:
        return gradients.stateless(penalized, own)(values, x)

    def bare(values: list, x: object) -> object:
        scores = gradients.stateless(forward, theirs)
        return loss(y, scores(values[1:], x, values[0]))

    made = {}
    for key, function, values, data in (
        ("transform", transformed, own, ops.array(x)),
        ("bare", bare, [blank, *theirs], full),
    ):
        step = gradients.compiled(gradients.value_and_grad(function))
        values = [ops.convert_to_tensor(value) for value in values]
        made[key] = functools.partial(_run, step, values, data)
    return made


def _run(step: Callable, values: list, x: object) -> None:
    ops.convert_to_numpy(step(values, x)[0])


def measure(name: str, rounds: int) -> list[dict]:
    """Times both steps in turn; one figure has the bar."""
    made = steps(name)
    seconds = {key: [] for key in made}
    for _ in range(WARMUP + rounds):
        for key, step in made.items():
            start = time.perf_counter()
            step()
            seconds[key].append(time.perf_counter() - start)
    medians = {k: float(np.median(v[WARMUP:])) for k, v in seconds.items()}
    ratio = round(medians["transform"] / medians["bare"], 3)
    bare = round(1e3 * medians["bare"], 3)
    line = {"name": f"step: {name}: bare", "value": bare, "unit": "ms a step"}
    lines = [line | {"bar": None, "holds": None}]
    line = {"name": f"step: {name}: transform / bare", "value": ratio}
    line |= {"unit": "x", "bar": BAR, "holds": ratio <= BAR}
    return [*lines, line]
