"""P4 and P7: an intake of 10,000 declarations, from request to 202, compared with marshmallow's validation alone."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from bench.comparison import Verdict, compare, peak_megabytes, seconds_of
from bench.deployment import Deployment
from bench.orders import fresh_numbers, mixed_order
from bench.stock_schemas import StockDeclaration
from customs.auth.api_keys import create_api_key
from customs.db import database as databases
from customs.ops.supervisor import free_port

WANTED = 2.0
MEGABYTES_WANTED = 300.0
DECLARATIONS = 10_000
UNUSED_GATEWAY = "http://127.0.0.1:9"
START_SECONDS = 30.0


def measure(home: Path, database: Callable[[], str]) -> list[Verdict]:
    """Measure time and memory with a real `customs web`."""
    deployment = Deployment(home, database(), UNUSED_GATEWAY, threads=1)
    services = deployment.services
    with services.transaction() as db:
        key = create_api_key(db, "bench", sandbox=True, scopes=(), merchants=(), now=databases.now(db))
    schema = StockDeclaration(many=True)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def taken_in(how_many: int = DECLARATIONS) -> float:
        orders = [mixed_order(number) for number in fresh_numbers(how_many)]
        body = json.dumps({"declarations": orders}, ensure_ascii=False).encode()

        def post() -> None:
            answer = requests.post(f"{url}/api/v1/batches", data=body, headers=headers, timeout=START_SECONDS)
            assert answer.status_code == 202, answer.text[:1000]

        return seconds_of(post)

    def validated() -> float:
        orders = [mixed_order(number) for number in fresh_numbers(DECLARATIONS)]
        return seconds_of(lambda: schema.load(orders))

    try:
        with _web(deployment) as (url, pid):
            taken_in(10)
            goal = f"P4 intake / validation alone, {deployment.name}"
            return [
                compare(goal, WANTED, taken_in, validated, at_least=False, unit="s"),
                Verdict(
                    f"P7 peak MB of the web, {deployment.name}", MEGABYTES_WANTED, False, peak_megabytes(pid), "MB"
                ),
            ]
    finally:
        deployment.close()


@contextmanager
def _web(deployment: Deployment) -> Iterator[tuple[str, int]]:
    port = free_port(0)
    url = f"http://127.0.0.1:{port}"
    environ = {**os.environ, **deployment.environ}
    with subprocess.Popen([sys.executable, "-m", "customs", "web", "--port", str(port)], env=environ) as process:
        try:
            _wait_until_ready(f"{url}/healthz")
            yield url, process.pid
        finally:
            process.terminate()
            process.wait()


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            requests.get(url, timeout=1).raise_for_status()
        except requests.RequestException:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
