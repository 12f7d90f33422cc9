"""The gateway of the journeys: our sandbox as a process, made non-idempotent so that any second filing shows."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from customs.ops.standalone import keep_key_pair
from customs.ops.supervisor import free_port
from tests.journeys.processes import started, wait_until

FOREIGN = ("CUSTOMS_", "WISECASHIER_")
STEP_SECONDS = 0.1
REPUSH_SECONDS = 1.0


class SandboxGateway:
    """A running sandbox: where it is, the key it takes calls from, what it wrote down."""

    def __init__(self, home: Path, url: str) -> None:
        self.url = url
        self.private_key_file = home / "agent_private.pem"
        self._session = requests.Session()
        self._session.trust_env = False

    def filings(self) -> list[dict[str, Any]]:
        filings: list[dict[str, Any]] = self._ledger()["filings"]
        return filings

    def calls(self, payment_no: str) -> list[dict[str, Any]]:
        """The calls for one payment, oldest first: `at`, `endpoint`, `fault`, `outcome`."""
        calls: list[dict[str, Any]] = self._ledger(payment_no=payment_no)["log"]
        return calls

    def switch(self, **errors: float | bool) -> None:
        """Set `fault_seed`, `fault_rate` or `outage`."""
        self._session.post(f"{self.url}/control", json=errors, timeout=10).raise_for_status()

    def answers(self) -> bool:
        try:
            return self._session.get(f"{self.url}/healthz", timeout=1).ok
        except requests.RequestException:
            return False

    def _ledger(self, **query: str) -> dict[str, Any]:
        answer = self._session.get(f"{self.url}/ledger", params=query, timeout=20)
        answer.raise_for_status()
        ledger: dict[str, Any] = answer.json()
        return ledger


def clean_environ() -> dict[str, str]:
    """This process's environment without what its shell says of some other desk."""
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


@contextmanager
def running_gateway(home: Path) -> Iterator[SandboxGateway]:
    """A sandbox with its own key pair and ledger in `home`."""
    keep_key_pair(home, "agent")
    port = free_port(0)
    environ = clean_environ() | {"CUSTOMS_HOME": str(home), "CUSTOMS_ALIPAY_REPUSH_SECONDS": str(REPUSH_SECONDS)}
    options = ["--port", str(port), "--step-seconds", str(STEP_SECONDS), "--non-idempotent"]
    gateway = SandboxGateway(home, f"http://127.0.0.1:{port}")
    with started([sys.executable, "-m", "customs", "sandbox", *options], environ, home / "sandbox.log"):
        wait_until(gateway.answers, "the sandbox answers")
        yield gateway
