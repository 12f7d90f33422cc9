"""One deployment of the product as journeys know it: real processes on one database, and the same parts in reach."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from redis import RedisError
from sqlalchemy import func, select

from customs.auth.api_keys import create_api_key
from customs.auth.principal import operator
from customs.config import read_settings
from customs.container import Services, staffed
from customs.db import database
from customs.declarations.actions.decisions import ReviewService
from customs.declarations.intake import accept
from customs.declarations.models import Declaration, Push
from customs.jobs.wakeup import WorkerNotifier
from customs.lanes import breaker
from customs.lanes.models import Lane
from customs.ops.standalone import redis_binary, redis_command
from customs.ops.supervisor import free_port
from tests import make
from tests.journeys.checker import broken_promises
from tests.journeys.erp import Erp
from tests.journeys.events_seen import Promises, Row
from tests.journeys.gateway import REPUSH_SECONDS, SandboxGateway, clean_environ
from tests.journeys.processes import Process, started, wait_until
from tests.patience import PATIENCE_SECONDS

GRACE_SECONDS = 2.5
PACE = {
    "CUSTOMS_POLL_SECONDS": "0.3",
    "CUSTOMS_UNKNOWN_GRACE_SECONDS": str(GRACE_SECONDS),
    "CUSTOMS_ALIPAY_REPUSH_SECONDS": str(REPUSH_SECONDS),
    "CUSTOMS_GATEWAY_TIMEOUT_SECONDS": "5",
    "CUSTOMS_GATEWAY_CONCURRENCY": "8",
}


class Deployment:
    """A database and a gateway; processes are started as a journey needs them and are gone at its end.

    `promises` is what this object was promised for what it handed in; `variables` override the environment.
    """

    def __init__(self, home: Path, database_url: str, gateway: SandboxGateway, **variables: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.gateway = gateway
        self.promises = Promises()
        self.socket = home / "redis.sock"
        self.environ = (
            clean_environ()
            | make.SECRETS
            | PACE
            | {
                "CUSTOMS_HOME": str(home),
                "CUSTOMS_DATABASE_URL": database_url,
                "CUSTOMS_REDIS_URL": f"unix://{self.socket}",
                "CUSTOMS_SANDBOX": "1",
                "WISECASHIER_BASE_URL": gateway.url,
                "WISECASHIER_PRIVATE_KEY_FILE": str(gateway.private_key_file),
            }
            | variables
        )
        self.services = Services(read_settings(self.environ))
        self.grace_seconds = self.services.settings.unknown_grace_seconds
        self._running = ExitStack()

    def __enter__(self) -> "Deployment":
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()
        self.services.engine.dispose()
        self.services.notifier.redis.close()

    def start(self, kind: str, *words: str, **variables: str) -> Process:
        """A worker, a clock or the web."""
        # What `customs worker` and `customs clock` become: half of the time to start is saved.
        package = "workers" if kind in ("worker", "clock") else "customs"
        command = [sys.executable, "-m", package, kind, *words]
        return self._run(kind, command, variables)

    def start_redis(self) -> Process:
        process = self._run("redis", redis_command(self.socket), {}, redis_binary())
        wait_until(WorkerNotifier(f"unix://{self.socket}").is_available, "Redis answers")
        return process

    def start_web(self, port: int = 0) -> tuple[Process, str]:
        """The API, ready to answer; returns its URL too."""
        port = port or free_port(0)
        process, url = self.start("web", "--port", str(port)), f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(url), "the API answers")
        return process, url

    def erp(self, url: str) -> Erp:
        """Somebody with a fresh key for everything."""
        with self.services.transaction() as db:
            key = create_api_key(db, "an ERP", sandbox=True, scopes=(), merchants=(), now=database.now(db))
        return Erp(url, key, self.promises)

    def hand_in(self, *rows: Row) -> str:
        """Store a batch without the API; returns its id."""
        services, sender = self.services, operator()
        ready = accept.make_ready(services.engine, services.vault, services.rules, accept.Submission(rows), sender)
        with services.transaction() as db:
            batch_id = accept.take_in(db, services.vault, ready, sender, services.payments, services.audit).id
        self.promises.acknowledged(rows)
        return batch_id

    def redeclare(self, row: Row) -> None:
        with self.services.transaction() as db:
            self._reviewing(db).redeclare(self._declaration_id(db, row), "a journey asks for it")
        self.promises.decided(row, {})

    def modify(self, row: Row, **changes: Any) -> None:
        services = self.services
        with services.transaction() as db:
            found = self._declaration_id(db, row)
            self._reviewing(db).modify(found, "a journey asks for it", changes, services.vault, services.rules)
        self.promises.decided(row, changes)

    def drain(self, seconds: float = 0.1) -> None:
        """Work in this process, as a worker does, on what is due within these seconds."""
        job_handlers = staffed(self.services)
        job_handlers.drain(seconds)
        job_handlers.close()

    def is_drained(self) -> bool:
        """Whether nothing goes on by itself: what is still asked for lies before a reviewer."""
        with self.services.reading() as db:
            return not db.scalar(select(func.count()).where(Push.due_at.is_not(None), Push.case_kind.is_(None)))

    def wait_until_drained(self, seconds: float = PATIENCE_SECONDS) -> None:
        wait_until(self.is_drained, "everything came to its end", seconds)

    def count(self, *conditions: Any) -> int:
        """How many pushes are so."""
        with self.services.reading() as db:
            return db.scalar(select(func.count(Push.id)).where(*conditions)) or 0

    def state_of(self, row: Row) -> str:
        with self.services.reading() as db:
            return str(db.get_one(Declaration, self._declaration_id(db, row)).state)

    def is_in_review(self, row: Row) -> bool:
        with self.services.reading() as db:
            return db.get_one(Declaration, self._declaration_id(db, row)).needs_review

    def broken_promises(self) -> list[str]:
        with self.services.reading() as db:
            return broken_promises(self.promises, self.gateway, db, self.grace_seconds)

    def resume_lanes(self) -> None:
        """What a person does about a lane that was stopped."""
        with self.services.reading() as db:
            stopped = db.scalars(select(Lane.id).where(Lane.stopped_at.is_not(None))).all()
        for lane in stopped:
            with self.services.transaction() as db:
                breaker.resume(db.connection(), lane)

    def empty_redis(self) -> None:
        with suppress(RedisError):
            self.services.notifier.redis.flushall()

    def _run(self, name: str, command: list[str], variables: dict[str, str], executable: str | None = None) -> Process:
        log = self.home / f"{name}.log"
        return self._running.enter_context(started(command, self.environ | variables, log, executable))

    def _reviewing(self, db: Any) -> ReviewService:
        services = self.services
        return ReviewService(db, operator(), database.now(db), services.policy, services.payments, services.audit)

    def _declaration_id(self, db: Any, row: Row) -> str:
        statement = select(Declaration.id).where(
            Declaration.payment_no == row["payment_no"], Declaration.office == row["office"]
        )
        found: str = db.scalars(statement).one()
        return found


@contextmanager
def full_crew(deployment: Deployment, workers: int = 2) -> Iterator[Erp]:
    """Redis, web, clock and workers; yields an ERP at the API."""
    with deployment:
        deployment.start_redis()
        deployment.start("clock")
        for _ in range(workers):
            deployment.start("worker")
        _, url = deployment.start_web()
        yield deployment.erp(url)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=1).ok
    except requests.RequestException:
        return False
