"""P4: taking in 10,000 declarations, from the request to its 202, against stock marshmallow's validation of them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from bench.ground import Ground
from bench.measuring import Verdict, compare, peak_megabytes, seconds_of
from bench.orders import fresh_numbers, mixed_order
from bench.stock import StockDeclaration
from customs.auth.api_keys import create_api_key
from customs.db import database as databases
from customs.ops.supervisor import free_port

WANTED = 2.0
MEGABYTES_WANTED = 300.0
DECLARATIONS = 10_000
UNUSED_GATEWAY = "http://127.0.0.1:9"
START_SECONDS = 30.0


def measure(home: Path, database: Callable[[], str]) -> list[Verdict]:
    """How fast, and how much memory it took, with a real `customs web`."""
    ground = Ground(home, database(), UNUSED_GATEWAY, threads=1)
    services = ground.services
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
        with _web(ground) as (url, pid):
            taken_in(10)
            goal = f"P4 intake / validation alone, {ground.name}"
            return [
                compare(goal, WANTED, taken_in, validated, at_least=False, unit="s"),
                Verdict(f"P7 peak MB of the web, {ground.name}", MEGABYTES_WANTED, False, peak_megabytes(pid), "MB"),
            ]
    finally:
        ground.close()


@contextmanager
def _web(ground: Ground) -> Iterator[tuple[str, int]]:
    port = free_port(0)
    url = f"http://127.0.0.1:{port}"
    environ = {**os.environ, **ground.environ}
    with subprocess.Popen([sys.executable, "-m", "customs", "web", "--port", str(port)], env=environ) as process:
        try:
            _wait_until_it_answers(f"{url}/healthz")
            yield url, process.pid
        finally:
            process.terminate()
            process.wait()


def _wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            requests.get(url, timeout=1).raise_for_status()
        except requests.RequestException:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
