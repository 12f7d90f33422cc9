"""A sandbox to call: in this process with a clock of its own, or served as a process over real HTTP."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from flask.testing import FlaskClient

from customs.sandbox import SandboxSettings
from customs.sandbox.app import create_sandbox
from customs.sandbox.notifications import Notifier
from tests.patience import PATIENCE_SECONDS

from .caller import AGENT, Caller, Clock

SERVE = """
import sys
from pathlib import Path
from customs.sandbox.app import serve
from customs.sandbox.notifications import Notifier
from customs.sandbox import SandboxSettings
agent_no, key, gateway_key, port, ledger = sys.argv[1:]
serve(SandboxSettings(agent_no, Path(key), Path(gateway_key), port=int(port), ledger=Path(ledger), step_seconds=0.02))
"""


@pytest.fixture(scope="session")
def agent_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def public_key_file(agent_key: rsa.RSAPrivateKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "agent_public.pem"
    file.write_bytes(agent_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return file


@pytest.fixture(scope="session")
def gateway_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def gateway_key_file(gateway_key: rsa.RSAPrivateKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "gateway_private.pem"
    file.write_bytes(gateway_key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    return file


@dataclass
class Sandbox:
    """One sandbox in this process: its caller, its clock, and what it says of itself."""

    caller: Caller
    clock: Clock
    client: FlaskClient
    notifier: Notifier

    def payer(self, **wanted: str) -> int:
        """Press the button for a payer; the status of the answer."""
        return self.client.post("/control/pay", json=wanted).status_code

    def ledger(self, **query: str) -> Any:
        return self.client.get("/ledger", query_string=query).json


@pytest.fixture
def make_sandbox(agent_key: rsa.RSAPrivateKey, public_key_file: Path, gateway_key_file: Path) -> Callable[..., Sandbox]:
    def make(**changes: Any) -> Sandbox:
        clock = Clock()
        settings = SandboxSettings(
            **(
                {
                    "agent_no": AGENT,
                    "agent_public_key": public_key_file,
                    "gateway_private_key": gateway_key_file,
                    "step_seconds": 1.0,
                }
                | changes
            )
        )
        app = create_sandbox(settings, now=clock)
        client = app.test_client()

        def transport(method: str, path: str, query: str, body: str, headers: dict[str, str]) -> tuple[int, Any]:
            reply = client.open(path, method=method, query_string=query, data=body, headers=headers)
            return reply.status_code, reply.get_json(silent=True)

        return Sandbox(Caller(agent_key, transport, clock), clock, client, app.extensions["notifier"])

    return make


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    return make_sandbox()


@dataclass
class Served:
    """A sandbox as a process of its own. Callers raise what `requests` raises; `patient` waits for late replies too."""

    caller: Caller
    patient: Caller
    url: str
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="session")
def serve_sandbox(agent_key: rsa.RSAPrivateKey, public_key_file: Path, gateway_key_file: Path) -> Callable[[Path], Any]:
    @contextmanager
    def serving(ledger: Path) -> Iterator[Served]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        files = (str(public_key_file), str(gateway_key_file), str(port), str(ledger))
        process = subprocess.Popen([sys.executable, "-c", SERVE, AGENT, *files])
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until_healthy(url)
            yield Served(
                Caller(agent_key, _transport(url, HASTE_SECONDS)),
                Caller(agent_key, _transport(url, PATIENCE_SECONDS)),
                url,
                process,
            )
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)

    return serving


@pytest.fixture(scope="module")
def served(serve_sandbox: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve_sandbox(tmp_path_factory.mktemp("ledger") / "ledger.db") as served:
        yield served


# For a reply that comes late on purpose: nobody waits for it.
HASTE_SECONDS = 1.0


def _transport(url: str, late_seconds: float) -> Callable[..., tuple[int, Any]]:
    session = requests.Session()
    session.trust_env = False

    def transport(method: str, path: str, query: str, body: str, headers: dict[str, str]) -> tuple[int, Any]:
        target = f"{url}{path}?{query}" if query else f"{url}{path}"
        timeout = late_seconds if "DELAY-" in target + body else PATIENCE_SECONDS
        reply = session.request(
            method, target, data=body or None, headers=headers, timeout=timeout, allow_redirects=False
        )
        try:
            return reply.status_code, reply.json()
        except json.JSONDecodeError:
            return reply.status_code, None

    return transport


def _wait_until_healthy(url: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            if requests.get(f"{url}/healthz", timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError("the sandbox did not start")
