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


def ask(
    about: dict, inputs: np.ndarray, key: str, binary: bool
) -> tuple[dict[str, str], bytes]:
    """Writes a request: its headers and its content.

    Args:
        about: Dict with `name` and `datatype` of the model's input.
        inputs: Inputs of the model `(rows, ...)`.
        key: Id of the request.
        binary: Whether numbers go as bytes, both ways.
    """
    kind = about.get("datatype", "FP32")
    values = np.ascontiguousarray(inputs, TYPES[kind])
    entry: dict[str, Any] = {"name": about["name"], "datatype": kind}
    entry["shape"] = list(values.shape)
    request: dict[str, Any] = {"id": key, "inputs": [entry]}
    if not binary:
        entry["data"] = values.ravel().tolist()
        headers = {"Content-Type": "application/json"}
        return headers, json.dumps(request).encode()
    entry["parameters"] = {"binary_data_size": values.nbytes}
    request["parameters"] = {"binary_data_output": True}
    head = json.dumps(request).encode()
    headers = {"Content-Type": "application/octet-stream"}
    return headers | {BINARY: str(len(head))}, head + values.tobytes()


def parse(body: bytes, headers: Mapping[str, str]) -> tuple[dict, np.ndarray]:
    """Reads a request in KServe's protocol: its head and its input."""
    length = headers.get(BINARY)
    head = json.loads(body[: int(length)] if length else body)
    (entry,) = head["inputs"]
    kind = TYPES[entry["datatype"]]
    if length:
        values = np.frombuffer(body[int(length) :], kind)
    else:
        values = np.array(entry["data"], kind)
    return head, values.reshape(entry["shape"]).astype("float32")


def write(
    head: dict, name: str, scores: np.ndarray
) -> tuple[dict[str, str], bytes]:
    """Writes an answer in KServe's protocol: its headers and its content."""
    entry: dict[str, Any] = {"name": "scores", "datatype": "FP32"}
    entry["shape"] = list(scores.shape)
    answer = {"model_name": name, "id": head.get("id", ""), "outputs": [entry]}
    if not head.get("parameters", {}).get("binary_data_output"):
        entry["data"] = scores.ravel().tolist()
        return {"content-type": "application/json"}, json.dumps(answer).encode()
    values = np.ascontiguousarray(scores, "<f4").tobytes()
    entry["parameters"] = {"binary_data_size": len(values)}
    text = json.dumps(answer).encode()
    headers = {
        BINARY: str(len(text)),
        "content-type": "application/octet-stream",
    }
    return headers, text + values


def tensors(response: Any) -> list[np.ndarray]:
    """Reads the outputs of an answer in KServe's protocol.

    Args:
        response: The response, with `headers` and `content`.

    Returns:
        The arrays, in their order.

    Raises:
        ValueError: If the answer is cut off.
    """
    length = response.headers.get(BINARY)
    body = response.content
    head = json.loads(body[: int(length)] if length else body)
    start, found = int(length or 0), []
    for entry in head["outputs"]:
        kind, shape = TYPES[entry["datatype"]], entry["shape"]
        size = entry.get("parameters", {}).get("binary_data_size")
        if size is None:
            values = np.array(entry["data"], kind)
        else:
            values = np.frombuffer(body[start : start + size], kind)
            start += size
        found.append(values.reshape(shape))
    return found
