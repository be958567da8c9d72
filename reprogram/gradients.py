"""Gradients and compilation, the same on TensorFlow and on JAX."""

from collections.abc import Callable
from typing import Any

import keras


def value_and_grad(
    function: Callable,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
) -> Callable:
    """Makes a function that also returns the gradient.

    The calling style is that of `jax.value_and_grad`; Keras has none of its
    own yet.

    Args:
        function: Function from tensors to a scalar tensor.
        argnums: Position or positions of the arguments to differentiate;
            each may be a nested structure of tensors or Keras variables.
        has_aux: Whether `function` returns a pair: the scalar, and more
            that is passed on and not differentiated.

    Returns:
        A function of the same arguments that returns the value (with
        `has_aux` the pair) and the gradient, shaped like the argument (a
        tuple for several positions).
        An argument that the value does not depend on has gradient zero.

    Raises:
        RuntimeError: On a Keras backend other than TensorFlow and JAX.
        TypeError: When called, if the value is not a scalar.

    Example:
    >>> from keras import ops
    >>> value, gradient = value_and_grad(ops.square)(ops.array(3.0))
    >>> float(value), float(gradient)
    (9.0, 6.0)
    """
    positions = argnums if isinstance(argnums, tuple) else (argnums,)
    if keras.backend.backend() == "jax":
        import jax

        differentiated = jax.value_and_grad(function, positions, has_aux)
        convert = jax.numpy.asarray
    else:
        differentiated = _taped(function, positions, has_aux)
        convert = _tensorflow("value_and_grad").convert_to_tensor

    def with_tensors(*args: Any) -> tuple[Any, Any]:
        tensors = list(args)
        for i in positions:
            tensors[i] = keras.tree.map_structure(convert, args[i])
        value, gradients = differentiated(*tensors)
        return value, gradients if argnums is positions else gradients[0]

    return with_tensors


def compiled(function: Callable) -> Callable:
    """Compiles a function of tensors without control flow in Python.

    On TensorFlow a graph without XLA, which on CPUs is up to 15 times faster
    than with it; on JAX `jax.jit`. JAX keeps the values that Keras variables
    have at the first call: pass those that change as arguments (see
    `stateless`).

    Args:
        function: Function from tensors to tensors.

    Returns:
        A function of the same arguments; compiled anew for each new rank or
        type, on JAX for each new shape.

    Raises:
        RuntimeError: On a Keras backend other than TensorFlow and JAX.

    Example:
    >>> from keras import ops
    >>> float(compiled(lambda x: ops.sum(x * x))(ops.array([1.0, 2.0])))
    5.0
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    tf = _tensorflow("compiled")
    return tf.function(
        function, autograph=False, reduce_retracing=True, jit_compile=False
    )


def stateless(function: Callable, variables: list) -> Callable:
    """Turns a function that reads Keras variables into one of their values.

    Args:
        function: Function that reads `variables`.
        variables: The Keras variables to replace.

    Returns:
        A function whose first argument is the list of values, followed by
        the arguments of `function`.

    Example:
    >>> weight = keras.Variable(2.0)
    >>> double = stateless(lambda x: weight * x, [weight])
    >>> float(double([keras.ops.array(5.0)], keras.ops.array(3.0)))
    15.0
    """

    def replaced(values: list, *args: Any) -> Any:
        pairs = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=pairs):
            return function(*args)

    return replaced


def step_on(
    model: keras.Model, step: Callable, arguments: tuple, change: Callable
) -> Any:
    """Runs a step of Keras on a batch that is changed first.

    Args:
        model: The model that is trained or tested.
        step: `train_step` or `test_step` of Keras.
        arguments: Arguments of that step on this backend.
        change: Function from the batch and the number of updates so far, a
            tensor, to the batch to step on. It may call the model.

    Returns:
        What the step returns.
    """
    if keras.backend.backend() == "jax":
        (values, more), batch = arguments[0][:2], arguments[1]
        # In training the third part of the state is that of the optimizer.
        count = arguments[0][2][0] if len(arguments[0]) > 3 else 0
        variables = [
            *model.trainable_variables,
            *model.non_trainable_variables,
        ]
        changed = stateless(change, variables)
        return step(arguments[0], changed([*values, *more], batch, count))
    _tensorflow("step_on")
    return step(change(arguments[0], model.optimizer.iterations))


def replayed_step(
    model: keras.Model, arguments: tuple, replay: tuple
) -> dict[str, Any]:
    """Steps several times on a batch; one backward pass moves inputs too.

    Args:
        model: The model that is trained.
        arguments: Arguments of `train_step`.
        replay: `start(x, updates so far)`, `move(moved, gradient, x)` and the
            number of repetitions.

    Returns:
        The metrics of the model.

    Raises:
        RuntimeError: On a Keras backend other than TensorFlow.
    """
    tf = _tensorflow("replayed_step", ("tensorflow",))
    x, y, weight = keras.utils.unpack_x_y_sample_weight(arguments[0])
    x = tf.cast(x, "float32")
    start, move, count = replay
    moved, variables = start(x, model.optimizer.iterations), None
    for _ in range(count):
        with tf.GradientTape() as tape:
            tape.watch(moved)
            scores = model(moved, training=True)
            loss = model.compute_loss(moved, y, scores, weight, training=True)
            scaled = model.optimizer.scale_loss(loss)
        variables = variables or model.trainable_weights
        *slopes, slope = tape.gradient(scaled, [*variables, moved])
        model.optimizer.apply_gradients(zip(slopes, variables))
        moved = move(moved, slope, x)
    model._loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])
    return model.compute_metrics(x, y, scores, weight)


def _taped(
    function: Callable, positions: tuple[int, ...], has_aux: bool
) -> Callable:
    tf = _tensorflow("value_and_grad")

    def differentiated(*args: Any) -> tuple[Any, Any]:
        watched = tuple(args[i] for i in positions)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(watched)
            answer = function(*args)
            value, more = answer if has_aux else (answer, None)
            value = tf.convert_to_tensor(value)
        if value.shape.rank:
            raise TypeError(
                "Only a scalar has a gradient. Received a value of shape"
                f" {value.shape}. Sum or average it."
            )
        gradients = tape.gradient(value, watched, unconnected_gradients="zero")
        # The gradient of a lookup in a table arrives as pairs of row and value.
        gradients = tf.nest.map_structure(tf.convert_to_tensor, gradients)
        return (value, more) if has_aux else value, gradients

    return differentiated


def _tensorflow(name: str, known: tuple = ("tensorflow", "jax")) -> Any:
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise RuntimeError(
            f"`{name}` knows the backends {' and '.join(known)}. Received:"
            f" {backend}. Set KERAS_BACKEND to one of them."
        )
    import tensorflow as tf

    return tf
