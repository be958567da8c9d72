"""A remote model behind HTTP: KServe's protocol version 2, or TensorFlow's.

KServe's (Triton, KServe, MLServer, `scripts.serve`) sends numbers as bytes;
that of TensorFlow Serving sends JSON.
"""

import os
from collections.abc import Callable

import numpy as np
import requests
from keras import ops

from reprogram import gradients
from reprogram.blackbox import answers
from reprogram.blackbox.errors import Lost
from reprogram.blackbox.errors import Refused
from reprogram.blackbox.errors import ServiceError
from reprogram.service import protocol

PROTOCOLS = {"/v2/models/": "kserve", "/v1/models/": "tensorflow"}
REFUSALS = (429, 503)
DENIALS = (401, 403)


class HttpService:
    """A service to be asked by `Meter`.

    Args:
        url: Of the model: `https://host/v2/models/NAME` (KServe) or
            `https://host/v1/models/NAME` (TensorFlow Serving).
        classes: Number of classes; needed only where the service answers
            labels or its best few.
        key_variable: Environment variable that holds the key; it is sent as a
            bearer token, and neither logged nor saved.
        timeout: Seconds until an answer is given up.
        binary: Whether numbers go as bytes; only KServe's protocol.

    Raises:
        ValueError: If the address is of no known protocol, or the environment
            variable is empty.

    Example:
    >>> HttpService("http://localhost:8000/v2/models/digits").protocol
    'kserve'

    Reference: Open Inference Protocol (KServe version 2), with the extension
    for binary tensors; TensorFlow Serving, RESTful API.
    """

    def __init__(
        self,
        url: str,
        classes: int | None = None,
        key_variable: str | None = None,
        timeout: float = 30.0,
        binary: bool = True,
    ):
        self.url = self.name = url.rstrip("/")
        self.protocol = _protocol(self.url)
        self.classes, self.timeout = classes, timeout
        self.binary = binary and self.protocol == "kserve"
        self._key_variable = key_variable
        self._session = requests.Session()
        if key_variable:
            key = os.environ.get(key_variable)
            if not key:
                raise ValueError(
                    f"The environment variable {key_variable} is empty. Set it"
                    " to the key of the service."
                )
            self._session.auth = _Bearer(key)
        self._input: dict | None = None

    def metadata(self) -> dict:
        """Returns what the service says about the model's input.

        Returns:
            `name`, `datatype` and `shape` (-1 for any size), as far as the
            service tells.

        Raises:
            Refused, Lost, ServiceError: See `send`.
        """
        if self._input is None:
            if self.protocol == "kserve":
                found = self._call("get", self.url).json()
                self._input = found["inputs"][0]
            else:
                self._input = {"name": "instances"}
        return self._input

    def send(self, inputs: np.ndarray, key: str) -> np.ndarray:
        """Asks for the scores of a batch.

        Args:
            inputs: `(rows, ...)`, float32.
            key: The same for a batch that is sent again; goes as id of the
                request and in the header `Idempotency-Key`.

        Returns:
            Scores `(rows, classes)`.

        Raises:
            Refused: If the service did not take the batch (status 429, 503,
                or no connection).
            Lost: If no usable answer came back.
            ServiceError: If asking again would not help: denied, unknown
                model, input of a wrong shape.
        """
        sends = {"kserve": self._kserve, "tensorflow": self._tensorflow}
        try:
            return sends[self.protocol](inputs, key)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise Lost(
                f"The answer is not complete or not of the protocol ({error})."
            ) from error

    def _kserve(self, inputs: np.ndarray, key: str) -> np.ndarray:
        headers, body = protocol.ask(self.metadata(), inputs, key, self.binary)
        headers["Idempotency-Key"] = key
        url = f"{self.url}/infer"
        return self._scores(
            protocol.tensors(
                self._call("post", url, data=body, headers=headers)
            )
        )

    def _tensorflow(self, inputs: np.ndarray, key: str) -> np.ndarray:
        found = self._call(
            "post",
            f"{self.url}:predict",
            json={"instances": inputs.tolist()},
            headers={"Idempotency-Key": key},
        ).json()["predictions"]
        if found and isinstance(found[0], dict):
            names = list(found[0])
            return self._scores(
                [np.array([r[n] for r in found]) for n in names]
            )
        return self._scores([np.array(found)])

    def _scores(self, outputs: list[np.ndarray]) -> np.ndarray:
        """Brings scores, labels, or labels and their scores to scores."""
        whole = [o for o in outputs if o.dtype.kind in "iu"]
        real = [o for o in outputs if o.dtype.kind == "f"]
        if not whole:
            return real[0]
        if self.classes is None:
            raise ServiceError(
                f"{self.url} answers labels. Say how many `classes` it knows."
            )
        if not real:
            return answers.from_labels(whole[0].reshape(-1), self.classes)
        return answers.from_top(whole[0], real[0], self.classes)

    def _call(self, method: str, url: str, **options: object) -> object:
        try:
            found = self._session.request(
                method, url, timeout=self.timeout, **options
            )
        except requests.exceptions.ConnectTimeout as error:
            raise Refused(f"No connection to {self.url}.") from error
        except requests.exceptions.ConnectionError as error:
            refused = "refused" in str(error) or "resolve" in str(error)
            kind = Refused if refused else Lost
            raise kind(f"The connection to {self.url} failed.") from error
        except requests.exceptions.RequestException as error:
            raise Lost(
                f"{self.url} did not answer ({type(error).__name__}) within"
                f" {self.timeout} s."
            ) from error
        if found.status_code in REFUSALS:
            wait = found.headers.get("Retry-After", "")
            seconds = float(wait) if wait.isdigit() else None
            raise Refused(f"Status {found.status_code}.", seconds)
        if found.status_code >= 500:
            raise Lost(f"Status {found.status_code}.")
        if found.status_code in DENIALS:
            raise ServiceError(
                f"{self.url} denies access (status {found.status_code}). Is"
                f" the key in {self._key_variable or '`key_variable`'} valid?"
            )
        if found.status_code >= 400:
            raise ServiceError(
                f"{self.url} rejects the request (status"
                f" {found.status_code}): {found.text[:300]}"
            )
        return found


class _Bearer(requests.auth.AuthBase):
    """Adds the key to a request; it appears in no message."""

    def __init__(self, key: str):
        self._header = f"Bearer {key}"

    def __call__(self, request: requests.PreparedRequest) -> object:
        request.headers["Authorization"] = self._header
        return request


def _protocol(url: str) -> str:
    for mark, known in PROTOCOLS.items():
        if mark in url:
            return known
    raise ValueError(
        "Expected the address of a model, http://HOST/v2/models/NAME (KServe)"
        " or http://HOST/v1/models/NAME (TensorFlow Serving). Received:"
        f" {url}"
    )


def local(model: object) -> Callable[[np.ndarray], np.ndarray]:
    """Turns a Keras model into a service, to measure queries with.

    Args:
        model: A built Keras model.

    Returns:
        A function from a batch to scores; it has no gradients.
    """
    scores = gradients.compiled(lambda inputs: model(inputs, training=False))
    return lambda inputs: ops.convert_to_numpy(scores(inputs))
