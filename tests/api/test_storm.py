"""Fifty callers, twenty Idempotency-Keys, a web that is killed again and again: one resource for each key."""

import json
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import func, select

from customs.auth.api_keys import create_api_key
from customs.auth.models import IdempotentReply
from customs.container import Services
from customs.db import database
from customs.declarations.models import Batch, Declaration
from customs.ops.supervisor import free_port
from tests import make
from tests.conftest import SIGNING_KEY
from tests.journeys.gateway import clean_environ
from tests.journeys.processes import Process, started, wait_until
from tests.patience import PATIENCE_SECONDS

THREADS, KEYS, KILLS = 16, 20, 3


class Web:
    """`customs web` at one address, which can be killed and started again."""

    def __init__(self, services: Services) -> None:
        self.port = free_port(0)
        self.url = f"http://127.0.0.1:{self.port}/api/v1"
        settings = services.settings
        self._log = settings.home / "web.log"
        self._environ = (
            clean_environ()
            | make.SECRETS
            | {
                "CUSTOMS_HOME": str(settings.home),
                "CUSTOMS_DATABASE_URL": settings.database_url,
                "CUSTOMS_REDIS_URL": settings.redis_url,
                "CUSTOMS_API_RATE_LIMIT": "0",
                "CUSTOMS_LEASE_SECONDS": "5",
                "CUSTOMS_WEB_THREADS": "16",
                "WISECASHIER_BASE_URL": settings.base_url,
                "WISECASHIER_PRIVATE_KEY_FILE": str(SIGNING_KEY),
            }
        )
        self.process = self._started()

    def _started(self) -> Process:
        command = [sys.executable, "-m", "customs", "web", "--port", str(self.port)]
        context = started(command, self._environ, self._log)
        process = context.__enter__()
        self._end = lambda: context.__exit__(None, None, None)
        return process

    def answers(self) -> bool:
        try:
            return requests.get(self.url.replace("/api/v1", "/healthz"), timeout=1).ok
        except requests.RequestException:
            return False

    def kill_and_start(self) -> None:
        self.process.signal(signal.SIGKILL)
        self._end()
        self.process = self._started()
        wait_until(self.answers, "the API answers again")

    def end(self) -> None:
        self._end()


@pytest.fixture
def database_url(either_database: str) -> str:
    """A reservation must lapse on both."""
    return either_database


@pytest.fixture
def web(services: Services) -> Iterator[Web]:
    web = Web(services)
    wait_until(web.answers, "the API answers")
    yield web
    web.end()


def test_there_is_one_resource_for_each_key_however_many_ask_and_die(web: Web, services: Services):
    with services.transaction() as db:
        rights = {"scopes": (), "merchants": ()}
        key = create_api_key(db, "an ERP", sandbox=True, **rights, now=database.now(db))
    bodies = [json.dumps({"declarations": [make.declaration_row(parts=2)]}).encode() for _ in range(KEYS)]
    responses: list[set[str]] = [set() for _ in range(KEYS)]
    statuses: set[int] = set()
    deadline = time.monotonic() + PATIENCE_SECONDS

    def insist(number: int) -> None:
        chance = random.Random(number)
        for which in chance.sample(range(KEYS), KEYS):
            headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"k{which}"}
            headers |= {"Content-Type": "application/json"}
            if chance.random() < 0.3:
                abort(web, headers, bodies[which])
            while time.monotonic() < deadline:
                try:
                    answer = requests.post(f"{web.url}/batches", data=bodies[which], headers=headers, timeout=10)
                except requests.RequestException:
                    time.sleep(0.1)
                    continue
                statuses.add(answer.status_code)
                if answer.status_code == 202:
                    responses[which].add(answer.text)
                    break
                time.sleep(chance.random() * 0.3)

    stop = threading.Event()

    def kill() -> None:
        for _ in range(KILLS):
            if stop.wait(0.7):
                return
            web.kill_and_start()

    killer = threading.Thread(target=kill)
    killer.start()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(insist, range(THREADS)))
    stop.set()
    killer.join()

    with services.reading() as db:
        counts = [db.scalar(select(func.count()).select_from(one)) for one in (Batch, Declaration, IdempotentReply)]
        running = db.scalar(select(func.count()).where(IdempotentReply.status.is_(None)))
    assert counts == [KEYS, KEYS, KEYS]
    assert running == 0
    assert [len(answers) for answers in responses] == [1] * KEYS
    # 503: the database, while it was being taken from a killed process.
    assert statuses <= {202, 409, 503}


def abort(web: Web, headers: dict[str, str], body: bytes) -> None:
    """Send a request and be gone before its answer."""
    address = urlsplit(web.url)
    lines = [f"POST {address.path}/batches HTTP/1.1", f"Host: {address.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    try:
        with socket.create_connection((str(address.hostname), address.port or 80), timeout=1) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    except OSError:
        return
