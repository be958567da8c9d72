"""Requests and answers of KServe's protocol version 2, as bytes or JSON.

Reference: Open Inference Protocol, with the extension for binary tensors.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

TYPES = {
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "u1",
    "BOOL": "?",
}
BINARY = "Inference-Header-Content-Length"
Message = tuple[dict[str, str], bytes]


def ask(about: dict, inputs: np.ndarray, key: str, binary: bool) -> Message:
    """Writes a request: its headers and its content.

    Args:
        about: Dict with `name` and `datatype` of the model's input.
        inputs: Inputs of the model `(rows, ...)`.
        key: Identifier of the request.
        binary: Whether numbers are sent and returned as bytes.
    """
    entry = {"name": about["name"], "datatype": about.get("datatype", "FP32")}
    request: dict[str, Any] = {"id": key, "inputs": [entry]}
    if binary:
        request["parameters"] = {"binary_data_output": True}
    return _message(request, entry, inputs, binary)


def write(head: dict, name: str, scores: np.ndarray) -> Message:
    """Writes an answer to the head of a request: headers and content."""
    entry = {"name": "scores", "datatype": "FP32"}
    answer = {"model_name": name, "id": head.get("id", ""), "outputs": [entry]}
    binary = head.get("parameters", {}).get("binary_data_output", False)
    return _message(answer, entry, scores, binary)


def _message(
    head: dict, entry: dict[str, Any], values: np.ndarray, binary: bool
) -> Message:
    values = np.ascontiguousarray(values, TYPES[entry["datatype"]])
    entry["shape"] = list(values.shape)
    if not binary:
        entry["data"] = values.ravel().tolist()
        return {"Content-Type": "application/json"}, json.dumps(head).encode()
    entry["parameters"] = {"binary_data_size": values.nbytes}
    text = json.dumps(head).encode()
    headers = {"Content-Type": "application/octet-stream"}
    return headers | {BINARY: str(len(text))}, text + values.tobytes()


def parse(body: bytes, headers: Mapping[str, str]) -> tuple[dict, np.ndarray]:
    """Reads a request: its head and its input, float32."""
    head, (values,) = _parts(body, headers, "inputs")
    return head, values.astype("float32")


def tensors(response: Any) -> list[np.ndarray]:
    """Reads the outputs of an answer.

    Raises:
        ValueError: If the answer is cut off.
    """
    return _parts(response.content, response.headers, "outputs")[1]


def _parts(
    body: bytes, headers: Mapping[str, str], name: str
) -> tuple[dict, list[np.ndarray]]:
    length = headers.get(BINARY)
    head = json.loads(body[: int(length)] if length else body)
    start, arrays = int(length or 0), []
    for entry in head[name]:
        kind, shape = TYPES[entry["datatype"]], entry["shape"]
        size = entry.get("parameters", {}).get("binary_data_size")
        if size is None:
            values = np.array(entry["data"], kind)
        else:
            values = np.frombuffer(body[start : start + size], kind)
            start += size
        arrays.append(values.reshape(shape))
    return head, arrays
