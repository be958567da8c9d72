"""The HTTP client against a server that misbehaves, and against ours."""

import http.server
import json
import threading
import time

import keras
import numpy as np
import pytest

from reprogram.blackbox.errors import Lost
from reprogram.blackbox.errors import Refused
from reprogram.blackbox.errors import ServiceError
from reprogram.blackbox.ledger import Ledger
from reprogram.blackbox.meter import Meter
from reprogram.service import protocol
from reprogram.service.client import HttpService

INPUTS = np.linspace(0, 1, 12).reshape(3, 4).astype("float32")
ABOUT = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers what the test has put into `server.script`."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.reply(200, json.dumps(ABOUT).encode())

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        self.server.seen.append((dict(self.headers), self.rfile.read(size)))
        step = self.server.script.pop(0) if self.server.script else 200
        if step == "slow":
            time.sleep(0.5)
            step = 200
        if step == "close":
            self.connection.close()
            return
        code, headers, body = 200, {}, scores(np.ones((3, 2)))
        if isinstance(step, tuple):
            code, headers = step
        elif isinstance(step, bytes):
            body = step
        else:
            code = step
        self.reply(code, body, headers)

    def reply(self, code, body, headers=()):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def scores(values, kind="FP32"):
    entry = {"name": "y", "datatype": kind, "shape": list(values.shape)}
    entry["data"] = values.ravel().tolist()
    return json.dumps({"outputs": [entry]}).encode()


@pytest.fixture
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.script, made.seen = [], []
    made.url = f"http://127.0.0.1:{made.server_port}/v2/models/m"
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def test_kserve_with_bytes_and_with_json(server):
    for binary in (True, False):
        service = HttpService(server.url, binary=binary)
        assert service.send(INPUTS, "k").tolist() == np.ones((3, 2)).tolist()
        headers, body = server.seen[-1]
        head, values = protocol.parse(body, headers)
        np.testing.assert_array_equal(values, INPUTS)
        assert head["id"] == "k" and headers["Idempotency-Key"] == "k"
        assert (protocol.BINARY in headers) == binary


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (429, Refused, "429"),
        (503, Refused, "503"),
        (500, Lost, "500"),
        (502, Lost, "502"),
        ("close", Lost, "failed"),
        (b"half an ans", Lost, "not complete"),
        (b"{}", Lost, "not complete"),
        (scores(np.ones((2, 2)))[:-9], Lost, "not complete"),
        (401, ServiceError, "denies access"),
        (403, ServiceError, "denies access"),
        (404, ServiceError, "rejects the request"),
        (400, ServiceError, "rejects the request"),
    ],
)
def test_what_goes_wrong_is_told_apart(server, step, error, message):
    server.script = [step]
    with pytest.raises(error, match=message):
        HttpService(server.url).send(INPUTS, "k")


def test_the_service_says_how_long_to_wait(server):
    server.script = [(429, {"Retry-After": "7"})]
    with pytest.raises(Refused) as found:
        HttpService(server.url).send(INPUTS, "k")
    assert found.value.wait == 7.0


def test_slow_services_time_out(server):
    service = HttpService(server.url, timeout=0.1)
    service.metadata()
    server.script = ["slow"]
    with pytest.raises(Lost, match="0.1 s"):
        service.send(INPUTS, "k")


def test_no_server_is_refused():
    with pytest.raises(Refused, match="failed"):
        HttpService("http://127.0.0.1:9/v2/models/m").send(INPUTS, "k")


def test_meter_goes_on_after_trouble(server, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _: None)
    server.script = [429, 500, b"half", 200]
    meter = Meter(HttpService(server.url))
    meter.query(INPUTS, "train")
    bill = meter.bill()
    assert bill.queries == 9 and bill.unconfirmed == 6


def test_the_key_is_sent_and_never_kept(server, monkeypatch, tmp_path):
    monkeypatch.setenv("SERVICE_KEY", "secret-123")
    service = HttpService(server.url, key_variable="SERVICE_KEY")
    meter = Meter(service, Ledger(tmp_path / "l.db"), attempts=1)
    meter.query(INPUTS, "train")
    assert server.seen[-1][0]["Authorization"] == "Bearer secret-123"
    server.script = [401]
    with pytest.raises(ServiceError) as found:
        meter.query(INPUTS + 1, "train")
    assert "secret" not in str(found.value) and "SERVICE_KEY" in str(
        found.value
    )
    for path in tmp_path.iterdir():
        assert b"secret-123" not in path.read_bytes()
    monkeypatch.setenv("SERVICE_KEY", "")
    with pytest.raises(ValueError, match="SERVICE_KEY is empty"):
        HttpService(server.url, key_variable="SERVICE_KEY")


def test_labels_and_top_classes(server):
    server.script = [scores(np.array([2, 0, 1]), "INT64")] * 2
    with pytest.raises(ServiceError, match="how many `classes`"):
        HttpService(server.url).send(INPUTS, "k")
    found = HttpService(server.url, classes=3).send(INPUTS, "k")
    assert found.argmax(axis=1).tolist() == [2, 0, 1]


def test_tensorflow_serving(server):
    url = server.url.replace("/v2/", "/v1/")
    server.script = [json.dumps({"predictions": [[0.1, 0.9]] * 3}).encode()]
    found = HttpService(url).send(INPUTS, "k")
    np.testing.assert_allclose(found, [[0.1, 0.9]] * 3)
    sent = json.loads(server.seen[-1][1])
    np.testing.assert_allclose(sent["instances"], INPUTS)


def test_addresses_must_name_a_model():
    with pytest.raises(ValueError, match="v2/models/NAME"):
        HttpService("http://host/predict")


@pytest.fixture(scope="module")
def served():
    pytest.importorskip("fastapi", reason="FastAPI is not installed")
    from fastapi import testclient

    from reprogram.service import server

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    app = server.application(model, "small", key="k1")
    return model, testclient.TestClient(app)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("version", [1, 2])
def test_our_server_answers_our_client(served, monkeypatch, version, binary):
    model, client = served
    monkeypatch.setenv("K", "k1")
    url = f"http://testserver/v{version}/models/small"
    service = HttpService(url, key_variable="K", binary=binary)

    def request(method, url, timeout, data=None, **options):
        headers = {**options.pop("headers", {}), "Authorization": "Bearer k1"}
        return client.request(
            method, url, content=data, headers=headers, **options
        )

    monkeypatch.setattr(service._session, "request", request)
    found = Meter(service).query(INPUTS, "train")
    np.testing.assert_allclose(found, model.predict_on_batch(INPUTS), 1e-6)


def test_our_server_refuses_strangers_and_wrong_shapes(served):
    _, client = served
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/small").status_code == 401
    headers = {"Authorization": "Bearer k1"}
    body = {"instances": [[1.0, 2.0]]}
    url = "/v1/models/small:predict"
    found = client.post(url, json=body, headers=headers)
    assert found.status_code == 400 and "Expected inputs" in found.text
    found = client.post(url, json={"rows": 1}, headers=headers)
    assert found.status_code == 400
    url = "/v2/models/small/infer"
    found = client.post(url, content=b"nonsense", headers=headers)
    assert found.status_code == 400 and "protocol" in found.text
