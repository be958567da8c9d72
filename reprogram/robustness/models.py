"""How attacks see a model: in inference mode, as logits, in one graph."""

import dataclasses
import inspect as python
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from reprogram.gradients import compiled
from reprogram.gradients import stateless
from reprogram.gradients import value_and_grad

_PROBES = 8
_LEAST = 1e-30


@dataclasses.dataclass(frozen=True)
class Facts:
    """Facts about a model that attacks need.

    Args:
        classes: Number of scores of a prediction.
        answers: Type of the scores, `"logits"` or `"probabilities"`.
        differentiable: Whether gradients can be computed.
        deterministic: Whether the same input gets the same scores.
        warnings: Reasons why attacks on this model are hard to trust.
    """

    classes: int
    answers: str
    differentiable: bool
    deterministic: bool
    warnings: tuple[str, ...] = ()


def inspect(
    model: Callable, x: np.ndarray, bounds: tuple = (0.0, 1.0)
) -> Facts:
    """Determines the scores of a model and whether it has gradients.

    Args:
        model: Function from inputs `(n, ...)` to scores `(n, classes)`.
        x: Inputs `(n, ...)`; the first eight are used.
        bounds: Lowest and highest value of an input.

    Returns:
        The facts.

    Raises:
        ValueError: If the model does not return `(n, classes)`, or returns
            NaN.

    Example:
    >>> facts = inspect(lambda x: x * 2.0, np.array([[0.2, 0.9]], "float32"))
    >>> facts.answers, facts.classes, facts.differentiable
    ('logits', 2, True)
    """
    x = np.asarray(x[:_PROBES], "float32")
    scores = compiled_scores(model)
    answer = ops.convert_to_numpy(scores(x))
    if answer.ndim != 2 or len(answer) != len(x) or answer.shape[1] < 2:
        raise ValueError(
            "A model returns for a batch (n, ...) scores (n, classes) of two"
            f" classes or more. Received {answer.shape} for inputs of shape"
            f" {x.shape}. Reshape the output, or join a single score s into"
            " (-s, s)."
        )
    again = ops.convert_to_numpy(scores(x))
    low, high = bounds
    noise = np.random.default_rng(0).uniform(low, high, x.shape)
    other = ops.convert_to_numpy(scores(noise.astype("float32")))
    steady = bool(np.allclose(answer, again, rtol=1e-4, atol=1e-5))
    answers = "probabilities" if _sums_to_one(answer, other) else "logits"
    differentiable, slopes = _slopes(model, x)
    warnings = _warnings(answers, steady, differentiable, slopes)
    classes = answer.shape[1]
    return Facts(classes, answers, differentiable, steady, warnings)


def inference(model: Callable) -> Callable:
    """Returns the model as a function in inference mode.

    Dropout and batch statistics stay off, whatever the caller does.

    Example:
    >>> dropout = inference(keras.layers.Dropout(0.5))
    >>> dropout(np.ones((1, 2))).numpy()
    array([[1., 1.]], dtype=float32)
    """
    if isinstance(model, keras.layers.Layer):
        return lambda x: ops.cast(model(x, training=False), "float32")
    try:
        trains = "training" in python.signature(model).parameters
    except (TypeError, ValueError):
        trains = False
    if trains:
        return lambda x: ops.cast(model(x, training=False), "float32")
    return lambda x: ops.cast(model(x), "float32")


def logits(model: Callable, facts: Facts) -> Callable:
    """Returns the model as a function of inputs that gives logits.

    Args:
        model: Function from inputs `(n, ...)` to scores `(n, classes)`.
        facts: Facts about the model, from `inspect`.

    Returns:
        A function in inference mode; of probabilities it gives the logarithm.
        Called outside a graph, it raises a `ValueError` on NaN.

    Example:
    >>> facts = Facts(2, "probabilities", True, True)
    >>> half = logits(lambda x: x, facts)(np.array([[0.5, 0.5]]))
    >>> round(float(half[0, 0]), 4)
    -0.6931
    """
    answers = inference(model)

    def scored(x: Any) -> Any:
        scores = finite(answers(x))
        if facts.answers == "probabilities":
            return ops.log(ops.maximum(scores, _LEAST))
        return scores

    return scored


