"""A remote model behind HTTP: KServe's protocol version 2, or TensorFlow's.

KServe's (Triton, KServe, MLServer, `scripts.serve`) sends numbers as bytes;
that of TensorFlow Serving sends JSON.
"""

import os
from typing import Any

import numpy as np
import requests

from reprogram.blackbox import scores
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
        url: Address of the model: `https://host/v2/models/NAME` (KServe) or
            `https://host/v1/models/NAME` (TensorFlow Serving).
        classes: Number of classes; needed only where the service gives
            labels or its best few classes.
        key_variable: Environment variable that holds the key; it is sent as a
            bearer token, and neither logged nor saved.
        timeout: Time limit for an answer in seconds.
        binary: Whether numbers are sent as bytes; only for KServe's protocol.

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
            self._session.auth = _Bearer(key(key_variable))
        self._input: dict | None = None

    def metadata(self) -> dict:
        """Returns what the service says about the model's input.

        These are `name`, `datatype` and `shape` (-1 for any size), as far as
        the service tells.
        """
        if self._input is None:
            self._input = {"name": "instances"}
            if self.protocol == "kserve":
                self._input = self._call("get", self.url).json()["inputs"][0]
        return self._input

    def send(self, inputs: np.ndarray, key: str) -> np.ndarray:
        """Asks for the scores of a batch.

        Args:
            inputs: Inputs of the model `(rows, ...)`, float32.
            key: Name of the batch, equal where it is sent again; sent as the id
                of the request and in the header `Idempotency-Key`.

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
        response = self._call("post", url, data=body, headers=headers)
        return self._scores(protocol.tensors(response))

    def _tensorflow(self, inputs: np.ndarray, key: str) -> np.ndarray:
        rows = self._call(
            "post",
            f"{self.url}:predict",
            json={"instances": inputs.tolist()},
            headers={"Idempotency-Key": key},
        ).json()["predictions"]
        if rows and isinstance(rows[0], dict):
            names = list(rows[0])
            return self._scores([np.array([r[n] for r in rows]) for n in names])
        return self._scores([np.array(rows)])

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
            return scores.from_labels(whole[0].reshape(-1), self.classes)
        return scores.from_top(whole[0], real[0], self.classes)

    def _call(self, method: str, url: str, **options: Any) -> requests.Response:
        try:
            response = self._session.request(
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
        code = response.status_code
        if code in REFUSALS:
            wait = response.headers.get("Retry-After", "")
            seconds = float(wait) if wait.isdigit() else None
            raise Refused(f"Status {code}.", seconds)
        if code >= 500:
            raise Lost(f"Status {code}.")
        if code in DENIALS:
            raise ServiceError(
                f"{self.url} denies access (status {code}). Is the key in"
                f" {self._key_variable or '`key_variable`'} valid?"
            )
        if code >= 400:
            raise ServiceError(
                f"{self.url} rejects the request (status {code}):"
                f" {response.text[:300]}"
            )
        return response


class _Bearer(requests.auth.AuthBase):
    """Adds the key to a request; it appears in no message."""

    def __init__(self, key: str):
        self._header = f"Bearer {key}"

    def __call__(
        self, request: requests.PreparedRequest
    ) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


def key(variable: str) -> str:
    """Reads the key of a service from an environment variable.

    Raises:
        ValueError: If the variable is empty.
    """
    if not os.environ.get(variable):
        raise ValueError(
            f"The environment variable {variable} is empty. Set it to the key"
            " of the service."
        )
    return os.environ[variable]


def _protocol(url: str) -> str:
    for mark, known in PROTOCOLS.items():
        if mark in url:
            return known
    raise ValueError(
        "Expected the address of a model, http://HOST/v2/models/NAME (KServe)"
        " or http://HOST/v1/models/NAME (TensorFlow Serving). Received:"
        f" {url}"
    )


def remote(
    url: str,
    value_range: tuple[float, float] = (0.0, 1.0),
    classes: int | None = None,
    key_variable: str | None = None,
) -> scores.Service:
    """Returns the service behind an address, with its input format.

    Pixels of 0 to 255 are brought to the range of its inputs. The other
    arguments are those of `HttpService`.

    Raises:
        ValueError: If the service does not tell the size of its inputs.
    """
    ask = HttpService(url, classes, key_variable)
    shape = tuple(ask.metadata().get("shape", ()))[1:]
    if not shape or min(shape) < 1:
        raise ValueError(
            f"{url} does not tell the size of its inputs: {shape}. Make the"
            " model in Python: reprogram.blackbox.Meter and"
            " BlackBoxReprogrammer."
        )
    low, high = value_range

    def prepare(raw: np.ndarray) -> np.ndarray:
        raw = np.asarray(raw, "float32")
        return low + raw * (high - low) / 255 if len(shape) == 3 else raw

    return scores.Service(ask, shape, value_range, prepare, ask.name)
