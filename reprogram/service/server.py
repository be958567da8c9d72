"""Any Keras model as a service: KServe's protocol, and TensorFlow's."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from reprogram.service import protocol


def application(model: Any, name: str = "model", key: str | None = None) -> Any:
    """Makes the web application that serves a model.

    Args:
        model: Built Keras model with one input and one output, or a
            Reprogrammer.
        name: Name of the model in the address.
        key: Bearer token that callers must send; by default none.

    Returns:
        A FastAPI application: `/v2/health/ready`, `/v2/models/NAME`,
        `/v2/models/NAME/infer`, `/v1/models/NAME:predict`.

    Raises:
        ImportError: If FastAPI is not installed.
    """
    try:
        import fastapi
    except ImportError as error:
        raise ImportError(
            "Serving needs FastAPI and uvicorn: pip install reprogram[serve]"
        ) from error
    app = fastapi.FastAPI(title="reprogram")
    about = describe(model, name)
    turn = threading.Lock()

    def authorized(request: fastapi.Request) -> None:
        if key and request.headers.get("authorization") != f"Bearer {key}":
            raise fastapi.HTTPException(401, "The key is missing or wrong.")

    def score(values: np.ndarray) -> np.ndarray:
        expected, received = about["inputs"][0]["shape"][1:], values.shape[1:]
        pairs = zip(expected, received)
        fits = len(received) == len(expected)
        if not fits or not all(e in (-1, size) for e, size in pairs):
            raise fastapi.HTTPException(
                400, f"Expected inputs (rows, {expected}), not {values.shape}."
            )
        with turn:
            return np.asarray(model.predict_on_batch(values))

    @app.get("/v2/health/ready")
    def ready() -> dict:
        return {"ready": True}

    @app.get(f"/v2/models/{name}", dependencies=[fastapi.Depends(authorized)])
    def metadata() -> dict:
        return about

    @app.post(
        f"/v2/models/{name}/infer",
        dependencies=[fastapi.Depends(authorized)],
    )
    async def infer(request: fastapi.Request) -> fastapi.Response:
        body = await request.body()
        try:
            head, values = protocol.parse(body, request.headers)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise fastapi.HTTPException(
                400, f"Not of the protocol: {error!r}."
            ) from error
        scores = await _thread(score, values)
        headers, content = protocol.write(head, name, scores)
        return fastapi.Response(content, headers=headers)

    @app.post(
        f"/v1/models/{name}:predict",
        dependencies=[fastapi.Depends(authorized)],
    )
    async def predict(request: fastapi.Request) -> dict:
        try:
            values = np.array((await request.json())["instances"], "float32")
        except (KeyError, TypeError, ValueError) as error:
            raise fastapi.HTTPException(
                400, 'Expected {"instances": [...]}.'
            ) from error
        return {"predictions": (await _thread(score, values)).tolist()}

    return app


async def _thread(
    function: Callable[[np.ndarray], np.ndarray], values: np.ndarray
) -> np.ndarray:
    from starlette import concurrency

    return await concurrency.run_in_threadpool(function, values)


def describe(model: Any, name: str) -> dict:
    """Returns the metadata of a model as KServe's protocol has it."""
    shape = model.input_shape if not model.inputs else model.inputs[0].shape
    width = model.compute_output_shape(tuple(shape))[-1]
    sizes = [-1, *(-1 if size is None else size for size in shape[1:])]
    return {
        "name": name,
        "platform": "keras",
        "inputs": [{"name": "inputs", "datatype": "FP32", "shape": sizes}],
        "outputs": [
            {"name": "scores", "datatype": "FP32", "shape": [-1, width]}
        ],
    }