def compiled_scores(model: Callable) -> Callable:
    """Returns the model as a graph, compiled once, in inference mode.

    A model that cannot be compiled, such as a NumPy function or a remote
    service, is called as it is.

    Args:
        model: Function from inputs `(n, ...)` to scores `(n, classes)`.

    Returns:
        A function from inputs to scores. It raises a `ValueError` on NaN.
    """
    answers = inference(model)
    fast = graph(model, "scores", answers)
    mode = {"plain": False}

    def scored(x: Any) -> Any:
        if not mode["plain"]:
            try:
                return finite(fast(x))
            except Exception as error:
                if isinstance(error, _NotFinite):
                    raise
                mode["plain"] = True
        return finite(answers(x))

    return scored


def graph(model: Callable, key: Any, function: Callable) -> Callable:
    """Compiles a function that calls the model; once a key for Keras models.

    Args:
        model: Model that `function` calls.
        key: Cache key of this function among those that call the same model.
        function: Function from tensors to tensors.

    Returns:
        The compiled function. Weights that change later are seen.
    """
    if not isinstance(model, keras.layers.Layer):
        return compiled(function)
    # In a function Keras does not track.
    graphs = vars(model).setdefault("_robustness_graphs", _keep({}))()
    key = (key, tuple(id(variable) for variable in model.variables))
    if key not in graphs:
        graphs[key] = _live(model, function)
    return graphs[key]


def finite(scores: Any) -> Any:
    """Returns the scores; outside a graph it raises on NaN."""
    try:
        values = ops.convert_to_numpy(scores)
    except Exception:  # a tensor inside a graph has no values
        return scores
    if np.isnan(values).any():
        raise _NotFinite(
            f"The model returns NaN for {np.isnan(values).any(-1).sum()} of"
            f" {len(values)} inputs. Check its weights and the range of the"
            " inputs; an attack on it would count NaN as robust or as broken"
            " at random."
        )
    return scores


class _NotFinite(ValueError):
    """NaN, apart from the errors of a model that cannot be compiled."""


def _keep(graphs: dict) -> Callable:
    return lambda: graphs


def _live(model: keras.layers.Layer, function: Callable) -> Callable:
    if keras.backend.backend() != "jax":
        return compiled(function)
    variables = list(model.variables)
    fast = compiled(stateless(function, variables))
    return lambda *args: fast([v.value for v in variables], *args)


def _sums_to_one(*answers: np.ndarray) -> bool:
    return all(
        np.min(answer) >= 0 and np.allclose(np.sum(answer, 1), 1, atol=1e-3)
        for answer in answers
    )


def _slopes(model: Callable, x: np.ndarray) -> tuple[bool, np.ndarray]:
    """Returns whether gradients exist, and which samples have any."""
    answers = inference(model)

    def total(x: Any) -> Any:
        scores = answers(x)
        # Weights of alternating sign, as the sum of probabilities is flat.
        weights = ops.cast(
            1 - 2 * (ops.arange(scores.shape[-1]) % 2), "float32"
        )
        return ops.sum(scores * weights)

    try:
        slope = graph(model, "slopes", value_and_grad(total))(x)[1]
    except Exception:  # whatever a library says that knows no tensors
        return False, np.zeros(len(x), bool)
    slope = ops.convert_to_numpy(slope).reshape(len(x), -1)
    return True, np.abs(slope).max(axis=1) > 0


def _warnings(
    answers: str, steady: bool, differentiable: bool, slopes: np.ndarray
) -> tuple[str, ...]:
    found = []
    if answers == "probabilities":
        found.append(
            "The model returns probabilities; their logarithm is attacked, and"
            " where they saturate gradients vanish. Attack the logits if you"
            " can."
        )
    if not steady:
        found.append(
            "The model scores the same input differently. Attack the average:"
            " samples=20."
        )
    if not differentiable:
        found.append(
            "The model has no gradients. Use the black-box attack square."
        )
    elif not slopes.all():
        found.append(
            f"Zero gradients on {np.sum(~slopes)} of {len(slopes)} inputs:"
            " gradients may be masked. Check with square."
        )
    return tuple(found)
